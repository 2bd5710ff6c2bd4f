// SPDX-License-Identifier: GPL-2.0
/*
 * The picture: the document around the frames, and each frame's box with label and
 * tooltip. Colours are in the style sheet; here a frame only gets classes.
 */
#include <errno.h>
#include <string.h>

#include "flamegraph/asset.h"
#include "flamegraph/difference.h"
#include "flamegraph/flamegraph.h"
#include "flamegraph/header.h"
#include "flamegraph/label.h"
#include "flamegraph/layout.h"
#include "flamegraph/textbuf.h"
#include "flamegraph/tree.h"
#include "base/quantity.h"
#include "base/utf8.h"

/* px; the same value is in flamegraph.js. */
#define ROW		18
#define BOX		17
#define PAD		4	/* between a box's edge and its label */
#define COLUMN_CENTI	723	/* hundredths of a px: a column of 12 px DejaVu Sans Mono */
#define TIME_GAP	2	/* columns between a label and the time behind it */

struct picture {
	struct textbuf			 b;
	const struct flamegraph		*fg;
	const struct flamegraph_opts	*o;
	struct layout			 l;
	uint64_t			 width;	/* of the frames, in hundredths of a px */
};

/* Adjacent boxes share an edge, however it is rounded. */
static uint64_t picture__x(const struct picture *p, uint64_t ns)
{
	return p->fg->total ? (unsigned __int128)ns * p->width / p->fg->total : 0;
}

/* Adjacent boxes of one colour get different shades of it. */
static uint32_t shade(const struct picture *p, const struct tree_node *n)
{
	return name_table__spread(&p->fg->names, n->name, 3);
}

static void write_class(struct picture *p, const struct box *box)
{
	const struct tree_node *n = &p->fg->nodes[box->node];
	struct textbuf *b = &p->b;

	if (p->fg->is_difference) {
		difference__class(b, p->fg, box);
	} else if (box->hidden) {
		textbuf__str(b, box->segment < JOIN_SEGMENT_NR ? "x s" : "x n");
		textbuf__u64(b, box->segment < JOIN_SEGMENT_NR ? box->segment : JOIN_FRAME_GAP);
	} else if (box->node == TREE_ROOT) {
		textbuf__str(b, "n0");
	} else if (n->kind == JOIN_FRAME_SEGMENT || n->kind == JOIN_FRAME_FOLLOWED) {
		textbuf__str(b, "seg s");
		textbuf__u64(b, box->segment);
	} else if (n->kind == JOIN_FRAME_KERNEL) {
		textbuf__str(b, "k h");
		textbuf__u64(b, shade(p, n));
	} else if (box->segment < JOIN_SEGMENT_NR) {
		textbuf__str(b, "s");
		textbuf__u64(b, box->segment);
		textbuf__str(b, " h");
		textbuf__u64(b, shade(p, n));
	} else {
		textbuf__str(b, "n");
		textbuf__u64(b, n->kind);
	}
}

static void write_title(struct picture *p, const struct box *box, const char *name, size_t len,
			const char *time)
{
	struct textbuf *b = &p->b;
	char share[QUANTITY_MAX];

	textbuf__str(b, "<title>");
	if (box->hidden) {
		textbuf__u64(b, box->hidden);
		textbuf__str(b, box->hidden == 1 ? " frame" : " frames");
		textbuf__str(b, " too narrow to draw");
	} else {
		textbuf__xml(b, name, len);
	}
	textbuf__str(b, "\n");
	if (p->fg->is_difference) {
		difference__title(b, p->fg, box, time);
		textbuf__str(b, "</title>");
		return;
	}
	textbuf__str(b, time);
	if (box->node != TREE_ROOT || box->hidden) {
		textbuf__str(b, " · ");
		quantity__share(box->ns, p->fg->total, share);
		textbuf__xml(b, share, strlen(share));
		textbuf__str(b, " of all · ");
		quantity__share(box->ns, box->parent_ns, share);
		textbuf__xml(b, share, strlen(share));
		textbuf__str(b, " of its parent");
	}
	textbuf__str(b, "</title>");
}

