// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the image model in words, for `dwell info'. It must not know how the model was
 * made.
 *
 * Below a future are its states in numerical order, except those that await nothing:
 * "FILE:LINE  AWAITED at OFFSET". The offset is relative to the future: "at 8", the
 * awaited future lies there; "at *8", a pointer to it lies there; "at **8", a pointer
 * to a pointer to it.
 *
 * Below an await point is what is live there besides what is awaited: the line where the
 * variable is declared, its name, the type of handle or the future.
 */
#include "image/image.h"

#include <inttypes.h>
#include <string.h>

static const char *tier_name(enum image_tier tier)
{
	switch (tier) {
	case IMAGE_TIER_NONE:		return "none";
	case IMAGE_TIER_STRIPPED:	return "stripped";
	case IMAGE_TIER_SYMBOLS:	return "symbols";
	case IMAGE_TIER_FULL:		return "full";
	}
	return "?";
}

static const char *key_name(unsigned int key)
{
	switch (key) {
	case WALK_KEY_IO:	return "descriptor";
	case WALK_KEY_DEADLINE:	return "deadline";
	case WALK_KEY_TASK:	return "task";
	case WALK_KEY_ADDRESS:	return "address";
	case WALK_KEY_YIELD:	return "yields";
	case WALK_KEY_OPERATION: return "operation";
	}
	return "no key";
}

static const char *type_kind(unsigned int kind)
{
	switch (kind) {
	case IMAGE_TYPE_FN:		return "async";
	case IMAGE_TYPE_WRAPPER:	return "wrapper";
	case IMAGE_TYPE_LEAF:		return "leaf";
	case IMAGE_TYPE_TRANSPARENT:	return "holder";
	}
	return "opaque";
}

static void print_probes(const struct image *img, FILE *out)
{
	static const char *const roles[] = { "poll", "wake", "new", "drop", "end", "root",
					      "park", "root wake", "root waker copy", "job" };
	unsigned int nr[RUNTIME_FN_NR] = { 0 }, slow[RUNTIME_FN_NR] = { 0 };
	const struct image_fn *fns;
	size_t nr_fns, nr_returns;

	fns = image__fns(img, &nr_fns);
	for (size_t i = 0; i < nr_fns; i++) {
		if (fns[i].role >= RUNTIME_FN_NR)
			continue;
		nr[fns[i].role]++;
		slow[fns[i].role] += fns[i].site.slow;
	}
	image__returns(img, &nr_returns);
	fprintf(out, "probes     ");
	for (size_t r = 0; r < sizeof(roles) / sizeof(roles[0]); r++) {
		fprintf(out, "%s%u %s", r ? ", " : "", nr[r], roles[r]);
		if (slow[r])
			fprintf(out, " (%u single-stepped)", slow[r]);
	}
	fprintf(out, ", %zu poll end (others are learnt)\n", nr_returns);
}

static void print_arc(const struct image *img, FILE *out, uint32_t type, uint32_t off,
		      unsigned int mode)
{
	static const char *const hops[] = {
		[WALK_ARC_INLINE] = "", [WALK_ARC_PTR] = "*", [WALK_ARC_DYN] = "*",
		[WALK_ARC_PTR2] = "**", [WALK_ARC_SLICE] = "*", [WALK_ARC_LIST] = "*",
	};
	const struct image_type *types;
	size_t nr;

	types = image__types(img, &nr);
	if (mode == WALK_ARC_DYN)
		fprintf(out, "dyn Future");
	else if (type < nr)
		fprintf(out, "%s", image__str(img, types[type].name));
	fprintf(out, " at %s%" PRIu32, mode < sizeof(hops) / sizeof(*hops) ? hops[mode] : "?", off);
	if (mode == WALK_ARC_SLICE || mode == WALK_ARC_LIST)
		fprintf(out, " (each)");
}

