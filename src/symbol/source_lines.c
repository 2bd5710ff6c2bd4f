// SPDX-License-Identifier: GPL-2.0
/*
 * Functions and lines of addresses. See source_lines.h. DWARF is read by libdw, whose
 * own ways to an address are not used: .debug_aranges may be missing, and
 * dwarf_getscopes() walks through all of a unit at each question and does not look into
 * namespaces, where Rust has its functions. Here a unit is walked through once, for a
 * sorted list of its functions, and of a function only what is inlined into it.
 */
#include "symbol/source_lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "image/binary.h"
#include "image/names.h"
#include "symbol/debug_elf.h"
#include "symbol/places.h"

/* Real programs stay far below these. */
#define MAX_UNITS	(1u << 20)
#define MAX_NESTING	64		/* of namespaces; of blocks in a function: 256 */
#define MAX_SCOPES	256
#define MAX_ORIGINS	8		/* from an entry to the one that has its name */
/*
 * Bytes of debug information that all questions together may pass over, so that entries
 * that refer to the same ranges again and again come to an end: about ten seconds.
 */
#define BUDGET		(1ull << 31)

struct cu {
	Dwarf_Die	 lines;		/* the entry that the line table belongs to */
	Dwarf_Die	 tree;		/* what functions are below: the same, or in a .dwo */
	bool		 walked;	/* the lists are made */
	Dwarf_Die	*functions;
	size_t		 nr_functions, cap_functions;
	struct places	 code;		/* of the functions */
};

struct source_lines {
	/* the executable, the file with its debug information */
	struct debug_elf files[2];
	const struct debug_elf *dwarf_file;	/* the one that units come from; NULL: none */
	bool		 opened;
	bool		 no_memory;	/* once and for all: lists may lack something */
	uint64_t	 budget;

	struct cu	*units;
	size_t		 nr_units, cap_units;
	struct places	 unit_code;

	bool		 has_symbols;	/* symbols are read: when the first is wanted */
	const char	**symbols;
	size_t		 nr_symbols, cap_symbols;
	struct places	 symbol_code;

	/* Text that was made, by the address of what it was made from; that: it is as it was. */
	struct hash_table names, paths;
};

/* ---- places --------------------------------------------------------------- */

/* False: no memory. */
static bool source_lines__add(struct source_lines *s, struct places *p, struct place place)
{
	/* at 0 is code that the linker has thrown away */
	if (!place.low || place.high <= place.low)
		return true;
	if (array__room(&p->list, &p->cap, p->nr, sizeof(*p->list))) {
		s->no_memory = true;
		return false;
	}
	p->list[p->nr++] = place;
	return true;
}

/* ---- files ---------------------------------------------------------------- */

struct source_lines *source_lines__new(const char *exe, const char *debug)
{
	struct source_lines *s = calloc(1, sizeof(*s));
	bool two = *debug && strcmp(exe, debug);

	if (!s)
		return NULL;
	s->budget = BUDGET;
	s->files[0].fd = s->files[1].fd = -1;
	s->files[0].path = strdup(exe);
	s->files[1].path = two ? strdup(debug) : NULL;
	if (!s->files[0].path || (two && !s->files[1].path)) {
		source_lines__free(s);
		return NULL;
	}
	return s;
}

static void free_texts(struct hash_table *t)
{
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key && (uintptr_t)t->slots[i].ptr != t->slots[i].key)
			free(t->slots[i].ptr);
	hash_table__clear(t);
}

void source_lines__free(struct source_lines *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_units; i++) {
		free(s->units[i].functions);
		free(s->units[i].code.list);
	}
	free(s->units);
	free(s->unit_code.list);
	free(s->symbols);
	free(s->symbol_code.list);
	free_texts(&s->names);
	free_texts(&s->paths);
	for (size_t i = 0; i < 2; i++)
		debug_elf__close(&s->files[i]);
	free(s);
}

/* Where libdw's lack of memory leads: it would end the program. See source_lines__at(). */
static _Thread_local jmp_buf *out_of_memory;

