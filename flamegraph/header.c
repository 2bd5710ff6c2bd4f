// SPDX-License-Identifier: GPL-2.0
/*
 * The header is a list of blocks from top to bottom. Text breaks into lines, and so do
 * the items of the legend. For the still image, widths are estimated here;
 * flamegraph.js measures them and breaks the lines again.
 */
#include "flamegraph/header.h"

#include <stdbool.h>
#include <string.h>

#include "base/quantity.h"
#include "base/utf8.h"
#include "flamegraph/difference.h"

/* px */
#define TITLE_HEIGHT	34
#define BAR_HEIGHT	18
#define LINE_HEIGHT	18
#define INFO_HEIGHT	24
#define SWATCH		17
#define ITEM_GAP	16

/*
 * The width of @len bytes of @s in tenths of a px, in DejaVu Sans, which is wider than
 * the sans-serif font of most systems. Estimated by classes of letters.
 */
static uint32_t estimate(const char *s, size_t len)
{
	uint32_t tenths = 0, cp;
	bool valid;

	for (size_t i = 0; i < len;) {
		i += utf8__read(s + i, len - i, &cp, &valid);
		if (cp < 0x80 && strchr(" .,:;'|!()[]iljtfr", cp))
			tenths += 45;
		else if (cp >= 0x1100 || (cp < 0x80 && strchr("mwMW%@<>", cp)))
			tenths += 115;
		else
			tenths += 78;
	}
	return (tenths + 9) / 10;
}

struct flow {
	struct textbuf	*b;
	uint32_t	 width;
	uint32_t	 x, line;
};

static void translate(struct textbuf *b, uint32_t x, uint32_t y)
{
	textbuf__str(b, " transform=\"translate(");
	textbuf__u64(b, x);
	textbuf__str(b, ",");
	textbuf__u64(b, y);
	textbuf__str(b, ")\">");
}

static void block__begin(struct textbuf *b, const char *class, uint32_t height, uint32_t y)
{
	textbuf__str(b, "<g class=\"");
	textbuf__str(b, class);
	textbuf__str(b, "\" data-h=\"");
	textbuf__u64(b, height);
	textbuf__str(b, "\"");
	translate(b, HEADER_MARGIN, y);
	textbuf__str(b, "\n");
}

static void block__end(struct textbuf *b)
{
	textbuf__str(b, "</g>\n");
}

/* Begin an item of @width px; the caller ends it with </g>. */
static void flow__item(struct flow *f, const char *attributes, uint32_t width)
{
	if (f->x && f->x + width > f->width) {
		f->x = 0;
		f->line++;
	}
	textbuf__str(f->b, "<g");
	textbuf__str(f->b, attributes);
	translate(f->b, f->x, f->line * LINE_HEIGHT);
	f->x += width;
}

static uint32_t flow__height(const struct flow *f)
{
	return (f->line + 1) * LINE_HEIGHT;
}

/* Writes text in lines that break after @separator only. */
static uint32_t write_text(struct textbuf *b, const char *class, const char *text,
			   const char *separator, uint32_t width, uint32_t y)
{
	uint32_t line = 0, x = 0, w;
	size_t len, line_len = 0;
	const char *end;

	block__begin(b, class, LINE_HEIGHT, y);
	for (;; text += line_len) {
		for (line_len = 0, x = 0; text[line_len]; line_len += len, x += w) {
			end = strstr(text + line_len, separator);
			len = end ? end - text - line_len + strlen(separator) :
				    strlen(text + line_len);
			w = estimate(text + line_len, len);
			if (x && x + w > width)
				break;
		}
		if (!line_len)
			break;
		textbuf__str(b, "<text y=\"");
		textbuf__u64(b, 12 + line++ * LINE_HEIGHT);
		textbuf__str(b, "\">");
		/* A line break replaces the space of the separator. */
		textbuf__xml(b, text, line_len - (text[line_len - 1] == ' '));
		textbuf__str(b, "</text>\n");
	}
	block__end(b);
	return line * LINE_HEIGHT;
}

