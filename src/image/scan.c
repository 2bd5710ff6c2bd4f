// SPDX-License-Identifier: GPL-2.0
/*
 * The index pass through .debug_info: see scan.h.
 *
 * An entry costs one look-up of its abbreviation, and one jump over each run of
 * fixed-size attributes. Attributes are decoded only for the few tags that matter.
 * References between units must not be resolved here, because other threads are
 * scanning other units.
 */
#include "image/scan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bisect.h"

#define MAX_DEPTH	4096
#define MAX_NAME	65536	/* longer names are not told apart */
#define NAME_CACHE	4096
#define ARENA_SCOPES	1024

struct arena {
	struct arena	*next;
	size_t		 used;
	struct scope	 scopes[ARENA_SCOPES];
};

/* The linker merges equal names, so a name's address is looked up before its text. */
struct name_memo {
	const char	*name;
	uint64_t	 hash;
};

struct level {
	const struct scope	*scope;
	const char		*type;	/* of the type that contains the current entry */
	uint16_t		 tag;
};

struct worker {
	struct shared		*shared;
	pthread_t		 thread;
	bool			 started;
	struct arena		*arenas;
	struct name_memo	 memo[NAME_CACHE];
	struct level		*levels;
	struct scan_type	*types;
	struct scan_fn		*fns;
	struct scan_instance	*instances;
	struct scan_vtable	*vtables;
	size_t			 nr_types, cap_types, nr_fns, cap_fns;
	size_t			 nr_instances, cap_instances, nr_vtables, cap_vtables;
	uint64_t		 entries;
	uint64_t		 hashed;	/* bytes hashed: a limit against hostile files */
	bool			 torn;
	int			 err;
};

struct shared {
	const struct debug_info	*di;
	const char *const	*names;
	bool			 first[256];	/* set of the first characters of wanted names */
	atomic_size_t		 next_unit;
	atomic_uint_fast64_t	 done;
	uint64_t		 total;
	void			(*progress)(void *ctx, uint64_t done, uint64_t total);
	void			*ctx;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) *
			      (b ^ 0xd6e8feb86659fd93ull);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t hash_bytes(const char *p, size_t n)
{
	uint64_t h = n, w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = mix(h, w);
	}
	w = 0;
	memcpy(&w, p, n);
	return mix(h, w);
}

static uint64_t hash_join(uint64_t scope, uint64_t name)
{
	return mix(scope + 1, name);
}

uint64_t scan__hash_path(const char *path, size_t len)
{
	size_t start = 0, depth = 0;
	uint64_t hash = 0;

	for (size_t i = 0; i < len; i++) {
		switch (path[i]) {
		case '<': case '(': case '[': case '{':
			depth++;
			break;
		case '>':
			if (i && path[i - 1] == '-')	/* fn() -> T */
				break;
			/* fall through */
		case ')': case ']': case '}':
			if (depth)
				depth--;
			break;
		case ':':
			if (!depth && i + 1 < len && path[i + 1] == ':') {
				hash = hash_join(hash, hash_bytes(path + start, i - start));
				start = i + 2;
				i++;
			}
			break;
		}
	}
	len -= start;
	return hash_join(hash, hash_bytes(path + start, len < MAX_NAME ? len : MAX_NAME));
}

static uint64_t name_hash(struct worker *w, const char *name)
{
	struct name_memo *m = &w->memo[((uintptr_t)name >> 2) % NAME_CACHE];

	if (m->name != name) {
		size_t len = strnlen(name, MAX_NAME);

		w->hashed += len;
		m->name = name;
		m->hash = hash_bytes(name, len);
	}
	return m->hash;
}

static const struct scope *scope__new(struct worker *w, const struct scope *parent,
				      const char *name, uint64_t hash)
{
	struct scope *s;

	if (!w->arenas || w->arenas->used == ARENA_SCOPES) {
		struct arena *a = malloc(sizeof(*a));

		if (!a) {
			w->err = -ENOMEM;
			return NULL;
		}
		a->used = 0;
		a->next = w->arenas;
		w->arenas = a;
	}
	s = &w->arenas->scopes[w->arenas->used++];
	s->parent = parent;
	s->name = name;
	s->hash = hash;
	return s;
}

static bool name_wanted(const struct shared *sh, const char *name)
{
	if (!sh->first[(unsigned char)name[0]])
		return false;
	for (const char *const *n = sh->names; *n; n++) {
		size_t len = strlen(*n);

		if (!strncmp(name, *n, len) && (!name[len] || name[len] == '<'))
			return true;
	}
	return false;
}

