/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounts, the shapes of chains, and the await points that accounts belong to.
 *
 * A chain is a tree in pre-order. Where several subtrees are waited for, the frames
 * continue into the one that ended the wait, if that is known; else a last frame names
 * the branches.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text_file.h"
#include "join/account.h"
#include "join/crate_path.h"
#include "join/unboxed.h"

#define BRANCHES_NAMED	4	/* in "{A | B | …}" */

struct accounts {
	const struct trace_reader	*reader;
	struct frame_names		*names;
	struct hash_key			 hash;		/* for all tables */
	/* Shapes by chain id. */
	struct {
		uint32_t	 id;
		struct shape	*shape;
	}				*shapes;
	uint32_t			 nr_shapes, shapes_size;
	struct account			*accounts;
	uint32_t			*account_hash;	/* index + 1; 0: free */
	uint32_t			 nr_accounts, accounts_size;
	struct point			*points;
	uint32_t			*point_hash;
	uint32_t			 nr_points, points_size;
	struct unboxed			 unboxed;
	/* at some time there was none for a shape */
	bool				 no_memory;
};

struct accounts *accounts__new(const struct trace_reader *r, struct frame_names *names)
{
	struct accounts *s = calloc(1, sizeof(*s));

	if (s) {
		s->reader = r;
		s->names = names;
		s->hash = hash_key__new();
	}
	return s;
}

void accounts__free(struct accounts *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->shapes_size; i++)
		free(s->shapes[i].shape);
	for (uint32_t i = 0; i < s->nr_points; i++) {
		hist__clear(&s->points[i].await);
		hist__clear(&s->points[i].ready);
		hist__clear(&s->points[i].total);
	}
	free(s->shapes);
	free(s->accounts);
	free(s->account_hash);
	free(s->points);
	free(s->point_hash);
	unboxed__clear(&s->unboxed);
	free(s);
}

/* ---- shapes ---- */

/*
 * Parses the subtree at @i; the number of each node's children comes from the file. A
 * future that is pending although every future in it is done waits for something
 * itself: for example a connection without a request, for its socket.
 */
static uint32_t shape__parse(struct shape *sh, uint32_t i)
{
	const struct trace_node *n = &sh->chain->nodes[i];
	uint32_t next = i + 1;

	for (unsigned int c = 0; c < n->nr_children && next < sh->chain->nr; c++) {
		uint32_t child = next;

		next = shape__parse(sh, child);
		sh->waiting[i] += sh->waiting[child];
	}
	sh->end[i] = (uint16_t)next;
	if (!sh->waiting[i] && n->kind != TRACE_NODE_DONE) {
		bool holds = next > i + 1;

		sh->leaves[sh->nr_leaves++] = (struct chain_leaf){
			.node = (uint16_t)i, .kind = holds ? TRACE_NODE_OPAQUE : n->kind,
			.key = holds || n->kind == TRACE_NODE_GAP ? WALK_KEY_NONE : n->key,
			.key_index = n->key_index, .idle = n->idle,
		};
		sh->waiting[i] = 1;
		if (holds || n->kind != TRACE_NODE_LEAF)
			sh->blind = true;
	}
	return next;
}

static struct shape *shape__new(const struct trace_chain *c)
{
	uint32_t nr = c ? c->nr : 0;
	struct shape *sh;

	sh = calloc(1, sizeof(*sh) + nr * (sizeof(*sh->leaves) + 2 * sizeof(uint16_t)));
	if (!sh)
		return NULL;
	sh->chain = c;
	sh->end = (uint16_t *)(sh->leaves + nr);
	sh->waiting = sh->end + nr;
	if (nr)
		shape__parse(sh, 0);
	if (!sh->nr_leaves)
		sh->blind = true;
	return sh;
}

static int accounts__grow_shapes(struct accounts *s)
{
	uint32_t size = s->shapes_size ? s->shapes_size * 2 : 256;
	typeof(s->shapes) grown = calloc(size, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->shapes_size; i++) {
		uint32_t at = (uint32_t)hash__of(&s->hash, s->shapes[i].id) & (size - 1);

		if (!s->shapes[i].shape)
			continue;
		while (grown[at].shape)
			at = (at + 1) & (size - 1);
		grown[at] = s->shapes[i];
	}
	free(s->shapes);
	s->shapes = grown;
	s->shapes_size = size;
	return 0;
}

