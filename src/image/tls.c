/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runtime's thread-local variables. See tls.h.
 */
#include "image/tls.h"

#include <errno.h>
#include <string.h>

#include "runtime/runtime.h"

/*
 * Offset of the program's thread-local block from the thread pointer (x86-64
 * ABI: variant II, the program's block ends at it). Rounded as glibc and musl
 * do it, so that the block is as aligned as its segment. 0: there is none.
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

static int add(struct model *m, int64_t off, uint64_t size)
{
	uint32_t at = model__add(m, MODEL_TLS, 1);

	if (at == WALK_NONE)
		return -ENOMEM;
	*(struct image_tls *)model__at(m, MODEL_TLS, at) = (struct image_tls){ off, size };
	return 0;
}

/* Mangled names of either scheme hold a path's parts with their lengths, one behind the other. */
static bool wanted(const char *name)
{
	for (unsigned int r = 0; runtimes[r]; r++)
		if (runtimes[r]->context_symbol && strstr(name, runtimes[r]->context_symbol))
			return true;
	return false;
}

int tls__find(struct model *m, const struct binary *b, Elf *symbols)
{
	int64_t base = block_off(b);
	Elf_Scn *scn = NULL;

	while (base && (scn = elf_nextscn(symbols, scn))) {
		GElf_Shdr shdr;
		Elf_Data *data;
		size_t count;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		count = data ? data->d_size / sizeof(GElf_Sym) : 0;
		for (size_t i = 0; i < count; i++) {
			const char *name;
			GElf_Sym sym;

			if (!gelf_getsym(data, (int)i, &sym) ||
			    GELF_ST_TYPE(sym.st_info) != STT_TLS || sym.st_shndx == SHN_UNDEF ||
			    sym.st_value > INT32_MAX)
				continue;
			name = elf_strptr(symbols, shdr.sh_link, sym.st_name);
			if (!name || !wanted(name))
				continue;
			if (add(m, base + (int64_t)sym.st_value, sym.st_size))
				return -ENOMEM;
		}
	}
	return 0;
}