/* The attributes of an entry that are needed. */
struct found {
	struct attr	a[SCAN_SLOTS];
	uint32_t	have;
};

static const char *found__str(const struct unit *u, const struct found *f, int slot)
{
	return f->have & (1u << slot) ? attr__str(u, &f->a[slot]) : NULL;
}

static void scan_type(struct worker *w, const struct unit *u, const uint8_t *die,
		      const struct abbrev *ab, const struct found *f,
		      const struct level *lv)
{
	const char *name = found__str(u, f, SCAN_NAME);
	const struct scope *scope = lv->scope;
	struct scan_type *t;
	uint64_t hash;

	/* an enum's variants are found through the enum */
	if (!name || lv->tag == DW_TAG_structure_type || lv->tag == DW_TAG_variant)
		return;
	hash = hash_join(scope ? scope->hash : 0, name_hash(w, name));
	if (array__room(&w->types, &w->cap_types, w->nr_types, sizeof(*w->types))) {
		w->err = -ENOMEM;
		return;
	}
	t = &w->types[w->nr_types++];
	t->die = die;
	t->scope = scope;
	t->name = name;
	t->hash = hash;
	t->size = f->have & (1u << SCAN_SIZE) ? f->a[SCAN_SIZE].v : 0;
	t->tag = ab->tag;
	t->next = SCAN_NO_TYPE;
	t->declaration = f->have & (1u << SCAN_DECLARATION);
	t->empty = !ab->children && t->size;
}

static void scan_fn(struct worker *w, const struct unit *u, const uint8_t *die,
		    const struct found *f, const struct level *lv)
{
	const char *name = found__str(u, f, SCAN_NAME);
	uint64_t pc = 0;
	bool has_pc = f->have & (1u << SCAN_LOW_PC) &&
		      attr__addr(u, &f->a[SCAN_LOW_PC], &pc) && pc && pc < ~0ull - 1;

	if (!name) {
		const uint8_t *origin;
		struct scan_instance *in;

		if (!has_pc || !(f->have & (1u << SCAN_ORIGIN)))
			return;
		origin = attr__target(w->shared->di, u, &f->a[SCAN_ORIGIN]);
		if (!origin)
			return;
		if (array__room(&w->instances, &w->cap_instances, w->nr_instances,
				sizeof(*w->instances))) {
			w->err = -ENOMEM;
			return;
		}
		in = &w->instances[w->nr_instances++];
		in->die = die;
		in->origin = origin;
		in->low_pc = pc;
		in->linkage = found__str(u, f, SCAN_LINKAGE);
		return;
	}
	if (name[0] == '{' || name_wanted(w->shared, name)) {
		struct scan_fn *fn;

		if (array__room(&w->fns, &w->cap_fns, w->nr_fns, sizeof(*w->fns))) {
			w->err = -ENOMEM;
			return;
		}
		fn = &w->fns[w->nr_fns++];
		fn->die = die;
		fn->scope = lv->scope;
		fn->type = lv->type;
		fn->name = name;
		fn->linkage = found__str(u, f, SCAN_LINKAGE);
		fn->low_pc = pc;
		fn->has_pc = has_pc;
		fn->body = name[0] == '{';
	}
}

static void scan_vtable(struct worker *w, const struct unit *u, const uint8_t *die,
			const struct found *f, const struct level *lv)
{
	const char *name;

	if (lv->tag != DW_TAG_namespace && lv->tag != DW_TAG_compile_unit &&
	    lv->tag != DW_TAG_partial_unit)
		return;
	if (!(f->have & (1u << SCAN_LOCATION)))
		return;
	name = found__str(u, f, SCAN_NAME);
	if (!name || name[0] != '<')
		return;
	if (array__room(&w->vtables, &w->cap_vtables, w->nr_vtables, sizeof(*w->vtables))) {
		w->err = -ENOMEM;
		return;
	}
	w->vtables[w->nr_vtables++] = (struct scan_vtable){ .die = die, .name = name };
}