/* "g RwLockReadGuard at 8": what is live there besides what is awaited. */
static void print_parts(const struct image *img, FILE *out, const struct image_variant *v)
{
	static const char *const ways[] = {
		[IMAGE_PART_INLINE] = "", [IMAGE_PART_POINTER] = "*", [IMAGE_PART_SLICE] = "*",
		[IMAGE_PART_TABLE] = "*",
	};
	size_t nr, nr_handles, nr_types;
	const struct image_part *parts = image__parts(img, &nr);
	const struct image_handle *handles = image__handles(img, &nr_handles);
	const struct image_type *types = image__types(img, &nr_types);

	for (uint32_t i = v->first_part; i < v->first_part + v->nr_parts && i < nr; i++) {
		const struct image_part *p = &parts[i];
		const char *what = p->kind == IMAGE_PART_HANDLE && p->index < nr_handles ?
					   image__str(img, handles[p->index].name) :
				   p->kind == IMAGE_PART_FUTURE && p->index < nr_types ?
					   image__str(img, types[p->index].shortname) :
				   p->kind == IMAGE_PART_DYN ? "dyn Future" : "something with them";

		fprintf(out, "        ");
		if (p->line)
			fprintf(out, "%s:%" PRIu32 "  ", image__str(img, p->file), p->line);
		fprintf(out, "%s%s%s at %s%" PRIu32 "%s\n", image__str(img, p->name),
			p->name ? ": " : "", what, ways[p->way], p->off,
			p->way == IMAGE_PART_SLICE || p->way == IMAGE_PART_TABLE ? " (each)" : "");
	}
}

static void print_variant(const struct image *img, FILE *out, uint32_t i)
{
	const struct image_variant *v;
	const struct walk_variant *wv;
	const struct walk_arc *arcs;
	size_t nr, nr_arcs;

	v = &image__variants(img, &nr)[i];
	wv = &image__walk_variants(img, &nr)[i];
	arcs = image__walk_arcs(img, &nr_arcs);
	if (wv->flags & (WALK_VARIANT_HOLE | WALK_VARIANT_DONE) ||
	    (!v->line && !v->name && !wv->nr_arcs))
		return;
	fprintf(out, "    ");
	if (v->line)
		fprintf(out, "%s:%" PRIu32 "  ", image__str(img, v->file), v->line);
	else if (v->name)
		fprintf(out, "%s  ", image__str(img, v->name));
	if (wv->nr_arcs == 1)
		print_arc(img, out, wv->arc_type, wv->arc_off, wv->arc_mode);
	for (uint32_t k = 0; wv->nr_arcs > 1 && k < wv->nr_arcs; k++) {
		const struct walk_arc *arc = &arcs[wv->first_arc + k];

		if (wv->first_arc + k >= nr_arcs || (arc->mode >= WALK_ARC_SLICE && k))
			break;
		fprintf(out, "%s", k ? " | " : "");
		print_arc(img, out, arc->type, arc->off, arc->mode);
	}
	fputc('\n', out);
	if (v->line)
		print_parts(img, out, v);
}

static void print_type(const struct image *img, FILE *out, size_t i)
{
	const struct image_type *t;
	const struct walk_type *wt;
	uint32_t nr_variants;
	size_t nr;

	t = &image__types(img, &nr)[i];
	wt = &image__walk_types(img, &nr)[i];
	fprintf(out, "  %s  [%s, %" PRIu32 " bytes", image__str(img, t->name), type_kind(t->kind),
		wt->size);
	if (wt->disc_width && wt->disc_off <= wt->size)
		fprintf(out, ", state at %" PRIu32 ": u%u", wt->disc_off, 8 * wt->disc_width);
	if (t->kind == IMAGE_TYPE_LEAF)
		fprintf(out, ", %s", key_name(t->leaf_key));
	else if (t->descriptor != IMAGE_DESCRIPTOR_UNTOLD)
		fprintf(out, t->descriptor == IMAGE_DESCRIPTOR_OWN ? ", has a descriptor"
								   : ", no descriptor");
	fprintf(out, "]\n");
	image__variants(img, &nr);
	nr_variants = wt->nr_variants + (wt->disc_width && wt->default_variant != WALK_NONE);
	for (uint32_t v = 0; v < nr_variants && wt->first_variant + v < nr; v++) {
		const struct image_variant *all = image__variants(img, &nr);
		uint32_t i = wt->first_variant + v, rest = wt->default_variant;

		/* the values that select the default variant */
		if (rest != WALK_NONE && i != rest && all[i].name == all[rest].name)
			continue;
		print_variant(img, out, i);
	}
}

