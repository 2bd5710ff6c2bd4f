// SPDX-License-Identifier: GPL-2.0
/* Names as in the source. See names.h. It must not know layouts or runtimes. */
#include "image/names.h"

#if __has_include(<libiberty/demangle.h>)
#include <libiberty/demangle.h>
#else
#include <demangle.h>
#endif
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/text_file.h"
#include "base/array.h"

#define MAX_TEXT	(1u << 18)	/* of a name: short symbols can stand for long ones */

/* What a namespace {impl#N} is an implementation of. */
struct impl {
	const struct scope	*scope;
	char			*self;
};

struct rust_names {
	const struct types	*ts;
	struct impl		*impls;		/* sorted by hash of the scope */
	size_t			 nr, cap;
};

/*
 * Set if there was no memory in this thread, until somebody asks: NULL has another
 * meaning too.
 */
static _Thread_local bool no_memory;

bool names__no_memory(void)
{
	bool was = no_memory;

	no_memory = false;
	return was;
}

static char *got(char *p)
{
	if (!p)
		no_memory = true;
	return p;
}

/* ---- text ---- */

static size_t skip_generics(const char *s)
{
	size_t depth = 0, i;

	for (i = 0; s[i]; i++) {
		if (s[i] == '<') {
			depth++;
		} else if (s[i] == '>' && (!i || s[i - 1] != '-')) {
			if (depth)
				depth--;
			if (!depth)
				return i + 1;
		}
	}
	return i;
}

char *name__plain(const char *name)
{
	char *out = got(malloc(strlen(name) + 1));
	size_t n = 0;

	if (!out)
		return NULL;
	while (*name) {
		/* "<a::B as c::D>::e": the name begins with the type itself */
		if (*name == '<' && n) {
			name += skip_generics(name);
			if (n >= 2 && !strncmp(out + n - 2, "::", 2) &&
			    (!*name || !strncmp(name, "::", 2)))
				n -= 2;		/* turbofish */
			continue;
		}
		out[n++] = *name++;
	}
	out[n] = 0;
	return out;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '#' || (c & 0x80);
}

/*
 * Writes the @len bytes of @s with each path reduced to its last word. For a coroutine
 * or closure in braces, the name of the function that contains it is written.
 */
static void put_last_words(FILE *out, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t word = i, word_len = 0, at = i;

		while (at < len && (is_word(s[at]) || s[at] == '{')) {
			size_t from = at;

			if (s[at] == '{') {
				while (at < len && s[at] != '}')
					at++;
				at += at < len;
			} else {
				while (at < len && is_word(s[at]))
					at++;
				word = from;
				word_len = at - from;
			}
			if (at + 1 < len && s[at] == ':' && s[at + 1] == ':' && at + 2 < len &&
			    (is_word(s[at + 2]) || s[at + 2] == '{'))
				at += 2;
			else
				break;
		}
		if (at == i) {
			fputc(s[i++], out);
			continue;
		}
		if (word_len)
			fwrite(s + word, 1, word_len, out);
		else
			fwrite(s + i, 1, at - i, out);
		i = at;
	}
}

#define SHORT_NAME	96	/* bytes; nested generics may be kilobytes long */

/* Replaces generics deeper than @keep levels by "<…>". */
static void elide(char *name, size_t keep)
{
	static const char gap[] = "<…>";
	size_t depth = 0, n = 0;

	for (size_t i = 0; name[i]; i++) {
		size_t len = name[i] == '<' ? skip_generics(name + i) : 0;

		if (len > sizeof(gap) - 1 && depth == keep) {
			memcpy(name + n, gap, sizeof(gap) - 1);
			n += sizeof(gap) - 1;
			i += len - 1;
			continue;
		}
		if (name[i] == '<')
			depth++;
		else if (name[i] == '>' && (!i || name[i - 1] != '-') && depth)
			depth--;
		name[n++] = name[i];
	}
	name[n] = 0;
}

char *name__shorten(const char *name, bool last)
{
	size_t generics = strcspn(name, "<");
	struct text_file t;
	FILE *out = text_file__open(&t);
	char *text;

	if (!out)
		return got(NULL);
	if (!generics)		/* "<T as Trait>::f" */
		generics = strlen(name);
	if (last)
		put_last_words(out, name, generics);
	else
		fwrite(name, 1, generics, out);
	put_last_words(out, name + generics, strlen(name + generics));
	text = got(text_file__close(&t));
	for (size_t keep = 2; text && keep-- > 0 && strlen(text) > SHORT_NAME;)
		elide(text, keep);
	return text;
}