static void write_label(struct picture *p, const char *name, size_t len, const char *time,
			uint64_t x, uint64_t width, uint32_t y)
{
	uint32_t columns, time_columns = utf8__columns(time, strlen(time));
	struct textbuf *b = &p->b;
	struct label l;

	if (width < 2 * PAD * 100)
		return;
	columns = (width - 2 * PAD * 100) / COLUMN_CENTI;
	label__fit(&l, name, len, columns);
	if (!l.columns)
		return;
	textbuf__str(b, "<text x=\"");
	textbuf__centi(b, x + PAD * 100);
	textbuf__str(b, "\" y=\"");
	textbuf__u64(b, y + 12);
	textbuf__str(b, "\">");
	if (l.lead)
		textbuf__str(b, "…");
	textbuf__xml(b, l.body, l.body_len);
	textbuf__xml(b, l.tail, l.tail_len);
	if (l.shortened)
		textbuf__str(b, "…");
	if (!l.shortened && l.columns + TIME_GAP + time_columns <= columns) {
		textbuf__str(b, "<tspan class=\"q\" dx=\"14\">");
		textbuf__str(b, time);
		textbuf__str(b, "</tspan>");
	}
	textbuf__str(b, "</text>");
}

static void write_box(struct picture *p, const struct box *box)
{
	uint64_t x = picture__x(p, box->start), end = picture__x(p, box->start + box->ns);
	const struct tree_node *n = &p->fg->nodes[box->node];
	bool is_root = box->node == TREE_ROOT;
	const char *name = is_root ? "all" : name_table__text(&p->fg->names, n->name);
	size_t len = strlen(name);
	uint32_t y = box->depth * ROW;
	struct textbuf *b = &p->b;
	char time[QUANTITY_MAX];
	uint64_t width = end - x;

	if (p->fg->is_difference)
		difference__time(box->before, difference__of(p->fg, box), time);
	else
		quantity__time(box->ns, time);
	textbuf__str(b, "<g class=\"f ");
	write_class(p, box);
	textbuf__str(b, "\" data-x=\"");
	textbuf__u64(b, box->start);
	textbuf__str(b, ",");
	textbuf__u64(b, box->ns);
	textbuf__str(b, ",");
	textbuf__u64(b, box->depth);
	textbuf__str(b, "\">");
	write_title(p, box, name, len, time);
	/* A gap between boxes, if there is room. */
	textbuf__str(b, "<rect x=\"");
	textbuf__centi(b, x);
	textbuf__str(b, "\" y=\"");
	textbuf__u64(b, y);
	textbuf__str(b, "\" width=\"");
	textbuf__centi(b, width >= 300 ? width - 100 : width ? width : 1);
	textbuf__str(b, "\" height=\"");
	textbuf__u64(b, BOX);
	textbuf__str(b, "\"/>");
	if (!box->hidden)
		write_label(p, name, len, time, x, width, y);
	textbuf__str(b, "</g>\n");
}

static void describe_difference(struct picture *p)
{
	uint64_t after = difference__after(p->fg);
	char text[QUANTITY_MAX];
	struct textbuf *b = &p->b;

	textbuf__str(b, "<desc id=\"fg-desc\">Differential flame graph of task time: ");
	textbuf__str(b, quantity__time(p->fg->before, text));
	textbuf__str(b, " before, ");
	textbuf__str(b, quantity__time(after, text));
	textbuf__str(b, " after, ");
	textbuf__str(b, difference__time(p->fg->before, after, text));
	textbuf__str(b, ". ");
	if (p->o->subtitle)
		textbuf__xml(b, p->o->subtitle, strlen(p->o->subtitle));
	textbuf__str(b, "</desc>\n");
}

/* Describes the picture in words, for readers who cannot see it. */
static void write_description(struct picture *p)
{
	char time[QUANTITY_MAX], share[QUANTITY_MAX];
	const struct flamegraph *fg = p->fg;
	struct textbuf *b = &p->b;

	textbuf__str(b, "<desc id=\"fg-desc\">Flame graph of ");
	textbuf__str(b, quantity__time(fg->total, time));
	textbuf__str(b, " of task time:");
	for (int s = 0; s < JOIN_SEGMENT_NR; s++) {
		textbuf__str(b, s ? ", " : " ");
		textbuf__str(b, join_segment__name(s));
		textbuf__str(b, " ");
		quantity__share(fg->by_segment[s], fg->total, share);
		textbuf__xml(b, share, strlen(share));
	}
	textbuf__str(b, ". ");
	if (p->o->subtitle)
		textbuf__xml(b, p->o->subtitle, strlen(p->o->subtitle));
	textbuf__str(b, "</desc>\n");
}

