/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What walks.bpf.c answers.
 */
#ifndef DWELL_TEST_WALKS_H
#define DWELL_TEST_WALKS_H

#include "walk.h"

struct walk_told {
	__u32			followed;	/* by a recipe: of chain only the keys count */
	__u32			id;		/* the low half of the chain's hash */
	struct walk_chain	chain;
};

#endif /* DWELL_TEST_WALKS_H */
