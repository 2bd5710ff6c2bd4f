/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the runtimes' thread-local variables. See tls.h. */
#include "image/tls.h"

#include <errno.h>
#include <string.h>

#include "runtime/runtime.h"

/*
 * The offset of the program's thread-local block from the thread pointer (x86-64 ABI,
 * variant II: the block ends at the thread pointer). It is rounded as in glibc and
 * musl, so that the block is aligned like its segment. 0: there is none.
 */
static int64_t block_off(const struct binary *b)
{
	size_t nr;

	if (elf_getphdrnum(b->elf, &nr))
		return 0;
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;
		uint64_t mask;

		if (!gelf_getphdr(b->elf, (int)i, &ph) || ph.p_type != PT_TLS)
			continue;
		mask = ph.p_align ? ph.p_align - 1 : 0;
		if (ph.p_memsz > INT32_MAX || mask > INT32_MAX || (mask & (mask + 1)))
			return 0;
		return -(int64_t)(ph.p_memsz + ((-ph.p_memsz - ph.p_vaddr) & mask));
	}
	return 0;
}

struct search {
	struct model	*m;
	int64_t		 block;		/* offset from the thread pointer */
};

/*
 * In both mangling schemes, a name contains the components of its path in sequence,
 * each with its length.
 */
static int runtime_of(const char *name)
{
	for (int r = 0; runtimes[r]; r++)
		if (runtimes[r]->context_symbol && strstr(name, runtimes[r]->context_symbol))
			return r;
	return -1;
}

static int add(void *ctx, const GElf_Sym *sym, const char *name)
{
	const struct search *s = ctx;
	int runtime = runtime_of(name);
	uint32_t at;

	if (sym->st_value > INT32_MAX || runtime < 0)
		return 0;
	at = model__add(s->m, MODEL_TLS, 1);
	if (at == WALK_NONE)
		return -ENOMEM;
	*(struct image_tls *)model__at(s->m, MODEL_TLS, at) = (struct image_tls){
		.runtime = (uint32_t)runtime,
		.off = s->block + (int64_t)sym->st_value, .size = sym->st_size };
	return 0;
}

int tls__find(struct model *m, const struct binary *b, Elf *symbols)
{
	struct search s = { .m = m, .block = block_off(b) };

	return s.block ? elf__symbols(symbols, STT_TLS, add, &s) : 0;
}