const struct shape *accounts__shape(struct accounts *s, uint32_t chain)
{
	uint32_t at;

	if (s->nr_shapes * 2 >= s->shapes_size && accounts__grow_shapes(s)) {
		s->no_memory = true;
		return NULL;
	}
	at = (uint32_t)hash__of(&s->hash, chain) & (s->shapes_size - 1);
	while (s->shapes[at].shape) {
		if (s->shapes[at].id == chain)
			return s->shapes[at].shape;
		at = (at + 1) & (s->shapes_size - 1);
	}
	s->shapes[at].shape = shape__new(chain ? trace_reader__chain(s->reader, chain) : NULL);
	s->shapes[at].id = chain;
	s->nr_shapes += !!s->shapes[at].shape;
	s->no_memory |= !s->shapes[at].shape;
	return s->shapes[at].shape;
}

/* ---- which leaf made progress ---- */

struct compare {
	const struct shape	*was, *is;
	const struct wait	*was_wait, *is_wait;
	uint64_t		 same;		/* a bit for each leaf of @was that is unchanged */
};

static bool same_text(const char *a, const char *b)
{
	return a == b || !strcmp(a, b);
}

static bool same_node(const struct trace_node *a, const struct trace_node *b)
{
	return a->kind == b->kind && a->line == b->line && a->nr_children == b->nr_children &&
	       same_text(a->name, b->name) && same_text(a->file, b->file);
}

static bool same_key(const struct compare *c, const struct trace_node *a,
		     const struct trace_node *b)
{
	if (a->key != b->key)
		return false;
	if (a->key_index >= c->was_wait->nr_keys || b->key_index >= c->is_wait->nr_keys)
		return a->key_index >= c->was_wait->nr_keys &&
		       b->key_index >= c->is_wait->nr_keys;
	return walk_key__same(walk_keys__get(c->was_wait->keys, a->key_index),
			      walk_keys__get(c->is_wait->keys, b->key_index));
}

/* Marks the leaves below node @a of chain @was that are also below node @b of chain @is. */
static void compare(struct compare *c, uint32_t a, uint32_t b)
{
	const struct trace_node *x = &c->was->chain->nodes[a], *y = &c->is->chain->nodes[b];
	uint32_t i, k;

	if (!same_node(x, y))
		return;
	for (i = 0; i < c->was->nr_leaves; i++)
		if (c->was->leaves[i].node == a && same_key(c, x, y))
			c->same |= 1ull << i;
	for (i = a + 1, k = b + 1; i < c->was->end[a] && k < c->is->end[b];
	     i = c->was->end[i], k = c->is->end[k])
		compare(c, i, k);
}

uint16_t shape__common(const struct shape *sh, uint32_t first, uint32_t last)
{
	uint32_t node = 0, next = 0;

	if (last < sh->end[first])
		return (uint16_t)first;
	do {
		node = next;
		for (uint32_t child = node + 1; child < sh->end[node]; child = sh->end[child])
			if (first >= child && last < sh->end[child])
				next = child;
	} while (next != node);
	return (uint16_t)(node | BRANCH_FORK);
}

bool shape__go_on(const struct shape *sh, uint32_t *node)
{
	uint32_t child = 0;

	for (uint32_t c = *node + 1; c < sh->end[*node]; c = sh->end[c]) {
		if (!sh->waiting[c])
			continue;
		if (child)
			return false;
		child = c;
	}
	if (child)
		*node = child;
	return child != 0;
}

/* The first node with several pending children, at which a path ends if it knows no branch. */
static uint32_t first_fork(const struct shape *sh)
{
	uint32_t node = 0;

	while (shape__go_on(sh, &node))
		;
	return node;
}

/*
 * The node of the only leaf that waits for a call of its waker and is not in @but; if there
 * are several, the innermost node that contains them.
 */