static void __attribute__((noreturn)) leave(void)
{
	longjmp(*out_of_memory, 1);
}

/* ---- entries -------------------------------------------------------------- */

/*
 * The attributes that are asked for, of one entry. All of it is passed over, as only
 * that checks what libdw's dwarf_attr() does not: that a string ends within the unit.
 */
enum wanted {
	ATTR_NAME, ATTR_LINKAGE_NAME, ATTR_ORIGIN, ATTR_SPECIFICATION, ATTR_CALL_FILE,
	ATTR_CALL_LINE, ATTR_COMP_DIR, ATTR_DWO_NAME, ATTR_NR
};

struct attrs {
	Dwarf_Attribute	of[ATTR_NR];
	bool		has[ATTR_NR];
};

static enum wanted attr_of(unsigned int code)
{
	switch (code) {
	case DW_AT_name:
		return ATTR_NAME;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		return ATTR_LINKAGE_NAME;
	case DW_AT_abstract_origin:
		return ATTR_ORIGIN;
	case DW_AT_specification:
		return ATTR_SPECIFICATION;
	case DW_AT_call_file:
		return ATTR_CALL_FILE;
	case DW_AT_call_line:
		return ATTR_CALL_LINE;
	case DW_AT_comp_dir:
		return ATTR_COMP_DIR;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		return ATTR_DWO_NAME;
	default:
		return ATTR_NR;
	}
}

static int attrs__note(Dwarf_Attribute *attr, void *ctx)
{
	enum wanted which = attr_of(dwarf_whatattr(attr));
	struct attrs *a = ctx;

	if (which != ATTR_NR) {
		a->of[which] = *attr;
		a->has[which] = true;
	}
	return DWARF_CB_OK;
}

/* None, if the entry is damaged. */
static void attrs__read(struct attrs *a, Dwarf_Die *die)
{
	memset(a->has, 0, sizeof(a->has));
	if (dwarf_getattrs(die, attrs__note, a, 0) != 1)
		memset(a->has, 0, sizeof(a->has));
}

/* NULL: there is none. */
static const char *attrs__text(struct attrs *a, enum wanted which)
{
	const char *text = a->has[which] ? dwarf_formstring(&a->of[which]) : NULL;

	return text && *text ? text : NULL;
}

static Dwarf_Word attrs__number(struct attrs *a, enum wanted which)
{
	Dwarf_Word value;

	return a->has[which] && !dwarf_formudata(&a->of[which], &value) ? value : 0;
}

/* Make *@die the one behind it. False: it was the last, or all that may be read is. */
static bool source_lines__next(struct source_lines *s, Dwarf_Die *die)
{
	const char *from = die->addr;
	uint64_t passed;

	if (dwarf_siblingof(die, die))
		return false;
	passed = (uint64_t)((const char *)die->addr - from);
	s->budget -= passed < s->budget ? passed : s->budget;
	return s->budget;
}

/* Call @each with each range of @die's code, until it returns false. */
static void source_lines__ranges(struct source_lines *s, Dwarf_Die *die,
				 bool (*each)(void *ctx, uint64_t low, uint64_t high), void *ctx)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while (s->budget && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (!each(ctx, low, high))
			return;
		s->budget -= s->budget < 16 ? s->budget : 16;
	}
}

struct covered {
	uint64_t	vaddr;
	bool		is;
};

static bool look_at(void *ctx, uint64_t low, uint64_t high)
{
	struct covered *c = ctx;

	c->is = low <= c->vaddr && c->vaddr < high;
	return !c->is;
}

static bool source_lines__covers(struct source_lines *s, Dwarf_Die *die, uint64_t vaddr)
{
	struct covered c = { .vaddr = vaddr };

	source_lines__ranges(s, die, look_at, &c);
	return c.is;
}

/* ---- units and their functions -------------------------------------------- */

struct adding {
	struct source_lines	*s;
	struct places		*to;
	size_t			 what;
};