static uint32_t write_bar(struct textbuf *b, const struct flamegraph *fg, uint32_t width,
			  uint32_t y)
{
	uint64_t sum = 0, from, to;

	block__begin(b, "bar", BAR_HEIGHT, y);
	for (int s = 0; s <= JOIN_SEGMENT_NR && fg->total; s++) {
		from = (unsigned __int128)sum * width * 100 / fg->total;
		sum += fg->by_segment[s];
		to = (unsigned __int128)sum * width * 100 / fg->total;
		if (from == to)
			continue;
		textbuf__str(b, "<rect class=\"");
		textbuf__str(b, s < JOIN_SEGMENT_NR ? "s" : "n");
		textbuf__u64(b, s < JOIN_SEGMENT_NR ? s : 2);
		textbuf__str(b, "\" x=\"");
		textbuf__centi(b, from);
		textbuf__str(b, "\" y=\"2\" width=\"");
		textbuf__centi(b, to - from);
		textbuf__str(b, "\" height=\"8\"/>");
	}
	textbuf__str(b, "\n");
	block__end(b);
	return BAR_HEIGHT;
}

static void legend__item(struct flow *f, const char *class, const char *name, const char *query,
			 const char *share, const char *time)
{
	struct textbuf *b = f->b;
	uint32_t width = SWATCH + estimate(name, strlen(name)) + ITEM_GAP;

	if (share)	/* in bold */
		width += estimate(" ", 1) + estimate(share, strlen(share)) * 11 / 10;
	flow__item(f, share && !strcmp(share, "0%") ? " class=\"l zero\"" : " class=\"l\"",
		   width);
	if (time) {
		textbuf__str(b, "<title>");
		textbuf__str(b, time);
		textbuf__str(b, "</title>");
	}
	textbuf__str(b, "<rect class=\"");
	textbuf__str(b, class);
	textbuf__str(b, "\" y=\"2\" width=\"12\" height=\"12\" rx=\"2\"");
	if (query) {
		textbuf__str(b, " data-q=\"");
		textbuf__str(b, query);
		textbuf__str(b, "\"");
	}
	textbuf__str(b, "/><text x=\"17\" y=\"12\">");
	textbuf__str(b, name);
	if (share) {
		textbuf__str(b, " <tspan class=\"q\">");
		textbuf__xml(b, share, strlen(share));
		textbuf__str(b, "</tspan>");
	}
	textbuf__str(b, "</text></g>\n");
}

static uint32_t write_legend(struct textbuf *b, const struct flamegraph *fg, uint32_t width,
			     uint32_t y)
{
	/* Search terms that find all frames of a segment. */
	static const char *const queries[JOIN_SEGMENT_NR] = {
		[JOIN_RUNNING]	    = "^\\[running\\]$",
		[JOIN_PREEMPTED]    = "^\\[preempted\\]$",
		[JOIN_BLOCKED]	    = "^\\[blocked\\]$",
		[JOIN_AWAIT]	    = "^\\[await\\]$",
		[JOIN_READY]	    = "^\\[ready\\]$",
		[JOIN_UNATTRIBUTED] = "^\\[unattributed\\]$",
	};
	char class[3] = "s0", share[QUANTITY_MAX], time[QUANTITY_MAX];
	struct flow f = { .b = b, .width = width };

	block__begin(b, "legend flow", LINE_HEIGHT, y);
	legend__item(&f, "n2", "where in the code", NULL, NULL, NULL);
	for (int s = 0; s < JOIN_SEGMENT_NR; s++) {
		class[1] = '0' + s;
		legend__item(&f, class, join_segment__name(s), queries[s],
			     quantity__share(fg->by_segment[s], fg->total, share),
			     quantity__time(fg->by_segment[s], time));
	}
	if (fg->by_segment[JOIN_SEGMENT_NR])
		legend__item(&f, "n2", "no segment", NULL,
			     quantity__share(fg->by_segment[JOIN_SEGMENT_NR], fg->total, share),
			     quantity__time(fg->by_segment[JOIN_SEGMENT_NR], time));
	legend__item(&f, "k", "in the kernel", "_\\[k\\]$",
		     quantity__share(fg->kernel, fg->total, share),
		     quantity__time(fg->kernel, time));
	block__end(b);
	return flow__height(&f);
}

