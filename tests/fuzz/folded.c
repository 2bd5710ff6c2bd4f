// SPDX-License-Identifier: GPL-2.0
/*
 * Folded text through the flame graph: any text is a picture, or is refused with
 * its line's number; the same text in any order of lines is the same picture.
 *
 * The first byte chooses the unit and the sizes, the others are the text.
 */
#include <errno.h>

#include "flamegraph/flamegraph.h"
#include "tests/fuzz/fuzz.h"

static char *draw(struct flamegraph *fg, const struct flamegraph_opts *opts)
{
	struct text_file t;
	FILE *out = text_file__open(&t);
	char *svg;

	must(out && !flamegraph__render(fg, opts, out));
	svg = text_file__close(&t);
	must(svg);
	return svg;
}

/* Of the picture, what is not the same in all: the style sheet and the script are long. */
static void check_picture(char *svg)
{
	char *style = strstr(svg, "<style>"), *frames = strstr(svg, "</style>");
	char *script = strstr(svg, "<script>");

	must(style && frames && script && style < frames && frames < script);
	*style = *script = '\0';
	must_be_printable(svg);
	must_be_printable(frames);
	*style = *script = '<';
}

/* Text that is neither terminated nor without NULs. */
static int read_text(struct flamegraph *fg, const uint8_t *text, size_t size, uint64_t unit,
		     size_t *line)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, size, "r");
	int err;

	must(in);
	err = flamegraph__add_folded(fg, in, unit, line);
	fclose(in);
	return err;
}

/* The lines from the last to the first. */
static uint8_t *reversed(const uint8_t *text, size_t size)
{
	uint8_t *out = malloc(size + 1);
	size_t at = 0, end = size;

	must(out);
	for (size_t i = size; i-- > 0;) {
		if (i && text[i - 1] != '\n')
			continue;
		memcpy(out + at, text + i, end - i);
		at += end - i;
		if (out[at - 1] != '\n')
			out[at++] = '\n';
		end = i;
	}
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t widths[] = { 0, FLAMEGRAPH_WIDTH_MIN, 5000, FLAMEGRAPH_WIDTH_MAX };
	struct flamegraph *fg = flamegraph__new(), *other = flamegraph__new();
	struct flamegraph_opts opts = { .title = "title" };
	const char *note = "note, note";
	char *svg, *again, *text;
	size_t line = 0;
	int err;

	must(fg && other);
	if (size < 2)
		goto out;
	opts.width = widths[data[0] & 3];
	opts.minwidth = data[0] & 4 ? 10000 : 0;
	/* The words above the frames are as wild as those in them. */
	text = strndup((const char *)data + 1, size - 1);
	must(text);
	if (data[0] & 8) {
		opts.title = opts.subtitle = text;
		note = text;
	}
	opts.notes = &note;
	opts.nr_notes = 1;
	err = read_text(fg, data + 1, size - 1, data[0] & 16 ? 1 : 1000, &line);
	must(!err || (err == -EINVAL && line) || err == -EOVERFLOW);
	/* What was read before the error is a picture still. */
	svg = draw(fg, &opts);
	check_picture(svg);
	if (!err && data[0] & 32) {
		uint8_t *lines = reversed(data + 1, size - 1);
		size_t nr = size - 1 + (data[size - 1] != '\n');

		must(!read_text(other, lines, nr, data[0] & 16 ? 1 : 1000, &line));
		again = draw(other, &opts);
		must(!strcmp(svg, again));
		free(again);
		free(lines);
	}
	free(svg);
	free(text);
out:
	flamegraph__free(fg);
	flamegraph__free(other);
	return 0;
}