static bool add_range(void *ctx, uint64_t low, uint64_t high)
{
	struct adding *a = ctx;

	return source_lines__add(a->s, a->to, (struct place){ low, high, a->what });
}

/* Is @path a regular file, or nothing? At a pipe an open would wait. */
static bool opens(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode);
}

/*
 * May libdw look for @name of @dir, which may be NULL? It opens what debug information
 * names: relative names in the folder of the file itself, and before all a package of
 * split units that is called like the file.
 */
static bool elf__opens_split(const struct debug_elf *f, const char *dir, const char *name)
{
	char link[32], own[PATH_MAX], path[3 * PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
	n = readlink(link, own, sizeof(own) - 1);
	if (n <= 0 || own[0] != '/')
		return false;
	own[n] = '\0';
	snprintf(path, sizeof(path), "%s.dwp", own);
	if (!opens(path))
		return false;
	*strrchr(own, '/') = '\0';
	if (name[0] == '/')
		return opens(name);
	snprintf(path, sizeof(path), "%s/%s", own, name);
	if (!opens(path))
		return false;
	if (dir && dir[0] == '/')
		snprintf(path, sizeof(path), "%s/%s", dir, name);
	else if (dir)
		snprintf(path, sizeof(path), "%s/%s/%s", own, dir, name);
	return opens(path);
}

/* The unit's other half, if it has one: debug information that was left in a .dwo. */
static void cu__find_split(const struct debug_elf *f, struct cu *u)
{
	uint8_t type = 0;
	struct attrs a;
	const char *name;
	Dwarf_Die split;

	attrs__read(&a, &u->lines);
	name = attrs__text(&a, ATTR_DWO_NAME);
	if (!name || !elf__opens_split(f, attrs__text(&a, ATTR_COMP_DIR), name))
		return;
	memset(&split, 0, sizeof(split));
	if (!dwarf_cu_info(u->lines.cu, NULL, &type, NULL, &split, NULL, NULL, NULL) &&
	    split.addr) {
		dwarf_new_oom_handler(dwarf_cu_getdwarf(split.cu), leave);
		u->tree = split;
	}
}

static void source_lines__list_units(struct source_lines *s, const struct debug_elf *f)
{
	uint8_t type;
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	s->dwarf_file = f;
	while (s->budget && s->nr_units < MAX_UNITS &&
	       !dwarf_get_units(f->dwarf, cu, &cu, NULL, &type, &die, NULL)) {
		struct adding to = { s, &s->unit_code, s->nr_units };

		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (array__room(&s->units, &s->cap_units, s->nr_units, sizeof(*s->units))) {
			s->no_memory = true;
			return;
		}
		s->units[s->nr_units++] = (struct cu){ .lines = die, .tree = die };
		source_lines__ranges(s, &die, add_range, &to);
	}
	places__finish(&s->unit_code);
}

static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module;
}

/* @die and those behind it, and below if they are namespaces. */
static void source_lines__list_functions(struct source_lines *s, struct cu *u, Dwarf_Die die,
					 unsigned int depth)
{
	Dwarf_Die below;

	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram) {
			struct adding to = { s, &u->code, u->nr_functions };
			size_t before = u->code.nr;

			if (array__room(&u->functions, &u->cap_functions, u->nr_functions,
					sizeof(*u->functions))) {
				s->no_memory = true;
				return;
			}
			source_lines__ranges(s, &die, add_range, &to);
			if (u->code.nr > before)
				u->functions[u->nr_functions++] = die;
		} else if (holds_functions(tag) && depth < MAX_NESTING &&
			   !dwarf_child(&die, &below)) {
			source_lines__list_functions(s, u, below, depth + 1);
		}
	} while (!s->no_memory && source_lines__next(s, &die));
}

static struct cu *source_lines__cu(struct source_lines *s, uint64_t vaddr)
{
	size_t i = places__at(&s->unit_code, vaddr);
	struct cu *u = i == NOWHERE ? NULL : &s->units[i];
	Dwarf_Die first;

