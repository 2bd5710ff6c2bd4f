// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits for whom. See graph.h.
 *
 * A wait is for an address inside of an object. Whoever has a handle to that object, of a
 * side that can end the wait, could end it. If there may be more handles than were found,
 * in code that runs or in values that no task owns, the wait stays open: somebody unknown
 * could end it.
 */
#include "why/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"

#define MAX_QUEUE	1000000	/* waiters of all semaphores */
#define MAX_ENDERS	256	/* of one wait; if there are more, it may end */
#define MAX_GRANTED	16	/* of one semaphore that are told */

/* Handles by the address of their object. */
struct by_object {
	uint64_t	object;
	uint32_t	handle;
};

/* Waits by the address that they wait for, or by their node. */
struct by_address {
	uint64_t	address;
	uint32_t	wait;
};

/* Those who ask one semaphore. */
struct group {
	uint32_t	front;		/* the wait that is served next; WALK_NONE: not found */
	uint32_t	granted[MAX_GRANTED];
	uint32_t	nr_granted;
};

struct making {
	struct graph		*g;
	const struct image_type	*types;
	const struct image_handle *handle_types;
	struct by_object	*objects;
	uint64_t		 largest;	/* object, in bytes */
	struct by_address	*keys, *nodes;
	size_t			 nr_keys, nr_nodes;
	/* no task has been polled all the time, whose locals cannot be read */
	bool			 quiet;
	struct hash_table	 tasks;		/* index + 1, by id */
	size_t			 queued;	/* waiters read so far, of all semaphores */
	struct group		*groups;	/* at the index of their first key */
	uint32_t		*group;		/* by wait: its group */
	uint64_t		*queue;		/* MAX_QUEUE */
};

static int object_cmp(const void *a, const void *b)
{
	const struct by_object *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->handle < y->handle ? -1 : x->handle > y->handle;
}

static int address_cmp(const void *a, const void *b)
{
	const struct by_address *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->wait < y->wait ? -1 : x->wait > y->wait;
}