static uint16_t called(const struct shape *sh, uint64_t but)
{
	uint32_t first = 0, last = 0, nr = 0;
	uint16_t found;

	for (uint32_t i = 0; i < sh->nr_leaves; i++) {
		if (but & 1ull << i || !chain_leaf__called(&sh->leaves[i]))
			continue;
		last = sh->leaves[i].node;
		if (!nr++)
			first = last;
	}
	if (!nr)
		return NO_BRANCH;
	found = shape__common(sh, first, last);
	return found == (first_fork(sh) | BRANCH_FORK) ? NO_BRANCH : found;
}

uint16_t accounts__advanced(struct accounts *s, const struct wait *was, const struct wait *is,
			    uint64_t not_these)
{
	struct compare c = { .was_wait = was, .is_wait = is };
	uint16_t found, changed;

	c.was = accounts__shape(s, was->chain);
	if (!c.was || !c.was->chain || !c.was->chain->nr || c.was->nr_leaves > SHAPE_MAX_COMPARED)
		return NO_BRANCH;
	found = called(c.was, not_these);
	c.is = is ? accounts__shape(s, is->chain) : NULL;
	if (!c.is || !c.is->chain || !c.is->chain->nr ||
	    (found != NO_BRANCH && !(found & BRANCH_FORK)))
		return found;
	compare(&c, 0, 0);
	changed = called(c.was, not_these | c.same);
	return changed == NO_BRANCH ? found : changed;
}

/* ---- frames ---- */

static uint8_t frame_kind(const struct trace_node *n)
{
	switch (n->kind) {
	case TRACE_NODE_AWAIT:
		return n->runtime_own ? JOIN_FRAME_AWAIT_OWN : JOIN_FRAME_AWAIT;
	case TRACE_NODE_WRAPPER:
		return JOIN_FRAME_WRAPPER;
	case TRACE_NODE_OPAQUE:
		return JOIN_FRAME_OPAQUE;
	case TRACE_NODE_GAP:
		return JOIN_FRAME_GAP;
	}
	return JOIN_FRAME_LEAF;
}

/*
 * The file as a frame names it: the base name, or the path in the crate if the base
 * name alone says nothing.
 */
static const char *node_file(const struct trace_node *n, char crate[CRATE_PATH_MAX])
{
	return crate_path__needed(n->file) && *n->path ? crate_path(n->path, crate) : n->file;
}

static const char *node_name(struct accounts *s, const struct trace_node *n)
{
	char crate[CRATE_PATH_MAX];

	if (n->kind == TRACE_NODE_GAP)
		return frame_names__safef(s->names, "[gap: %s]", n->name);
	if (n->kind == TRACE_NODE_AWAIT && *n->file && n->line)
		return frame_names__safef(s->names, "%s (%s:%u)", n->name, node_file(n, crate),
					  n->line);
	return frame_names__safe(s->names, n->name);
}

/*
 * The node that names a branch: its innermost await outside the runtime, down to the
 * first node with several pending children; if there is none, the branch's own future.
 */
static const struct trace_node *branch_node(const struct shape *sh, uint32_t node)
{
	const struct trace_node *named = &sh->chain->nodes[node];
	uint32_t at = node, next = node;

	for (;;) {
		const struct trace_node *n = &sh->chain->nodes[at];
		unsigned int waiting = 0;

		if (n->kind == TRACE_NODE_AWAIT && !n->runtime_own)
			named = n;
		for (uint32_t c = at + 1; c < sh->end[at]; c = sh->end[c]) {
			if (!sh->waiting[c])
				continue;
			next = c;
			waiting++;
		}
		if (waiting != 1)
			return named;
		at = next;
	}
}

static const char *branches_name(struct accounts *s, const struct shape *sh, uint32_t node)
{
	unsigned int named = 0, more = 0;
	char crate[CRATE_PATH_MAX];
	const char *name = NULL;
	struct text_file t;
	FILE *out = text_file__open(&t);
	char *text;

	if (!out)
		return NULL;
	fputc('{', out);
	for (uint32_t c = node + 1; c < sh->end[node]; c = sh->end[c]) {
		const struct trace_node *n;

		if (!sh->waiting[c])
			continue;
		if (named == BRANCHES_NAMED) {
			more++;
			continue;
		}
		n = branch_node(sh, c);
		fprintf(out, n->kind == TRACE_NODE_GAP ? "%s[gap: %s]" : "%s%s",
			named ? " | " : "", n->name);
		if (n->kind == TRACE_NODE_AWAIT && !n->runtime_own && *n->file && n->line)
			fprintf(out, " (%s:%u)", node_file(n, crate), n->line);
		named++;
	}
	if (more)
		fprintf(out, " | +%u more", more);
	fputc('}', out);
	text = text_file__close(&t);
	if (text)
		name = frame_names__safe(s->names, text);
	free(text);
	return name;
}