static void scan_unit(struct worker *w, const struct unit *u)
{
	const struct abbrev_table *t = u->abbrevs;
	const uint8_t *p = u->die;
	size_t depth = 0;

	if (!t)
		return;
	w->levels[0] = (struct level){ .scope = NULL };
	while (p < u->end && !w->err) {
		const uint8_t *die = p;
		struct level *lv = &w->levels[depth];
		const struct abbrev_step *s, *s_end;
		const struct abbrev *ab;
		struct found f;
		uint64_t code;

		if (*p < 0x80)
			code = *p++;
		else if (!read_uleb(&p, u->end, &code))
			goto torn;
		if (!code) {
			if (depth <= 1)
				return;
			depth--;
			continue;
		}
		ab = abbrev__find(t, code);
		if (!ab)
			goto torn;
		w->entries++;
		f.have = 0;
		for (s = t->steps + ab->first_step, s_end = s + ab->nr_steps; s < s_end; s++) {
			if (!s->form) {
				if (s->skip > (uint64_t)(u->end - p))
					goto torn;
				p += s->skip;
				continue;
			}
			if (s->slot == SCAN_SLOTS) {
				struct attr unused;

				p = form__read(u, s->form, s->implicit, p, &unused);
			} else {
				p = form__read(u, s->form, s->implicit, p, &f.a[s->slot]);
				f.have |= 1u << s->slot;
			}
			if (!p)
				goto torn;
		}
		switch (ab->tag) {
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
			scan_type(w, u, die, ab, &f, lv);
			break;
		case DW_TAG_subprogram:
			scan_fn(w, u, die, &f, lv);
			break;
		case DW_TAG_variable:
			scan_vtable(w, u, die, &f, lv);
			break;
		}
		if (ab->children) {
			const struct scope *scope = lv->scope;

			if (depth + 1 >= MAX_DEPTH)
				goto torn;
			if (ab->tag == DW_TAG_namespace) {
				const char *name = found__str(u, &f, SCAN_NAME);

				if (name)
					scope = scope__new(w, scope, name,
							   hash_join(scope ? scope->hash : 0,
								     name_hash(w, name)));
			}
			depth++;
			w->levels[depth].scope = scope;
			w->levels[depth].tag = ab->tag;
			w->levels[depth].type = ab->tag == DW_TAG_structure_type ?
						found__str(u, &f, SCAN_NAME) : NULL;
		} else if (!depth) {
			return;
		}
		if (w->hashed > (w->shared->total + (1u << 20)) * 64)
			goto torn;
	}
	return;
torn:
	w->torn = true;
}

static void *worker__main(void *arg)
{
	struct worker *w = arg;
	struct shared *sh = w->shared;
	size_t i;

	while (!w->err && (i = atomic_fetch_add(&sh->next_unit, 1)) < sh->di->nr_units) {
		const struct unit *u = sh->di->units[i];
		uint64_t done;

		scan_unit(w, u);
		done = atomic_fetch_add(&sh->done, (uint64_t)(u->end - u->start));
		/* only the calling thread reports, since it may draw on the terminal */
		if (sh->progress && !w->started)
			sh->progress(sh->ctx, done + (uint64_t)(u->end - u->start), sh->total);
	}
	return NULL;
}

/*
 * Each thread takes units in ascending order, so its results are sorted: merge them.
 * The first member of every element is its entry.
 */
static void *merge(struct worker *w, unsigned int jobs, size_t arr_off, size_t nr_off,
		   size_t size, size_t *out_nr, int *err)
{
	size_t total = 0, *at = calloc(jobs, sizeof(*at));
	char *out;

	for (unsigned int j = 0; j < jobs; j++)
		total += *(size_t *)((char *)&w[j] + nr_off);
	out = malloc(total ? total * size : 1);
	*out_nr = total;
	if (!out || !at) {
		free(out);
		free(at);
		*out_nr = 0;
		*err = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < total; i++) {
		const char *best = NULL;
		unsigned int best_j = 0;

		for (unsigned int j = 0; j < jobs; j++) {
			const char *arr = *(char **)((char *)&w[j] + arr_off), *e;

			if (at[j] >= *(size_t *)((char *)&w[j] + nr_off))
				continue;
			e = arr + at[j] * size;
			if (!best || *(const uint8_t *const *)e < *(const uint8_t *const *)best) {
				best = e;
				best_j = j;
			}
		}
		memcpy(out + i * size, best, size);
		at[best_j]++;
	}
	free(at);
	return out;
}

