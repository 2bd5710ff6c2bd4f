/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A growing text, and functions to append numbers and names. Lack of memory is
 * remembered in err, to be checked once at the end.
 */
#ifndef DWELL_FLAMEGRAPH_TEXTBUF_H
#define DWELL_FLAMEGRAPH_TEXTBUF_H

#include <stddef.h>
#include <stdint.h>

struct textbuf {
	char	*data;		/* not NUL-terminated */
	size_t	 len, cap;
	int	 err;		/* 0, or -ENOMEM: the text is incomplete */
};

void textbuf__bytes(struct textbuf *b, const char *s, size_t len);
void textbuf__str(struct textbuf *b, const char *s);
void textbuf__u64(struct textbuf *b, uint64_t v);
/* Hundredths as a decimal number without trailing zeros: 1250 is "12.5". */
void textbuf__centi(struct textbuf *b, uint64_t centi);
/* @s without control characters; invalid UTF-8 is replaced. */
void textbuf__clean(struct textbuf *b, const char *s, size_t len);
/* The same, escaped for XML text and attributes. */
void textbuf__xml(struct textbuf *b, const char *s, size_t len);
void textbuf__free(struct textbuf *b);

#endif /* DWELL_FLAMEGRAPH_TEXTBUF_H */
