// SPDX-License-Identifier: GPL-2.0
/* Which runtimes an executable contains. See runtimes.h. */
#include "image/runtimes.h"

#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"

static void add(struct model *m, const char *name, bool followed)
{
	image_str text = model__str(m, name);
	uint32_t at = model__add(m, MODEL_RUNTIMES, 1);

	if (at != WALK_NONE)
		*(struct image_runtime *)model__at(m, MODEL_RUNTIMES, at) =
			(struct image_runtime){ .name = text, .followed = followed };
}

static bool has_fn(const struct model *m, unsigned int runtime)
{
	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++)
		if (((struct image_fn *)model__at(m, MODEL_FNS, (uint32_t)i))->runtime == runtime)
			return true;
	return false;
}

/* Functions that block on futures without a task may be in any program: in std, for example. */
static bool has_root(const struct model *m, unsigned int runtime)
{
	for (size_t i = 0; i < m->tables[MODEL_FNS].nr; i++) {
		const struct image_fn *fn = model__at(m, MODEL_FNS, (uint32_t)i);

		if (fn->runtime == runtime && fn->role == RUNTIME_FN_ROOT)
			return true;
	}
	return false;
}

static bool is_followed(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->tables[MODEL_RUNTIMES].nr; i++) {
		const struct image_runtime *r = model__at(m, MODEL_RUNTIMES, (uint32_t)i);

		if (r->followed && !strcmp(model__text(m, r->name), name))
			return true;
	}
	return false;
}

/* The form of "glib::main_context" in both mangling schemes: "4glib12main_context". */
static void mangle(const char *path, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (const char *p = path; *p && at < size;) {
		size_t len = strcspn(p, ":");

		at += (size_t)snprintf(out + at, size - at, "%zu%.*s", len, (int)len, p);
		p += len + strspn(p + len, ":");
	}
}

/*
 * Is @symbol a function of the crate itself? Legacy names begin with the crate, v0
 * names have it after a hash.
 */
static bool is_of(const char *symbol, const char *path, size_t len)
{
	const char *at = symbol;

	if (!strncmp(symbol, "_ZN", 3))
		return !strncmp(symbol + 3, path, len);
	if (strncmp(symbol, "_R", 2))
		return false;
	while ((at = strstr(at + 1, path)))
		if (at[-1] == '_' || at[-1] == 'C')
			return true;
	return false;
}

static bool has_symbol(const struct binary *b, const char *path)
{
	char mangled[128];
	size_t len;

	mangle(path, mangled, sizeof(mangled));
	len = strlen(mangled);
	for (size_t i = 0; i < b->nr_syms; i++)
		if (is_of(b->syms[i].name, mangled, len))
			return true;
	return false;
}

void runtimes__find(struct model *m, const struct binary *b)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->cell_type ? has_fn(m, r) : has_root(m, r))
			add(m, runtimes[r]->name, true);
	for (const struct runtime_other *o = other_runtimes; o->name; o++)
		if (!is_followed(m, o->name) && has_symbol(b, o->path))
			add(m, o->name, false);
}