static bool in_subtree(const struct shape *sh, uint32_t node, uint16_t branch)
{
	branch &= (uint16_t)~BRANCH_FORK;
	return branch >= node && branch < sh->end[node];
}

/*
 * One step down from @node: the pending child; @node itself if it has none or is
 * @branch; -1 if it has several and @branch does not say which.
 */
static int64_t step(const struct shape *sh, uint32_t node, uint16_t branch)
{
	int64_t only = node;
	unsigned int nr = 0;

	if (branch == node)
		return node;
	if (branch == (node | BRANCH_FORK))
		return -1;
	for (uint32_t c = node + 1; c < sh->end[node]; c = sh->end[c]) {
		if (!sh->waiting[c])
			continue;
		if (branch != NO_BRANCH && in_subtree(sh, c, branch))
			return c;
		only = c;
		nr++;
	}
	return nr > 1 ? -1 : only;
}

/*
 * The nodes from the root down; *@fork is set if they end at a node with several
 * pending children.
 */
static uint32_t path(const struct shape *sh, uint16_t branch, uint32_t *nodes, bool *fork)
{
	uint32_t nr = 0;
	int64_t node = 0, next;

	*fork = false;
	if (!sh->chain || !sh->chain->nr || !sh->waiting[0])
		return 0;
	for (;; node = next) {
		nodes[nr++] = (uint32_t)node;
		next = step(sh, (uint32_t)node, branch);
		*fork = next < 0;
		if (next < 0 || next == node)
			return nr;
	}
}

int accounts__frames(struct accounts *s, uint32_t chain, uint16_t branch, struct join_frame *out)
{
	const struct shape *sh = accounts__shape(s, chain);
	uint32_t nodes[ACCOUNT_FRAMES_MAX], nr;
	bool fork;

	if (!sh)
		return -ENOMEM;
	nr = path(sh, branch, nodes, &fork);
	for (uint32_t i = 0; i < nr; i++) {
		const struct trace_node *n = &sh->chain->nodes[nodes[i]];

		out[i] = (struct join_frame){ node_name(s, n), frame_kind(n) };
		if (!out[i].name)
			return -ENOMEM;
	}
	if (fork) {
		out[nr] = (struct join_frame){ branches_name(s, sh, nodes[nr - 1]),
					       JOIN_FRAME_BRANCHES };
		if (!out[nr++].name)
			return -ENOMEM;
	}
	return (int)nr;
}

static const struct trace_task_kind *task_kind(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k;

	if (kind == UNKNOWN_KIND)
		return NULL;
	k = trace_reader__task_kind(s->reader, kind);
	return k ? k : unboxed__kind(&s->unboxed, kind);
}

bool accounts__root(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return k && k->root;
}

bool accounts__blocking(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return k && k->blocking;
}

bool accounts__boxed(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return k && k->boxed;
}

int64_t accounts__unboxed(struct accounts *s, uint32_t kind, uint32_t chain)
{
	const struct trace_chain *c = trace_reader__chain(s->reader, chain);
	const struct trace_task_kind *k = task_kind(s, kind);

	if (!c || !*c->task || !k)
		return kind;
	return unboxed__get(&s->unboxed, s->reader, k, c->task);
}

bool accounts__unseen_spawns(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return k && k->unseen_spawns;
}

const char *accounts__scheduler(const struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return k ? k->scheduler : "";
}

const char *accounts__task_name(struct accounts *s, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	return frame_names__safe(s->names, k && *k->name ? k->name : "[unknown task]");
}

const char *accounts__task_detail(struct accounts *s, const char *prefix, uint32_t kind)
{
	const struct trace_task_kind *k = task_kind(s, kind);

	if (!k || !*k->name)
		return frame_names__safef(s->names, "%san unknown task", prefix);
	if (k->blocking)
		return frame_names__safef(s->names, "%sblocking job %s", prefix, k->name);
	/* a kind without a name is called "task polled at …" */
	return frame_names__safef(s->names, "%s%s%s", prefix,
				  strncmp(k->name, "task ", 5) ? "task " : "",
				  k->name);
}

