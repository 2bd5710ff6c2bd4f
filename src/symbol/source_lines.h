/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From an address in the code of a program to the functions that it is in, inlined
 * ones included, each with its line of the source: by debug information, which libdw
 * reads, and where that says nothing by the ELF symbols.
 *
 *	struct source_lines *s = source_lines__new("/proc/42/exe", debug);
 *	int nr = source_lines__at(s, return_address - 1, frames, 32);
 *
 *	for (int i = 0; i < nr; i++)
 *		printf("%s %s:%u\n", frames[i].function, frames[i].path, frames[i].line);
 *	source_lines__free(s);
 *
 * Made for some dozens to thousands of addresses at a time. The first question reads
 * the list of compilation units, the first one in a unit that unit's functions and
 * lines: some ten milliseconds each where a unit is large.
 *
 * The program is not trusted: names and paths are whatever it says, control characters
 * and all, and what is damaged is not known.
 */
#ifndef DWELL_SYMBOL_SOURCE_LINES_H
#define DWELL_SYMBOL_SOURCE_LINES_H

#include <stdint.h>

struct source_lines;

/* A function that an address is in, and the place in the source that is executed there. */
struct source_frame {
	/*
	 * As the source names it, without generics: "app::Store::write". A closure or an
	 * async body goes by the function that holds it. "": not known.
	 */
	const char	*function;
	const char	*path;		/* of the source file, with its directory; "": not known */
	uint32_t	 line;		/* from 1; 0: not known, or code that no line stands for */
};

/*
 * For the program in the file @exe, which may be /proc/PID/exe. @debug is the file that
 * has its debug information: of the same build, which is for the caller to know; "": it
 * is in @exe, if anywhere. The names are copied; no file is opened before the first
 * question. NULL: no memory.
 */
struct source_lines *source_lines__new(const char *exe, const char *debug);
/* NULL is fine. */
void source_lines__free(struct source_lines *s);

/*
 * The functions that @vaddr is in, an address as the file has it (of the space of
 * p_vaddr: without the bias that the program was loaded with), into @out, at most @max,
 * the innermost first: each but the last is inlined into the one behind it. To name a
 * caller, ask for its return address - 1.
 *
 * Returns their number, 0 if nothing is known of @vaddr, or -ENOMEM, which all questions
 * get from then on. No file, no debug information, damage: not known. The strings live
 * as long as @s; the same question again gives the same pointers.
 */
int source_lines__at(struct source_lines *s, uint64_t vaddr, struct source_frame *out, int max);

#endif /* DWELL_SYMBOL_SOURCE_LINES_H */
