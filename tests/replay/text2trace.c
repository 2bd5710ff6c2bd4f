// SPDX-License-Identifier: GPL-2.0
/*
 * text2trace TEXT TRACE: write the trace that a text describes.
 */
#include <stdio.h>

#include "tests/replay/text_trace.h"

int main(int argc, char **argv)
{
	char why[256] = "";
	FILE *in;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: text2trace TEXT TRACE\n");
		return 2;
	}
	in = fopen(argv[1], "r");
	if (!in) {
		perror(argv[1]);
		return 1;
	}
	err = text_trace__write(in, argv[2], why, sizeof(why));
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], why);
	fclose(in);
	return err ? 1 : 0;
}