/*
 * Splits a path at each "::" outside of brackets. @starts and @lens get @max components
 * at most, without their generics ("::<u8>"). Returns the number of components.
 */
static size_t split_path(const char *path, const char **starts, size_t *lens, size_t max)
{
	size_t nr = 0, depth = 0, start = 0, i;

	for (i = 0;; i++) {
		char c = path[i];

		if (!c || (!depth && c == ':' && path[i + 1] == ':')) {
			if (i > start && !(nr && path[start] == '<') && nr < max) {
				starts[nr] = path + start;
				lens[nr++] = i - start;
			}
			if (!c)
				return nr;
			start = i + 2;
			i++;
		} else if (strchr("<({[", c)) {
			depth++;
		} else if (c == '>' ? i && path[i - 1] != '-' : c == ')' || c == '}' || c == ']') {
			if (depth)
				depth--;
		}
	}
}

struct demangled {
	char	*text;
	size_t	 len, cap;
	jmp_buf	 stop;
};

static void demangled__put(const char *s, size_t n, void *ctx)
{
	struct demangled *d = ctx;

	/* back references double the text repeatedly, so the length has to be limited here */
	if (n >= MAX_TEXT - d->len)
		longjmp(d->stop, 1);
	while (d->len + n >= d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 256;
		char *grown = got(realloc(d->text, cap));

		if (!grown)
			longjmp(d->stop, 1);
		d->text = grown;
		d->cap = cap;
	}
	if (n)
		memcpy(d->text + d->len, s, n);
	d->len += n;
	d->text[d->len] = 0;
}

/* A function of its own, because setjmp invalidates the caller's variables. */
static __attribute__((noinline)) bool demangled__run(struct demangled *d, const char *mangled)
{
	if (setjmp(d->stop))
		return false;
	/* verbose would keep the hash */
	return rust_demangle_callback(mangled, 0, demangled__put, d);
}

static char *demangle(const char *mangled)
{
	const char *llvm = strstr(mangled, ".llvm.");
	char *base = llvm ? got(strndup(mangled, (size_t)(llvm - mangled))) : NULL;
	struct demangled d = { .text = NULL };

	if ((llvm && !base) || !demangled__run(&d, base ? base : mangled)) {
		free(d.text);
		d.text = NULL;
	}
	free(base);
	return d.text;
}

/* "<a::B<T>>::c" and "<a::B<T> as d::E>::c" become a::B<T>::c. */
static char *unwrap_self(const char *text)
{
	size_t end = skip_generics(text), depth = 0;
	const char *as = NULL;
	char *out;

	if (text[0] != '<')
		return got(strdup(text));
	for (size_t i = 1; i + 1 < end; i++) {
		if (text[i] == '<')
			depth++;
		else if (text[i] == '>' && text[i - 1] != '-' && depth)
			depth--;
		else if (!depth && !strncmp(text + i, " as ", 4) && !as)
			as = text + i;
	}
	if (asprintf(&out, "%.*s%s", (int)((as ? as : text + end - 1) - text - 1), text + 1,
		     text + end) < 0)
		return got(NULL);
	return out;
}

char *name__of_symbol(const char *mangled, char **generics)
{
	char *text = demangle(mangled), *plain, *inner;
	const char *open;

	if (generics)
		*generics = NULL;
	if (!text)
		return NULL;
	open = strrchr(text, '>');
	if (generics && open && !open[1]) {
		/* the last generics are those at the end of the text */
		size_t depth = 0, i = (size_t)(open - text) + 1;

		while (i-- > 0) {
			if (text[i] == '>' && (!i || text[i - 1] != '-'))
				depth++;
			else if (text[i] == '<' && !--depth)
				break;
		}
		if (i && i != (size_t)-1)
			*generics = got(strndup(text + i + 1, (size_t)(open - text) - i - 1));
	}
	inner = unwrap_self(text);
	free(text);
	if (!inner)
		return NULL;
	text = inner;
	plain = name__plain(text);
	free(text);
	return plain;
}

char *name__generic(const char *generics, unsigned int nr)
{
	const char *from = generics, *end;
	size_t depth = 0, n = 0;
	char *one, *text;

	for (end = generics; *end; end++) {
		if (!depth && *end == ',') {
			if (!nr)
				break;
			nr--;
			from = end + 1 + strspn(end + 1, " ");
		} else if (strchr("<({[", *end)) {
			depth++;
		} else if (*end == '>' ? end > generics && end[-1] != '-' :
					 strchr(")}]", *end) != NULL) {
			depth -= depth > 0;
		}
	}
	if (nr || end <= from)
		return NULL;
	one = got(strndup(from, (size_t)(end - from)));
	text = one ? unwrap_self(one) : NULL;
	free(one);
	/* a body is named by its function; debug information has no "::<" */
	for (const char *s = text; s && *s;) {
		if (!strncmp(s, "::{", 3) && strchr(s, '}')) {
			s = strchr(s, '}');
			s += strspn(s, "}");
		} else if (!strncmp(s, "::<", 3)) {
			s += 2;
		} else {
			text[n++] = *s++;
		}
	}
	if (text)
		text[n] = 0;
	return text;
}