static void write_document(struct picture *p, const struct textbuf *header, uint32_t top)
{
	uint32_t height = top + p->l.depth * ROW + HEADER_MARGIN;
	struct textbuf *b = &p->b;

	textbuf__str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"");
	textbuf__u64(b, p->o->width);
	textbuf__str(b, "\" height=\"");
	textbuf__u64(b, height);
	textbuf__str(b, "\" viewBox=\"0 0 ");
	textbuf__u64(b, p->o->width);
	textbuf__str(b, " ");
	textbuf__u64(b, height);
	textbuf__str(b, "\" role=\"img\" aria-labelledby=\"fg-title fg-desc\">\n"
			"<title id=\"fg-title\">");
	textbuf__xml(b, p->o->title, strlen(p->o->title));
	textbuf__str(b, "</title>\n");
	if (p->fg->is_difference)
		describe_difference(p);
	else
		write_description(p);
	textbuf__str(b, "<style><![CDATA[\n");
	textbuf__str(b, flamegraph_css);
	if (p->fg->is_difference)
		textbuf__str(b, difference_css);
	textbuf__str(b, "]]></style>\n"
			"<defs><pattern id=\"fg-hatch\" width=\"6\" height=\"6\" "
			"patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
			"<rect class=\"hatch-a\" width=\"6\" height=\"6\"/>"
			"<rect class=\"hatch-b\" width=\"2\" height=\"6\"/></pattern></defs>\n"
			"<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n");
	textbuf__str(b, "<g class=\"frames\" transform=\"translate(");
	textbuf__u64(b, HEADER_MARGIN);
	textbuf__str(b, ",");
	textbuf__u64(b, top);
	textbuf__str(b, ")\">\n");
	for (uint32_t i = 0; i < p->l.nr; i++)
		write_box(p, &p->l.boxes[i]);
	textbuf__str(b, "</g>\n");
	/*
	 * The header comes after the frames, so that it covers frames that are scrolled
	 * under it.
	 */
	textbuf__bytes(b, header->data, header->len);
	textbuf__str(b, "<script><![CDATA[\n");
	textbuf__str(b, flamegraph_js);
	textbuf__str(b, "]]></script>\n</svg>\n");
}

static int write_out(const struct textbuf *b, FILE *out)
{
	errno = 0;
	if (fwrite(b->data, 1, b->len, out) != b->len || fflush(out))
		return errno ? -errno : -EIO;
	return 0;
}

int flamegraph__render(struct flamegraph *fg, const struct flamegraph_opts *opts, FILE *out)
{
	struct flamegraph_opts o = *opts;
	struct picture p = { .fg = fg, .o = &o };
	struct textbuf header = { 0 };
	uint32_t top;
	int err;

	if (!o.title)
		o.title = fg->is_difference ? "Differential async off-CPU flame graph" :
					      "Async off-CPU flame graph";
	if (!o.width)
		o.width = FLAMEGRAPH_WIDTH;
	if (!o.minwidth)
		o.minwidth = FLAMEGRAPH_MINWIDTH;
	if (o.width < FLAMEGRAPH_WIDTH_MIN || o.width > FLAMEGRAPH_WIDTH_MAX)
		return -EINVAL;

	p.width = (o.width - 2 * HEADER_MARGIN) * 100ul;
	err = layout__make(&p.l, fg, p.width, o.minwidth);
	if (err)
		return err;
	top = header__write(&header, fg, &p.l, &o);
	write_document(&p, &header, top);
	err = header.err ? header.err : p.b.err;
	if (!err)
		err = write_out(&p.b, out);
	textbuf__free(&header);
	textbuf__free(&p.b);
	layout__free(&p.l);
	return err;
}
