// SPDX-License-Identifier: GPL-2.0
/* The width of the terminal. See terminal.h. */
#include "cli/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL	80

unsigned int terminal__columns(int fd)
{
	const char *text = getenv("COLUMNS");
	struct winsize size = { 0 };
	unsigned long said;
	char *end;

	if (!isatty(fd))
		return USUAL;
	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	said = text ? strtoul(text, &end, 10) : 0;
	return said && !*end && said <= 10000 ? (unsigned int)said : USUAL;
}