char *name__argument(const char *mangled, const char *word)
{
	char *text = demangle(mangled), *at = text, *found = NULL;
	size_t len = strlen(word);

	while (at && (at = strstr(at, word))) {
		bool whole = at == text || !is_word(at[-1]);

		at += len;
		if (whole && *at == '<') {
			size_t n = skip_generics(at);

			if (n > 2 && at[n - 1] == '>')
				found = got(strndup(at + 1, n - 2));
			break;
		}
	}
	free(text);
	return found;
}

bool name__is_coroutine(const char *name)
{
	static const char *const kinds[] = {
		"{async_fn_env#", "{async_block_env#", "{async_closure_env#", "{gen_fn_env#",
		"{gen_block_env#", "{gen_closure_env#", "{async_gen_fn_env#",
		"{async_gen_block_env#", "{async_gen_closure_env#", "{coroutine_env#",
	};

	if (name[0] != '{')
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(name, kinds[i], strlen(kinds[i])))
			return true;
	return false;
}

bool name__is_polled_trait(const char *name)
{
	static const char *const traits[] = { "Future", "Stream" };	/* and FusedFuture, … */
	size_t len = strcspn(name, "<> +)");

	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
		size_t n = strlen(traits[i]);

		if (len >= n && !strncmp(name + len - n, traits[i], n))
			return true;
	}
	return false;
}

bool name__is_closure(const char *name)
{
	return !strncmp(name, "{closure_env#", 13);
}

bool name__is_below(const char *name, const char *path)
{
	size_t len = strlen(path);

	name += strspn(name, "<&(");
	return !strncmp(name, path, len) && (!name[len] || !strncmp(name + len, "::", 2));
}

bool name__is_below_any(const char *name, const char *paths)
{
	size_t len;

	for (; paths && *paths; paths += len + (paths[len] == '|')) {
		char path[64];

		len = strcspn(paths, "|");
		snprintf(path, sizeof(path), "%.*s", (int)len, paths);
		if (name__is_below(name, path))
			return true;
	}
	return false;
}

/* Does @type ("ReadExact") only repeat @module ("read_exact")? */
static bool says_again(const char *module, size_t len, const char *type)
{
	for (size_t i = 0; i < len; i++) {
		if (module[i] == '_')
			continue;
		if ((*type | 0x20) != (module[i] | 0x20))
			return false;
		type++;
	}
	return true;
}

char *name__frame(const char *name, bool coroutine, bool own)
{
	char *text, *plain, *last;

	if (coroutine)
		return name__shorten(name, false);
	plain = name__plain(name);
	if (!plain || !own)
		return plain;
	last = strrchr(plain, ':');
	if (last) {
		char *module = last - 1;

		while (module > plain && module[-1] != ':')
			module--;
		text = got(strdup(says_again(module, (size_t)(last - 1 - module), last + 1) ?
				  last + 1 : module));
		free(plain);
		return text;
	}
	return plain;
}

char *name__closure_frame(const char *name, bool own)
{
	char *function = name__shorten(name, false), *text = NULL;

	if (!function || own)
		return function;
	if (asprintf(&text, "%s::{closure}", function) < 0)
		text = NULL;
	free(function);
	return text;
}

char *name__block(const char *name, struct source_line at)
{
	size_t len = strcspn(name, "#");
	char word[32], *text;
	const char *base;

	if (name[0] != '{' || len < 5 || len >= sizeof(word) || !at.path || !at.line ||
	    strncmp(name + len - 4, "_env", 4))
		return NULL;
	snprintf(word, sizeof(word), "%.*s", (int)len - 5, name + 1);
	if (!strcmp(word, "async_fn") || !strcmp(word, "gen_fn") || !strcmp(word, "async_gen_fn"))
		return NULL;
	for (char *c = word; *c; c++)
		if (*c == '_')
			*c = ' ';
	base = strrchr(at.path, '/');
	return got(asprintf(&text, "{%s %s:%u}", word, base ? base + 1 : at.path, at.line) < 0 ?
		   NULL : text);
}

/* ---- implementations ---- */