	if (!u || u->walked)
		return u;
	u->walked = true;
	cu__find_split(s->dwarf_file, u);
	if (!dwarf_child(&u->tree, &first))
		source_lines__list_functions(s, u, first, 0);
	places__finish(&u->code);
	return u;
}

/* ---- symbols -------------------------------------------------------------- */

static void source_lines__read_table(struct source_lines *s, Elf *elf, Elf_Scn *scn)
{
	Elf_Data *data;
	GElf_Shdr shdr;
	const char *name;
	GElf_Sym sym;

	if (!gelf_getshdr(scn, &shdr) ||
	    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM))
		return;
	data = elf_getdata(scn, NULL);
	for (int i = 0; data && gelf_getsym(data, i, &sym) && !s->no_memory; i++) {
		int type = GELF_ST_TYPE(sym.st_info);

		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, shdr.sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		if (array__room(&s->symbols, &s->cap_symbols, s->nr_symbols, sizeof(*s->symbols))) {
			s->no_memory = true;
			return;
		}
		source_lines__add(s, &s->symbol_code,
				  (struct place){ sym.st_value, sym.st_value + sym.st_size,
						  s->nr_symbols });
		s->symbols[s->nr_symbols++] = name;
	}
}

/* The function symbol that @vaddr is in; NULL: none. */
static const char *source_lines__symbol(struct source_lines *s, uint64_t vaddr)
{
	size_t i;

	for (i = 0; !s->has_symbols && i < 2; i++)
		for (Elf_Scn *scn = NULL; s->files[i].elf &&
					  (scn = elf_nextscn(s->files[i].elf, scn));)
			source_lines__read_table(s, s->files[i].elf, scn);
	if (!s->has_symbols)
		places__finish(&s->symbol_code);
	s->has_symbols = true;
	i = places__at(&s->symbol_code, vaddr);
	return i == NOWHERE ? NULL : s->symbols[i];
}

/* ---- names ---------------------------------------------------------------- */

/* Take "::{closure#0}", "::{{closure}}" and their kin out of @text. */
static void drop_bodies(char *text)
{
	unsigned int depth = 0;
	size_t n = 0;

	for (const char *c = text; *c; c++) {
		if (!depth && n && !strncmp(c, "::{", 3))
			c += 2;
		else if (!depth) {
			text[n++] = *c;
			continue;
		}
		depth += *c == '{';
		depth -= *c == '}';
	}
	text[n] = '\0';
}

/* A mangled name of Rust's as the source has it; NULL: it is none, or no memory. */
static const char *source_lines__demangled(struct source_lines *s, const char *mangled)
{
	struct hash_slot *slot = hash_table__at(&s->names, (uintptr_t)mangled);

	if (!slot) {
		s->no_memory = true;
		return NULL;
	}
	if (!slot->ptr) {
		slot->ptr = name__of_symbol(mangled, NULL);
		if (slot->ptr)
			drop_bodies(slot->ptr);
		else
			slot->ptr = (void *)mangled;	/* its own address: that it is none */
	}
	return slot->ptr == mangled ? NULL : slot->ptr;
}

/* What is displayed for a symbol of any language. */
static const char *source_lines__spelled(struct source_lines *s, const char *symbol)
{
	const char *text = symbol ? source_lines__demangled(s, symbol) : NULL;

	return text ? text : symbol ? symbol : "";
}

/* An entry's own name, which has generics in Rust: "write<u8>"; in C++ '<' may be an operator. */
static const char *source_lines__own_name(struct source_lines *s, struct cu *u, const char *name)
{
	struct hash_slot *slot;

	if (dwarf_srclang(&u->lines) != DW_LANG_Rust || !strchr(name, '<'))
		return name;
	slot = hash_table__at(&s->names, (uintptr_t)name);
	if (slot && !slot->ptr)
		slot->ptr = name__plain(name);
	if (!slot || !slot->ptr) {
		s->no_memory = true;
		return "";
	}
	return slot->ptr;
}