const char *accounts__waker_detail(struct accounts *s, uint32_t kind, uint32_t chain)
{
	const struct shape *sh = chain == NO_CHAIN ? NULL : accounts__shape(s, chain);
	const char *task = accounts__task_detail(s, "by ", kind);
	const struct trace_node *n = NULL;

	if (sh && sh->chain && sh->chain->nr)
		n = branch_node(sh, 0);
	if (!task || !n || n->kind != TRACE_NODE_AWAIT)
		return task;
	return frame_names__safef(s->names, "%s after %s", task, node_name(s, n));
}

/* ---- points ---- */

#define CALLERS_NAMED	2	/* a line in a helper says less than who called it there */

/* Names the innermost awaits of the program's own among @nr nodes from the root down. */
static int account__callers(struct accounts *s, const struct shape *sh, const uint32_t *nodes,
			    uint32_t nr, struct account *account)
{
	unsigned int named = 0;

	while (nr-- && named < CALLERS_NAMED) {
		const struct trace_node *n = &sh->chain->nodes[nodes[nr]];
		const char *name;

		if (n->kind != TRACE_NODE_AWAIT || n->runtime_own || !*n->path ||
		    crate_path__foreign(n->path) || crate_path__generated(n->path))
			continue;
		name = node_name(s, n);
		if (name && named++)
			name = frame_names__safef(s->names, "%s < %s", account->caller, name);
		if (!name)
			return -ENOMEM;
		account->caller = name;
	}
	return 0;
}

static int point__describe(struct accounts *s, struct account *account, struct point *p)
{
	const struct shape *sh = accounts__shape(s, account->chain);
	uint32_t nodes[ACCOUNT_FRAMES_MAX], nr;
	const struct trace_node *n, *own = NULL, *user = NULL;
	char crate[CRATE_PATH_MAX];
	bool fork;

	if (!sh)
		return -ENOMEM;
	nr = path(sh, account->branch, nodes, &fork);
	for (uint32_t i = 0; i < nr; i++) {
		n = &sh->chain->nodes[nodes[i]];
		if (n->kind == TRACE_NODE_AWAIT && n->runtime_own)
			own = n;
		else if (n->kind == TRACE_NODE_AWAIT)
			user = n;
	}
	if (!user)
		user = own;
	p->task = accounts__task_name(s, account->kind);
	p->function = user ? frame_names__safe(s->names, user->name) : "";
	p->file = user && *user->file ? frame_names__safe(s->names, user->file) : "";
	p->path = "";
	if (user && *user->path)
		p->path = frame_names__safe(s->names, crate_path(user->path, crate));
	p->foreign = user && crate_path__foreign(user->path);
	if (p->foreign && account__callers(s, sh, nodes, nr, account))
		return -ENOMEM;
	p->line = user ? user->line : 0;
	p->leaf = "";
	n = nr ? &sh->chain->nodes[nodes[nr - 1]] : NULL;
	if (fork)
		p->leaf = branches_name(s, sh, nodes[nr - 1]);
	else if (n && n->kind != TRACE_NODE_AWAIT)
		p->leaf = node_name(s, n);
	return p->task && p->function && p->file && p->path && p->leaf ? 0 : -ENOMEM;
}

static uint32_t point__hash(const struct point *p)
{
	uint64_t h = (uintptr_t)p->task;

	/* Names are stored once each, so a pointer stands for a name. */
	h = h * 31 + (uintptr_t)p->function;
	h = h * 31 + (uintptr_t)p->leaf;
	h = h * 31 + (uintptr_t)p->file;
	h = h * 31 + (uintptr_t)p->path;
	h = (h * 31 + p->line) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(h >> 32);
}

static bool point__equal(const struct point *a, const struct point *b)
{
	/* "" is not in the pool, so texts have to be compared. */
	return a->task == b->task && a->line == b->line && !strcmp(a->function, b->function) &&
	       !strcmp(a->file, b->file) && !strcmp(a->path, b->path) &&
	       !strcmp(a->leaf, b->leaf);
}