/* The first entry of @list whose address is not below @address. */
static size_t lower(const struct by_address *list, size_t nr, uint64_t address)
{
	size_t lo = 0, hi = nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (list[mid].address < address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* ---- preparation ---- */

static int sort_all(struct making *m)
{
	const struct picture *p = m->g->p;

	m->objects = calloc(p->nr_handles + 1, sizeof(*m->objects));
	m->keys = calloc(p->nr_waits + 1, sizeof(*m->keys));
	m->nodes = calloc(p->nr_waits + 1, sizeof(*m->nodes));
	m->groups = calloc(p->nr_waits + 1, sizeof(*m->groups));
	m->group = calloc(p->nr_waits + 1, sizeof(*m->group));
	m->queue = malloc(MAX_QUEUE * sizeof(*m->queue));
	if (!m->objects || !m->keys || !m->nodes || !m->groups || !m->group || !m->queue)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr_handles; i++) {
		m->objects[i] = (struct by_object){ p->handles[i].object, (uint32_t)i };
		if (p->handles[i].size > m->largest)
			m->largest = p->handles[i].size;
	}
	for (size_t i = 0; i < p->nr_waits; i++) {
		if (p->waits[i].key.kind == WALK_KEY_ADDRESS)
			m->keys[m->nr_keys++] = (struct by_address){ p->waits[i].key.value,
								     (uint32_t)i };
		if (p->waits[i].node)
			m->nodes[m->nr_nodes++] = (struct by_address){ p->waits[i].node,
								       (uint32_t)i };
	}
	qsort(m->objects, p->nr_handles, sizeof(*m->objects), object_cmp);
	qsort(m->keys, m->nr_keys, sizeof(*m->keys), address_cmp);
	qsort(m->nodes, m->nr_nodes, sizeof(*m->nodes), address_cmp);
	for (size_t i = 0; i < p->nr_tasks; i++) {
		struct hash_slot *slot = hash_table__at(&m->tasks, p->tasks[i].id);

		if (!slot)
			return -ENOMEM;
		slot->value = i + 1;
	}
	return 0;
}

/* ---- edges ---- */

static int add_edge(struct making *m, uint32_t wait, uint32_t to, enum graph_reason reason,
		    uint32_t by)
{
	struct graph *g = m->g;
	struct graph_wait *w = &g->waits[wait];

	for (uint32_t i = w->edges; i < w->edges + w->nr_edges; i++)
		if (g->edges[i].to == to && g->edges[i].reason == reason &&
		    (reason != GRAPH_HANDLE ||
		     g->p->handles[g->edges[i].by].object == g->p->handles[by].object))
			return 0;
	if (array__room(&g->edges, &g->cap_edges, g->nr_edges, sizeof(*g->edges)))
		return -ENOMEM;
	g->edges[g->nr_edges++] = (struct graph_edge){ g->p->waits[wait].task, to, wait, reason,
						       by };
	w->nr_edges++;
	return 0;
}

static uint32_t own_type(const struct making *m, uint32_t wait)
{
	return m->g->p->frames[m->g->p->waits[wait].frame].type;
}

static bool ends(const struct making *m, uint32_t wait, uint32_t handle)
{
	const struct picture *p = m->g->p;
	const struct picture_handle *h = &p->handles[handle];
	const struct image_handle *type = &m->handle_types[h->handle];
	uint8_t by = m->types[own_type(m, wait)].ended_by;

	if (by & RUNTIME_SIDE_WAKES)
		return type->wakes.ok && p->waits[wait].key.value - h->object - type->wakes.off[0] <
					 type->wakes_size;
	return by & type->side;
}

/* How sure is it that the variable in which a handle was found still has it? */
enum sureness {
	SURE,		/* it is the handle, and rustc lists such a variable while it is alive */
	NESTED,		/* it may have been moved out of the struct or enum */
	TEMPORARY,	/* a temporary or captured variable: listed in any case */
};

static enum sureness sureness_of(const struct making *m, uint32_t handle)
{
	const struct image_part *part;
	size_t nr;

	part = &image__parts(m->g->p->img, &nr)[m->g->p->handles[handle].part];
	if (part->temporary)
		return TEMPORARY;
	return part->nested || part->kind != IMAGE_PART_HANDLE ? NESTED : SURE;
}

/* How many handles of this type exist; 0: not known. */
static uint64_t how_many(const struct making *m, const struct picture_handle *h)
{
	const struct image_handle *type = &m->handle_types[h->handle];
	uint64_t nr = 0;

	if (type->only)
		return 1;
	if (!type->count.ok || process__read(m->g->p->target, h->object + type->count.off[0], &nr,
					     type->count.width))
		return 0;
	return nr;
}

/* The first of the objects that may contain @key. */
static size_t first_object(const struct making *m, uint64_t key)
{
	uint64_t from = key > m->largest ? key - m->largest : 0;
	size_t lo = 0, hi = m->g->p->nr_handles;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->objects[mid].object < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Handles of a side that can end @wait, the surest first. What is in a temporary counts if there is
 * no other, or if it may have been moved there: out of an enum, for example, whose variable is
 * still listed, into a task that was spawned.
 */
static int add_handles(struct making *m, uint32_t wait)
{
	const struct picture *p = m->g->p;
	struct graph_wait *w = &m->g->waits[wait];
	uint64_t key = p->waits[wait].key.value, found = 0, exist = 0;
	bool holds = false, doubtful = false, nested = false;
	int err = 0;

	for (enum sureness sure = SURE; sure <= TEMPORARY; sure++) {
		bool temporary = sure == TEMPORARY;
		size_t lo = first_object(m, key);

		if (found && (temporary ? !nested : exist && found >= exist))
			continue;
		for (; lo < p->nr_handles && m->objects[lo].object <= key && !err; lo++) {
			uint32_t at = m->objects[lo].handle;
			const struct picture_handle *h = &p->handles[at];
			uint32_t before;

			if (key - h->object >= h->size || h->polled || !ends(m, wait, at) ||
			    sureness_of(m, at) != sure)
				continue;
			if (w->nr_edges == MAX_ENDERS) {
				w->many = true;
				return 0;
			}
			exist = how_many(m, h);
			holds |= m->handle_types[h->handle].side == RUNTIME_SIDE_HOLDS;
			nested |= sure == NESTED;
			before = w->nr_edges;
			err = add_edge(m, wait, h->task, GRAPH_HANDLE, at);
			/* its own end, which it may have given to somebody else */
			doubtful |= temporary && h->task == p->waits[wait].task &&
				    w->nr_edges > before;
			doubtful |= h->elsewhere;
			/* a value that a task has moved about in itself is one */
			found += !temporary || w->nr_edges > before;
		}
	}
	/*
	 * If more were found than exist, some have been moved on; but if one exists, it is where it
	 * was found. What is held may also be with a task that is being polled; how many permits
	 * there are, nobody knows.
	 */
	w->closed = found && !doubtful && (exist ? found == exist || exist == 1 : holds) &&
		    (!holds || m->quiet);
	return err;
}

/* Is there a channel whose semaphore is at @key? Then its receiver gives the permits back. */
static bool in_channel(const struct making *m, uint64_t key)
{
	const struct picture *p = m->g->p;

	for (size_t i = first_object(m, key); i < p->nr_handles; i++) {
		const struct picture_handle *h = &p->handles[m->objects[i].handle];

		if (h->object > key)
			return false;
		if (key - h->object < h->size && !h->polled &&
		    m->handle_types[h->handle].side != RUNTIME_SIDE_HOLDS)
			return true;
	}
	return false;
}

/* The wait whose node is at @node; WALK_NONE: none that was found. */
static uint32_t wait_of_node(const struct making *m, uint64_t node)
{
	size_t at = lower(m->nodes, m->nr_nodes, node);

	return at < m->nr_nodes && m->nodes[at].address == node ? m->nodes[at].wait : WALK_NONE;
}

/* The waits for one semaphore, keys @first to @end: their places, who is next, who has got it. */
static void make_group(struct making *m, size_t first, size_t end)
{
	const struct picture *p = m->g->p;
	struct group *group = &m->groups[first];
	bool queued = false;
	ssize_t nr = -ENOTSUP;

	group->front = WALK_NONE;
	for (size_t i = first; i < end; i++) {
		const struct picture_wait *w = &p->waits[m->keys[i].wait];

		m->group[m->keys[i].wait] = (uint32_t)first;
		if (!w->node || !w->queued)
			continue;
		queued |= w->needs != 0;
		if (!w->needs && group->nr_granted < MAX_GRANTED)
			group->granted[group->nr_granted++] = m->keys[i].wait;
	}
	for (unsigned int r = 0; queued && runtimes[r] && nr < 0; r++)
		nr = picture__queue(p, r, m->keys[first].address, m->queue,
				    MAX_QUEUE - m->queued);
	m->queued += nr > 0 ? (size_t)nr : 0;
	for (ssize_t i = 0; i < nr; i++) {
		uint32_t wait = wait_of_node(m, m->queue[i]);

		if (wait == WALK_NONE || p->waits[wait].key.value != m->keys[first].address)
			continue;
		if (!i)
			group->front = wait;
		m->g->waits[wait].place = (uint32_t)i;
	}
}

static void make_groups(struct making *m)
{
	for (size_t i = 0, end; i < m->nr_keys; i = end) {
		for (end = i + 1; end < m->nr_keys && m->keys[end].address == m->keys[i].address;)
			end++;
		make_group(m, i, end);
	}
}

/*
 * Of those who ask the same semaphore: who has been granted permits, and who is served next.
 * That one stands for all between.
 */
static int add_queue(struct making *m, uint32_t wait)
{
	const struct picture *p = m->g->p;
	const struct group *group = &m->groups[m->group[wait]];
	struct graph_wait *w = &m->g->waits[wait];
	int err = 0;

	for (uint32_t i = 0; i < group->nr_granted && !err; i++)
		if (group->granted[i] != wait)
			err = add_edge(m, wait, p->waits[group->granted[i]].task, GRAPH_GRANTED,
				       group->granted[i]);
	if (err || !p->waits[wait].queued)
		return err;
	w->granted = !p->waits[wait].needs;
	if (group->front != WALK_NONE && group->front != wait && w->place)
		err = add_edge(m, wait, p->waits[group->front].task, GRAPH_AHEAD, group->front);
	return err;
}

/* Are all edges of @wait to others in the queue? */
static bool only_queue(const struct making *m, uint32_t wait)
{
	const struct graph_wait *w = &m->g->waits[wait];

	for (uint32_t i = w->edges; i < w->edges + w->nr_edges; i++)
		if (m->g->edges[i].reason == GRAPH_HANDLE)
			return false;
	return true;
}

/* The tasks of a set. *@all: they were all found. */
static int add_set(struct making *m, uint32_t wait, bool *all)
{
	uint64_t key = m->g->p->waits[wait].key.value;
	ssize_t nr = -ENOTSUP;
	int err = 0;

	for (unsigned int r = 0; runtimes[r] && nr < 0; r++)
		nr = picture__set(m->g->p, r, key, m->queue, MAX_ENDERS);
	*all = nr > 0 && nr < MAX_ENDERS;
	for (ssize_t i = 0; i < nr && !err; i++) {
		const struct hash_slot *task = hash_table__find(&m->tasks, m->queue[i]);

		*all &= task != NULL;
		if (task)
			err = add_edge(m, wait, (uint32_t)task->value - 1, GRAPH_JOINED, 0);
	}
	return err;
}

static int add_edges(struct making *m, uint32_t wait)
{
	const struct picture *p = m->g->p;
	const struct picture_wait *own = &p->waits[wait];
	struct graph_wait *w = &m->g->waits[wait];
	const struct hash_slot *task;
	int err = 0;

	w->edges = (uint32_t)m->g->nr_edges;
	switch (own->key.kind) {
	case WALK_KEY_TASK:
		task = hash_table__find(&m->tasks, own->key.value);
		if (task)
			err = add_edge(m, wait, (uint32_t)task->value - 1, GRAPH_JOINED, 0);
		w->closed = task;
		break;
	case WALK_KEY_ADDRESS:
		if (m->types[own_type(m, wait)].ended_by & RUNTIME_SIDE_TASKS)
			return add_set(m, wait, &w->closed);
		err = add_handles(m, wait);
		if (!err && own->node)
			err = add_queue(m, wait);
		/* granted, or first in line, and nobody was found who holds it */
		if (w->nr_edges && own->node && !w->closed)
			w->closed = m->quiet && only_queue(m, wait) &&
				    !in_channel(m, own->key.value);
		w->closed &= !w->many;
		break;
	}
	return err;
}

/* ---- stuck tasks ---- */

static bool ends_never(const struct graph *g, uint32_t wait)
{
	const struct graph_wait *w = &g->waits[wait];

	if (!w->closed || w->granted)
		return false;
	for (uint32_t i = w->edges; i < w->edges + w->nr_edges; i++)
		if (!g->stuck[g->edges[i].to])
			return false;
	return true;
}

static bool stays_stuck(const struct graph *g, uint32_t task)
{
	const struct picture_task *t = &g->p->tasks[task];
	bool any = false;

	for (uint32_t i = t->waits; i < t->waits + t->nr_waits; i++) {
		if (g->p->waits[i].unpolled)
			continue;
		any = true;
		if (!ends_never(g, i))
			return false;
	}
	return any;
}

/* Is @type, with generics, a branch of join!? What is done there waits for nothing. */
static bool is_branch(const char *type)
{
	for (const char *const *b = library_branches; *b; b++) {
		size_t len = strlen(*b);

		if (!strncmp(type, *b, len) && type[len] == '<')
			return true;
	}
	return false;
}

/* May @t wait for something that is not known? Branches of a join that are done do not count. */
static bool is_blind(const struct picture *p, const struct picture_task *t)
{
	const struct walk_variant *variants;
	const struct walk_type *walk_types;
	const struct image_type *types;
	size_t nr, nr_variants;

	if (!t->chain.blind)
		return false;
	types = image__types(p->img, &nr);
	walk_types = image__walk_types(p->img, &nr);
	variants = image__walk_variants(p->img, &nr_variants);
	if (!t->nr_frames || t->chain.nr_tokens >= WALK_MAX_TOKENS)
		return true;
	for (uint32_t i = 0; i < t->chain.nr_tokens; i++)
		if (WALK_IS_GAP(t->chain.tokens[i]) && t->chain.tokens[i] != WALK_ABSENT)
			return true;
	for (uint32_t i = t->frames; i < t->frames + t->nr_frames; i++) {
		const struct picture_frame *f = &p->frames[i];

		if (f->kept_at != WALK_NONE || f->type >= nr || f->variant >= nr_variants ||
		    variants[f->variant].nr_arcs)
			continue;
		if (walk_types[f->type].flags & WALK_TYPE_OPAQUE ||
		    (variants[f->variant].flags & WALK_VARIANT_DONE &&
		     !is_branch(image__str(p->img, types[f->type].name))))
			return true;
	}
	return false;
}

/* The largest set of tasks each of which waits for others of the set alone. */
static void find_stuck(struct graph *g, const bool *steady)
{
	const struct picture *p = g->p;
	bool more = true;

	for (size_t i = 0; i < p->nr_tasks; i++)
		g->stuck[i] = steady[i] && p->tasks[i].state == PICTURE_IDLE &&
			      !is_blind(p, &p->tasks[i]);
	while (more) {
		more = false;
		for (uint32_t i = 0; i < p->nr_tasks; i++) {
			if (!g->stuck[i] || stays_stuck(g, i))
				continue;
			g->stuck[i] = false;
			more = true;
		}
	}
}

/* ---- strongly connected parts of them (Tarjan's algorithm, with a stack of its own) ---- */

struct scc {
	uint32_t	*index, *low, *stack, *calls;
	size_t		*at;		/* by task: the next edge to follow */
	uint32_t	*first;		/* by task: its first edge */
	bool		*on;
	uint32_t	 next, depth;
};

static void close_part(struct graph *g, struct scc *s, uint32_t task)
{
	uint32_t from = s->depth, nr;
	bool self = false;

	do
		from--;
	while (s->stack[from] != task);
	nr = s->depth - from;
	for (size_t e = s->first[task]; e < s->first[task + 1]; e++)
		self |= g->edges[e].to == task && g->edges[e].from == task;
	if (nr > 1 || self)
		g->nr_parts++;
	for (uint32_t i = from; i < s->depth; i++) {
		s->on[s->stack[i]] = false;
		if (nr > 1 || self)
			g->part[s->stack[i]] = g->nr_parts;
	}
	s->depth = from;
}

static void connect(struct graph *g, struct scc *s, uint32_t root)
{
	uint32_t nr_calls = 0;

	s->calls[nr_calls++] = root;
	while (nr_calls) {
		uint32_t task = s->calls[nr_calls - 1];
		bool down = false;

		if (!s->index[task]) {
			s->index[task] = s->low[task] = ++s->next;
			s->stack[s->depth++] = task;
			s->on[task] = true;
			s->at[task] = s->first[task];
		}
		for (; s->at[task] < s->first[task + 1] && !down; s->at[task]++) {
			const struct graph_edge *e = &g->edges[s->at[task]];

			if (!g->stuck[e->to] || g->p->waits[e->wait].unpolled)
				continue;
			if (!s->index[e->to]) {
				s->calls[nr_calls++] = e->to;
				down = true;
				break;
			}
			if (s->on[e->to] && s->low[e->to] < s->low[task])
				s->low[task] = s->low[e->to];
		}
		if (down)
			continue;
		if (s->low[task] == s->index[task])
			close_part(g, s, task);
		nr_calls--;
	}
}

static int find_parts(struct graph *g)
{
	size_t nr = g->p->nr_tasks + 1;
	struct scc s = {
		.index = calloc(nr, sizeof(uint32_t)), .low = calloc(nr, sizeof(uint32_t)),
		.stack = calloc(nr, sizeof(uint32_t)), .calls = calloc(nr, sizeof(uint32_t)),
		.at = calloc(nr, sizeof(size_t)), .first = calloc(nr + 1, sizeof(uint32_t)),
		.on = calloc(nr, sizeof(bool)),
	};
	int err = -ENOMEM;

	if (!s.index || !s.low || !s.stack || !s.calls || !s.at || !s.first || !s.on)
		goto out;
	err = 0;
	/* waits are sorted by task, and edges by wait */
	for (size_t i = 0, e = 0; i < nr; i++) {
		while (e < g->nr_edges && g->edges[e].from < i)
			e++;
		s.first[i] = (uint32_t)e;
	}
	for (uint32_t i = 0; i < g->p->nr_tasks; i++)
		if (g->stuck[i] && !s.index[i])
			connect(g, &s, i);
out:
	free(s.index);
	free(s.low);
	free(s.stack);
	free(s.calls);
	free(s.at);
	free(s.first);
	free(s.on);
	return err;
}

/* ---- the graph ---- */

int graph__make(struct graph *g, const struct picture *p, const bool *steady)
{
	struct making m = { .g = g };
	size_t nr;
	int err;

	*g = (struct graph){ .p = p };
	m.types = image__types(p->img, &nr);
	m.handle_types = image__handles(p->img, &nr);
	g->waits = calloc(p->nr_waits + 1, sizeof(*g->waits));
	g->stuck = calloc(p->nr_tasks + 1, sizeof(*g->stuck));
	g->part = calloc(p->nr_tasks + 1, sizeof(*g->part));
	for (size_t i = 0; i < p->nr_waits && g->waits; i++)
		g->waits[i].place = WALK_NONE;
	err = g->waits && g->stuck && g->part ? sort_all(&m) : -ENOMEM;
	m.quiet = !p->incomplete && !p->untold;
	for (size_t i = 0; i < p->nr_tasks; i++)
		m.quiet &= !steady[i] || p->tasks[i].state != PICTURE_POLLED;
	if (!err)
		make_groups(&m);
	for (uint32_t i = 0; i < p->nr_waits && !err; i++)
		err = add_edges(&m, i);
	if (!err) {
		find_stuck(g, steady);
		err = find_parts(g);
	}
	hash_table__clear(&m.tasks);
	free(m.objects);
	free(m.keys);
	free(m.nodes);
	free(m.groups);
	free(m.group);
	free(m.queue);
	return err;
}

void graph__free(struct graph *g)
{
	free(g->waits);
	free(g->edges);
	free(g->stuck);
	free(g->part);
	*g = (struct graph){ .p = NULL };
}
