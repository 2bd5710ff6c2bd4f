// SPDX-License-Identifier: GPL-2.0
/*
 * The files are included verbatim. The assembler searches for them along -I, so -I must
 * name the top of the source tree; and the Makefile must list the files as
 * dependencies of this object.
 */
#include "flamegraph/asset.h"

#define ASSET(symbol, path)				\
	__asm__(".pushsection .rodata\n"		\
		"\t.global " #symbol "\n"		\
		"\t.type " #symbol ", %object\n"	\
		#symbol ":\n"				\
		"\t.incbin \"" path "\"\n"		\
		"\t.byte 0\n"				\
		"\t.size " #symbol ", . - " #symbol "\n"\
		"\t.popsection\n")

ASSET(flamegraph_css, "flamegraph/flamegraph.css");
ASSET(difference_css, "flamegraph/difference.css");
ASSET(flamegraph_js, "flamegraph/flamegraph.js");