static int scan__hash_types(struct scan *sc)
{
	size_t n = 64;

	while (n < sc->nr_types)
		n *= 2;
	sc->buckets = malloc(n * sizeof(*sc->buckets));
	if (!sc->buckets)
		return -ENOMEM;
	memset(sc->buckets, 0xff, n * sizeof(*sc->buckets));
	sc->nr_buckets = n;
	/* backwards, so that each bucket is in the order of the section */
	for (size_t i = sc->nr_types; i-- > 0;) {
		size_t b = sc->types[i].hash & (n - 1);

		sc->types[i].next = sc->buckets[b];
		sc->buckets[b] = (uint32_t)i;
	}
	return 0;
}

int scan__run(struct scan *sc, const struct debug_info *di, const char *const *names,
	      unsigned int jobs, void (*progress)(void *ctx, uint64_t done, uint64_t total),
	      void *ctx)
{
	struct shared sh = { .di = di, .names = names, .progress = progress, .ctx = ctx };
	struct arena **tail = (struct arena **)&sc->arenas;
	struct worker *w;
	int err = 0;

	memset(sc, 0, sizeof(*sc));
	for (const char *const *n = names; *n; n++)
		sh.first[(unsigned char)**n] = true;
	for (size_t i = 0; i < di->nr_units; i++)
		sh.total += (uint64_t)(di->units[i]->end - di->units[i]->start);
	if (jobs < 1)
		jobs = 1;
	if (jobs > 64)
		jobs = 64;
	if (jobs > di->nr_units)
		jobs = di->nr_units ? (unsigned int)di->nr_units : 1;
	w = calloc(jobs, sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (unsigned int j = 0; j < jobs; j++) {
		w[j].shared = &sh;
		w[j].levels = calloc(MAX_DEPTH, sizeof(*w[j].levels));
		if (!w[j].levels)
			err = -ENOMEM;
	}
	if (err)
		goto out;
	for (unsigned int j = 1; j < jobs; j++) {
		w[j].started = true;
		if (pthread_create(&w[j].thread, NULL, worker__main, &w[j]))
			w[j].started = false;
	}
	worker__main(&w[0]);
	for (unsigned int j = 1; j < jobs; j++)
		if (w[j].started)
			pthread_join(w[j].thread, NULL);
	for (unsigned int j = 0; j < jobs; j++) {
		sc->entries += w[j].entries;
		sc->torn |= w[j].torn;
		if (w[j].err)
			err = w[j].err;
	}
	if (err)
		goto out;
#define MERGE(field) \
	sc->field = merge(w, jobs, offsetof(struct worker, field), \
			  offsetof(struct worker, nr_##field), sizeof(*sc->field), \
			  &sc->nr_##field, &err)
	MERGE(types);
	MERGE(fns);
	MERGE(instances);
	MERGE(vtables);
#undef MERGE
	if (!err)
		err = scan__hash_types(sc);
out:
	for (unsigned int j = 0; j < jobs; j++) {
		free(w[j].levels);
		free(w[j].types);
		free(w[j].fns);
		free(w[j].instances);
		free(w[j].vtables);
		*tail = w[j].arenas;
		while (*tail)
			tail = &(*tail)->next;
	}
	free(w);
	if (err)
		scan__free(sc);
	return err;
}

void scan__free(struct scan *sc)
{
	struct arena *a = sc->arenas, *next;

	for (; a; a = next) {
		next = a->next;
		free(a);
	}
	free(sc->types);
	free(sc->fns);
	free(sc->instances);
	free(sc->vtables);
	free(sc->buckets);
	memset(sc, 0, sizeof(*sc));
}

const struct scan_type *scan__type_at(const struct scan *sc, const uint8_t *die)
{
	size_t i = BISECT(sc->nr_types, k, sc->types[k].die < die);

	return i < sc->nr_types && sc->types[i].die == die ? &sc->types[i] : NULL;
}

const struct scan_type *scan__type_by_hash(const struct scan *sc, uint64_t hash, uint64_t size)
{
	const struct scan_type *best = NULL;

	if (!sc->nr_buckets)
		return NULL;
	for (uint32_t i = sc->buckets[hash & (sc->nr_buckets - 1)]; i != SCAN_NO_TYPE;
	     i = sc->types[i].next) {
		const struct scan_type *t = &sc->types[i];

		if (t->hash != hash)
			continue;
		if (size != ~0ull && t->size != size && !t->declaration)
			continue;
		if (!t->declaration && !t->empty)
			return t;
		if (!best || (best->declaration && !t->declaration))
			best = t;
	}
	return best;
}

const struct scan_type *scan__type_by_path(const struct scan *sc, const char *path, size_t len)
{
	return scan__type_by_hash(sc, scan__hash_path(path, len), ~0ull);
}