/*
 * The name of the function that @die is, or is a copy of; @symbol, or NULL: that of the
 * ELF symbol there. In Rust a linkage name tells the whole path, and where debug
 * information is cut down to lines the symbol still does; in C there is the name alone.
 */
static const char *source_lines__function(struct source_lines *s, struct cu *u, Dwarf_Die *die,
					  const char *symbol)
{
	const char *name = NULL, *linkage = NULL, *text;
	Dwarf_Die at = *die;

	for (unsigned int hops = 0; hops < MAX_ORIGINS && !linkage; hops++) {
		struct attrs a;
		enum wanted to;

		attrs__read(&a, &at);
		linkage = attrs__text(&a, ATTR_LINKAGE_NAME);
		name = name ? name : attrs__text(&a, ATTR_NAME);
		to = a.has[ATTR_ORIGIN] ? ATTR_ORIGIN : ATTR_SPECIFICATION;
		if (!a.has[to] || !dwarf_formref_die(&a.of[to], &at))
			break;
	}
	if (!linkage)
		linkage = symbol;
	text = linkage ? source_lines__demangled(s, linkage) : NULL;
	if (text)
		return text;
	return name ? source_lines__own_name(s, u, name) : source_lines__spelled(s, linkage);
}

/* ---- questions ------------------------------------------------------------ */

/*
 * What libdw calls a file of @u: "???" if it has no name, and where its folder is told
 * from the folder of compilation, that is still to be put before.
 */
static const char *source_lines__path(struct source_lines *s, struct cu *u, const char *path)
{
	struct hash_slot *slot;
	struct attrs a;
	const char *dir;
	char *joined;

	if (!path || !strcmp(path, "???"))
		return "";
	if (path[0] == '/')
		return path;
	slot = hash_table__at(&s->paths, (uintptr_t)path);
	if (slot && !slot->ptr) {
		attrs__read(&a, &u->lines);
		dir = attrs__text(&a, ATTR_COMP_DIR);
		slot->ptr = (void *)path;
		if (dir && asprintf(&joined, "%s/%s", dir, path) >= 0)
			slot->ptr = joined;
		else if (dir)
			s->no_memory = true;
	}
	if (!slot)
		s->no_memory = true;
	return slot ? slot->ptr : "";
}

static uint32_t line_of(uint64_t line)
{
	return line <= UINT32_MAX ? (uint32_t)line : 0;
}

/* The line of the code at @vaddr. False: not known. */
static bool source_lines__line(struct source_lines *s, struct cu *u, uint64_t vaddr,
			       struct source_frame *f)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->lines, vaddr);
	int nr = 0;

	if (!line || dwarf_lineno(line, &nr))
		return false;
	f->path = source_lines__path(s, u, dwarf_linesrc(line, NULL, NULL));
	f->line = nr > 0 ? (uint32_t)nr : 0;
	return true;
}

/* Where the inlined @die is called. */
static void source_lines__call(struct source_lines *s, struct cu *u, Dwarf_Die *die,
			       struct source_frame *f)
{
	Dwarf_Files *files;
	struct attrs a;
	size_t nr;

	attrs__read(&a, die);
	f->line = line_of(attrs__number(&a, ATTR_CALL_LINE));
	if (a.has[ATTR_CALL_FILE] && !dwarf_getsrcfiles(&u->lines, &files, &nr))
		f->path = source_lines__path(s, u,
					     dwarf_filesrc(files, attrs__number(&a, ATTR_CALL_FILE),
							   NULL, NULL));
}

static bool is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* Make *@die, the first entry below another, the one that @vaddr is in. False: none is. */
static bool source_lines__scope(struct source_lines *s, Dwarf_Die *die, uint64_t vaddr)
{
	do {
		if (is_scope(dwarf_tag(die)) && source_lines__covers(s, die, vaddr))
			return true;
	} while (source_lines__next(s, die));
	return false;
}