static bool scope__is_impl(const struct scope *s)
{
	return !strncmp(s->name, "{impl#", 6);
}

static int impl__cmp(const void *a, const void *b)
{
	const struct impl *x = a, *y = b;

	return x->scope->hash < y->scope->hash ? -1 : x->scope->hash > y->scope->hash;
}

/* A function's symbol contains the type that {impl#N} stands for. */
static int rust_names__learn(struct rust_names *n, const struct scan_fn *fn)
{
	const char *starts[64];
	size_t lens[64], nr, below = 1;
	const struct scope *s;
	char *text, *self;

	for (s = fn->scope; s && !scope__is_impl(s); s = s->parent)
		below++;
	if (!s || !fn->linkage)
		return 0;
	text = demangle(fn->linkage);
	if (!text)
		return 0;
	nr = split_path(text, starts, lens, 64);
	if (nr <= below) {
		free(text);
		return 0;
	}
	nr -= below;
	if (starts[0][0] == '<' && nr == 1) {
		const char *end = starts[0] + lens[0] - 1, *as = NULL;
		size_t depth = 0;

		for (const char *p = starts[0] + 1; p < end && !as; p++) {
			if (*p == '<')
				depth++;
			else if (*p == '>' && p[-1] != '-' && depth)
				depth--;
			else if (!depth && !strncmp(p, " as ", 4))
				as = p;
		}
		/* "<F as axum::handler::Handler<T, S>>::call": the trait says more than F */
		if (as && !memmem(starts[0] + 1, (size_t)(as - starts[0] - 1), "::", 2))
			self = strndup(as + 4, (size_t)(end - as - 4));
		else
			self = strndup(starts[0] + 1, (size_t)((as ? as : end) - starts[0] - 1));
	} else {
		self = strndup(text, (size_t)(starts[nr - 1] + lens[nr - 1] - text));
	}
	free(text);
	if (self) {
		/* Receiver<T>: one implementation for all T */
		text = name__plain(self);
		free(self);
		self = text;
	}
	if (!self || array__room(&n->impls, &n->cap, n->nr, sizeof(*n->impls))) {
		free(self);
		return -ENOMEM;
	}
	n->impls[n->nr++] = (struct impl){ s, self };
	return 0;
}

struct rust_names *rust_names__new(const struct types *ts)
{
	struct rust_names *n = calloc(1, sizeof(*n));
	const struct scope *last = NULL;

	if (!n)
		return NULL;
	n->ts = ts;
	for (size_t i = 0; i < ts->sc->nr_fns; i++) {
		const struct scan_fn *fn = &ts->sc->fns[i];

		/* bodies of one function often follow each other */
		if (fn->scope == last && last)
			continue;
		if (rust_names__learn(n, fn)) {
			rust_names__free(n);
			return NULL;
		}
		last = fn->linkage ? fn->scope : NULL;
	}
	if (n->nr)
		qsort(n->impls, n->nr, sizeof(*n->impls), impl__cmp);
	return n;
}

void rust_names__free(struct rust_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nr; i++)
		free(n->impls[i].self);
	free(n->impls);
	free(n);
}

static const char *rust_names__self(const struct rust_names *n, const struct scope *s)
{
	size_t lo = BISECT(n->nr, k, n->impls[k].scope->hash < s->hash);
	return lo < n->nr && n->impls[lo].scope->hash == s->hash ? n->impls[lo].self : NULL;
}

static void put_scope(const struct rust_names *n, FILE *out, const struct scope *s)
{
	const char *self;

	if (!s)
		return;
	if (scope__is_impl(s)) {
		self = rust_names__self(n, s);
		if (self) {
			fputs(self, out);
			return;
		}
	} else if (s->name[0] == '{') {
		/* a block or closure is named by what contains it */
		put_scope(n, out, s->parent);
		return;
	}
	put_scope(n, out, s->parent);
	if (s->parent)
		fputs("::", out);
	fputs(s->name, out);
}

char *rust_names__type(struct rust_names *n, const struct die *d)
{
	const struct scan_type *t = scan__type_at(n->ts->sc, d->p);
	const char *name = t ? t->name : type__name(d);
	const struct scope *scope = t ? t->scope : NULL;
	struct text_file text;
	FILE *out = text_file__open(&text);

	if (!out)
		return got(NULL);
	put_scope(n, out, scope);
	if (name[0] == '{') {
		const char *generics = strchr(name, '}');

		if (!scope)
			fputs(name, out);
		else if (generics)
			fputs(generics + 1, out);
	} else {
		if (scope)
			fputs("::", out);
		fputs(name, out);
	}
	return got(text_file__close(&text));
}