/* Allocates the hash table (index + 1) for an array that has just grown. */
static int grow_hash(uint32_t **hash, uint32_t size)
{
	uint32_t *grown = calloc(size, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	free(*hash);
	*hash = grown;
	return 0;
}

static void enter(uint32_t *hash, uint32_t size, uint32_t at, uint32_t index)
{
	at &= size - 1;
	while (hash[at])
		at = (at + 1) & (size - 1);
	hash[at] = index + 1;
}

static int64_t accounts__point_of(struct accounts *s, struct account *account)
{
	struct point p = { 0 };
	uint32_t at, h;
	int err = point__describe(s, account, &p);

	if (err)
		return err;
	if (s->nr_points * 2 >= s->points_size) {
		uint32_t size = s->points_size ? s->points_size * 2 : 64;
		struct point *points = reallocarray(s->points, size, sizeof(*points));

		if (!points)
			return -ENOMEM;
		s->points = points;
		if (grow_hash(&s->point_hash, size))
			return -ENOMEM;
		s->points_size = size;
		for (uint32_t i = 0; i < s->nr_points; i++)
			enter(s->point_hash, size, point__hash(&points[i]), i);
	}
	h = point__hash(&p);
	for (at = h & (s->points_size - 1); s->point_hash[at]; at = (at + 1) & (s->points_size - 1))
		if (point__equal(&s->points[s->point_hash[at] - 1], &p))
			return s->point_hash[at] - 1;
	s->points[s->nr_points] = p;
	enter(s->point_hash, s->points_size, h, s->nr_points);
	return s->nr_points++;
}

/* ---- accounts ---- */

static uint32_t account__hash(const struct accounts *s, uint32_t kind, uint32_t chain,
			      uint16_t branch)
{
	uint64_t h = hash__of(&s->hash, (uint64_t)kind << 32 | chain);

	return (uint32_t)hash__of(&s->hash, h ^ branch);
}

static int64_t accounts__add(struct accounts *s, uint32_t kind, uint32_t chain, uint16_t branch)
{
	struct account account = { .kind = kind, .chain = chain, .branch = branch };
	int64_t point;

	if (s->nr_accounts * 2 >= s->accounts_size) {
		uint32_t size = s->accounts_size ? s->accounts_size * 2 : 256;
		struct account *accounts = reallocarray(s->accounts, size, sizeof(*accounts));

		if (!accounts)
			return -ENOMEM;
		s->accounts = accounts;
		if (grow_hash(&s->account_hash, size))
			return -ENOMEM;
		s->accounts_size = size;
		for (uint32_t i = 0; i < s->nr_accounts; i++)
			enter(s->account_hash, size,
			      account__hash(s, accounts[i].kind, accounts[i].chain,
					    accounts[i].branch), i);
	}
	point = accounts__point_of(s, &account);
	if (point < 0)
		return point;
	account.point = (uint32_t)point;
	s->accounts[s->nr_accounts] = account;
	enter(s->account_hash, s->accounts_size, account__hash(s, kind, chain, branch),
	      s->nr_accounts);
	return s->nr_accounts++;
}

int64_t accounts__get(struct accounts *s, uint32_t kind, uint32_t chain, uint16_t branch)
{
	uint32_t at;

	if (s->accounts_size) {
		at = account__hash(s, kind, chain, branch) & (s->accounts_size - 1);
		for (; s->account_hash[at]; at = (at + 1) & (s->accounts_size - 1)) {
			const struct account *account = &s->accounts[s->account_hash[at] - 1];

			if (account->kind == kind && account->chain == chain &&
			    account->branch == branch)
				return s->account_hash[at] - 1;
		}
	}
	return accounts__add(s, kind, chain, branch);
}

const struct account *accounts__account(const struct accounts *s, uint32_t index)
{
	return &s->accounts[index];
}

struct point *accounts__point(struct accounts *s, uint32_t index)
{
	return &s->points[index];
}

int accounts__err(const struct accounts *s)
{
	return s->no_memory ? -ENOMEM : 0;
}

uint32_t accounts__nr_points(const struct accounts *s)
{
	return s->nr_points;
}