static void print_tasks(const struct image *img, FILE *out)
{
	const struct walk_cell *cells;
	const struct walk_type *wt;
	const struct image_fn *fns;
	size_t nr, nr_cells, nr_types;

	fns = image__fns(img, &nr);
	cells = image__cells(img, &nr_cells);
	wt = image__walk_types(img, &nr_types);
	fprintf(out, "\ntask types\n");
	for (size_t i = 0; i < nr; i++) {
		if (fns[i].role != RUNTIME_FN_POLL)
			continue;
		fprintf(out, "  %s  [", image__str(img, fns[i].task_long));
		if (fns[i].blocking)
			fprintf(out, "blocking job, ");
		else if (fns[i].scheduler)
			fprintf(out, "%s, ", image__str(img, fns[i].scheduler));
		if (fns[i].cell < nr_cells && cells[fns[i].cell].root_type < nr_types)
			fprintf(out, "%" PRIu32 " bytes, future at %" PRIu32 ": %" PRIu32 " bytes, ",
				cells[fns[i].cell].size, cells[fns[i].cell].future_off,
				wt[cells[fns[i].cell].root_type].size);
		fprintf(out, "poll %#" PRIx64 "%s%s]\n", fns[i].vaddr,
			fns[i].site.slow ? ", single-stepped" : "",
			fns[i].ambiguous ? ", code shared with other types" : "");
	}
}

static void print_places(const struct image *img, FILE *out, uint32_t fn)
{
	static const char *const whats[] = { "begin", "gone", "park" };
	const struct image_root_range *ranges;
	const struct image_root_site *sites;
	size_t nr, nr_ranges = 0;

	sites = image__root_sites(img, &nr);
	for (size_t i = 0; i < nr; i++)
		if (sites[i].fn == fn && sites[i].what < sizeof(whats) / sizeof(whats[0]))
			fprintf(out, ", %s %#" PRIx64 "%s", whats[sites[i].what],
				sites[i].site.vaddr,
				sites[i].site.slow ? " single-stepped" : "");
	ranges = image__root_ranges(img, &nr);
	for (size_t i = 0; i < nr; i++)
		nr_ranges += ranges[i].fn == fn && ranges[i].loc.reg != IMAGE_REG_NR;
	if (!nr_ranges)
		fprintf(out, ", not found on stacks");
}

static void print_roots(const struct image *img, FILE *out)
{
	const struct walk_cell *cells;
	const struct image_fn *fns;
	bool any = false;
	size_t nr, nr_cells;

	fns = image__fns(img, &nr);
	cells = image__cells(img, &nr_cells);
	for (size_t i = 0; i < nr; i++) {
		if (fns[i].role != RUNTIME_FN_ROOT)
			continue;
		if (!any)
			fprintf(out, "\nroots\n");
		any = true;
		fprintf(out, "  %s  [%" PRIu32 " bytes", image__str(img, fns[i].task_long),
			fns[i].cell < nr_cells ? cells[fns[i].cell].size : 0);
		print_places(img, out, (uint32_t)i);
		fprintf(out, "]\n");
	}
}

static void print_runtimes(const struct image *img, FILE *out)
{
	char followed[256], others[256];

	image__runtime_names(img, true, followed, sizeof(followed));
	image__runtime_names(img, false, others, sizeof(others));
	fprintf(out, "runtimes   %s%s%s%s\n", *followed || *others ? followed : "none",
		*followed && *others ? "; " : "", *others ? "not followed: " : "", others);
}

void image__print(const struct image *img, FILE *out)
{
	const char *const *notes;
	const struct image_type *types;
	size_t nr;

	fprintf(out, "tier       %s: %s\n", tier_name(image__tier(img)), image__tier_hint(img));
	fprintf(out, "build-id   %s\n", *image__build_id(img) ? image__build_id(img) : "none");
	fprintf(out, "compiler   %s\n", *image__producer(img) ? image__producer(img) : "unknown");
	fprintf(out, "debug      %s\n",
		*image__debug_path(img) ? image__debug_path(img) : "none");
	print_runtimes(img, out);
	notes = image__notes(img, &nr);
	for (size_t i = 0; i < nr; i++)
		fprintf(out, "note       %s\n", notes[i]);
	if (image__tier(img) <= IMAGE_TIER_STRIPPED)
		return;
	print_probes(img, out);
	print_tasks(img, out);
	print_roots(img, out);
	types = image__types(img, &nr);
	if (nr)
		fprintf(out, "\nfutures\n");
	for (size_t i = 0; i < nr; i++)
		if (types[i].kind != IMAGE_TYPE_TRANSPARENT)
			print_type(img, out, i);
}
