/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A growing piece of text, and the few ways in which numbers and names are
 * put into it. Lack of memory is remembered and told once, at the end.
 */
#ifndef DWELL_FLAMEGRAPH_TEXTBUF_H
#define DWELL_FLAMEGRAPH_TEXTBUF_H

#include <stddef.h>
#include <stdint.h>

struct textbuf {
	char	*data;		/* not terminated */
	size_t	 len, cap;
	int	 err;		/* 0 or -ENOMEM: the text is not whole */
};

void textbuf__bytes(struct textbuf *b, const char *s, size_t len);
void textbuf__str(struct textbuf *b, const char *s);
void textbuf__u64(struct textbuf *b, uint64_t v);
/* Hundredths as a decimal number without needless zeros: 1250 is "12.5". */
void textbuf__centi(struct textbuf *b, uint64_t centi);
/* @s without controls; wrong UTF-8 replaced. */
void textbuf__clean(struct textbuf *b, const char *s, size_t len);
/* The same, escaped for XML text and attributes. */
void textbuf__xml(struct textbuf *b, const char *s, size_t len);
void textbuf__free(struct textbuf *b);

#endif /* DWELL_FLAMEGRAPH_TEXTBUF_H */