/* The colours of a difference, from more to less. */
static uint32_t write_changes(struct textbuf *b, uint32_t width, uint32_t y)
{
	struct flow f = { .b = b, .width = width };
	struct textbuf name = { 0 };
	char class[] = "more0";

	block__begin(b, "legend flow", LINE_HEIGHT, y);
	for (int level = DIFFERENCE_LEVELS; level >= -DIFFERENCE_LEVELS; level--) {
		int size = level < 0 ? -level : level;

		memcpy(class, level > 0 ? "more" : "less", 4);
		class[4] = '0' + size;
		name.len = 0;
		textbuf__str(&name, level > 0 ? "+" : level < 0 ? "−" : "less than ");
		textbuf__centi(&name, difference__least(size ? size : 1) * 10);
		textbuf__str(&name, level == DIFFERENCE_LEVELS ? "% of all or more" :
				    level == -DIFFERENCE_LEVELS ? "% or less" : "%");
		textbuf__bytes(&name, "", 1);
		if (!name.err)
			legend__item(&f, size ? class : "same", name.data, NULL, NULL, NULL);
	}
	if (name.err)
		b->err = name.err;
	textbuf__free(&name);
	legend__item(&f, "new", "new", NULL, NULL, NULL);
	legend__item(&f, "gone", "[gone]: beside, as it was before", NULL, NULL, NULL);
	block__end(b);
	return flow__height(&f);
}

/* "3412 frames narrower than 0.1 px: 3300 merged into 210 slivers, 112 not drawn" */
static uint32_t write_hidden(struct textbuf *b, const struct layout *l, uint32_t minwidth,
			     uint32_t width, uint32_t y)
{
	struct textbuf note = { 0 };
	uint32_t height;

	textbuf__u64(&note, l->hidden);
	textbuf__str(&note, l->hidden == 1 ? " frame" : " frames");
	textbuf__str(&note, " narrower than ");
	textbuf__centi(&note, minwidth);
	textbuf__str(&note, " px: ");
	if (l->hidden > l->undrawn) {
		textbuf__u64(&note, l->hidden - l->undrawn);
		textbuf__str(&note, " merged into ");
		textbuf__u64(&note, l->slivers);
		textbuf__str(&note, l->slivers == 1 ? " sliver" : " slivers");
	}
	if (l->undrawn) {
		textbuf__str(&note, l->hidden > l->undrawn ? ", " : "");
		textbuf__u64(&note, l->undrawn);
		textbuf__str(&note, " not drawn");
	}
	textbuf__bytes(&note, "", 1);
	if (note.err)
		b->err = note.err;
	height = note.err ? 0 : write_text(b, "hidden lines", note.data, ": ", width, y);
	textbuf__free(&note);
	return height;
}

uint32_t header__write(struct textbuf *b, const struct flamegraph *fg, const struct layout *l,
		       const struct flamegraph_opts *o)
{
	uint32_t width = o->width - 2 * HEADER_MARGIN, y = 6;

	textbuf__str(b, "<g class=\"header\"><rect class=\"bg\" width=\"100%\" height=\"0\"/>\n");
	block__begin(b, "title", TITLE_HEIGHT, y);
	textbuf__str(b, "<text y=\"22\">");
	textbuf__xml(b, o->title, strlen(o->title));
	textbuf__str(b, "</text>\n");
	block__end(b);
	y += TITLE_HEIGHT;
	if (o->subtitle && *o->subtitle)
		y += write_text(b, "subtitle lines", o->subtitle, " · ", width, y);
	for (size_t i = 0; i < o->nr_notes; i++)
		y += write_text(b, "note lines", o->notes[i], ", ", width, y);
	if (l->hidden)
		y += write_hidden(b, l, o->minwidth, width, y);
	y += 4;
	if (fg->is_difference) {
		y += write_changes(b, width, y);
	} else {
		y += write_bar(b, fg, width, y);
		y += write_legend(b, fg, width, y);
	}
	block__begin(b, "info", INFO_HEIGHT, y);
	textbuf__str(b, "<text y=\"14\">");
	textbuf__str(b, fg->is_difference ?
			"Read downwards: as wide as the time after, in the colour of its change." :
			"Read downwards: process, task, its await points from the outermost to the "
			"leaf; then, in colour, what the time was and why.");
	textbuf__str(b, "</text>\n");
	block__end(b);
	y += INFO_HEIGHT;
	textbuf__str(b, "</g>\n");
	return y;
}