/* @chain: the function, and what is inlined there, each into the one before. Its length. */
static size_t source_lines__chain(struct source_lines *s, const Dwarf_Die *function, uint64_t vaddr,
				  Dwarf_Die chain[MAX_SCOPES])
{
	Dwarf_Die at = *function, below;
	size_t nr = 0;

	chain[nr++] = at;
	for (unsigned int depth = 1; depth < MAX_SCOPES; depth++) {
		if (dwarf_child(&at, &below) || !source_lines__scope(s, &below, vaddr))
			break;
		at = below;
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
			chain[nr++] = at;
	}
	return nr;
}

static int source_lines__frames(struct source_lines *s, uint64_t vaddr, struct source_frame *out,
				int max)
{
	const char *symbol = source_lines__symbol(s, vaddr);
	struct cu *u = source_lines__cu(s, vaddr);
	size_t function = u ? places__at(&u->code, vaddr) : NOWHERE;
	Dwarf_Die chain[MAX_SCOPES];
	bool has_line;
	size_t nr;

	for (int i = 0; i < max; i++)
		out[i] = (struct source_frame){ .function = "", .path = "" };
	has_line = u && source_lines__line(s, u, vaddr, &out[0]);
	if (function == NOWHERE) {
		out[0].function = source_lines__spelled(s, symbol);
		return symbol || has_line;
	}
	nr = source_lines__chain(s, &u->functions[function], vaddr, chain);
	for (int i = 0; i < max && (size_t)i < nr; i++) {
		Dwarf_Die *die = &chain[nr - 1 - (size_t)i];

		if (i)
			source_lines__call(s, u, die + 1, &out[i]);
		out[i].function = source_lines__function(s, u, die, die == chain ? symbol : NULL);
	}
	return nr < (size_t)max ? (int)nr : max;
}

/*
 * Has the file with the debug information become another one? It was found when the model was
 * made, which may be long ago.
 */
static bool source_lines__clash(struct source_lines *s)
{
	char ids[2][2 * BINARY_BUILD_ID_MAX + 1];

	for (size_t i = 0; i < 2; i++) {
		if (!s->files[i].elf)
			return false;
		s->no_memory |= elf__build_id(s->files[i].elf, ids[i]) == -ENOMEM;
	}
	return !s->no_memory && *ids[0] && *ids[1] && strcmp(ids[0], ids[1]);
}

static void source_lines__open(struct source_lines *s)
{
	s->opened = true;
	elf_version(EV_CURRENT);
	for (size_t i = 0; i < 2; i++) {
		errno = 0;
		debug_elf__open(&s->files[i], leave);
		s->no_memory |= errno == ENOMEM;
	}
	if (source_lines__clash(s)) {
		debug_elf__close(&s->files[1]);
		s->files[1] = (struct debug_elf){ .fd = -1 };
	}
	for (int i = 1; i >= 0 && !s->nr_units; i--)
		if (s->files[i].dwarf)
			source_lines__list_units(s, &s->files[i]);
}

/* On its own: setjmp and the caller's variables do not mix. */
static __attribute__((noinline)) int source_lines__try(struct source_lines *s, uint64_t vaddr,
						       struct source_frame *out, int max)
{
	jmp_buf here;
	int nr;

	out_of_memory = &here;
	if (setjmp(here)) {
		s->no_memory = true;
		return -ENOMEM;
	}
	if (!s->opened)
		source_lines__open(s);
	nr = source_lines__frames(s, vaddr, out, max);
	out_of_memory = NULL;
	return nr;
}

int source_lines__at(struct source_lines *s, uint64_t vaddr, struct source_frame *out, int max)
{
	int nr;

	if (s->no_memory)
		return -ENOMEM;
	if (max <= 0)
		return 0;
	/* The libraries tell lack of memory by errno alone: else there just is nothing. */
	names__no_memory();
	errno = 0;
	nr = source_lines__try(s, vaddr, out, max);
	if (errno == ENOMEM || names__no_memory())
		s->no_memory = true;
	return s->no_memory ? -ENOMEM : nr;
}
