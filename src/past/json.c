/* SPDX-License-Identifier: GPL-2.0 */
/* What a recording tells, as JSON. See past.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "join/account.h"
#include "past/past.h"

#define WORDS_MAX	1024

static json_int_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static json_t *place_of(const struct join_place *at)
{
	return json_pack("{s:s, s:s, s:I}", "function", at->function, "file", at->file, "line",
			 (json_int_t)at->line);
}

static json_t *id_of(uint64_t task)
{
	return json_sprintf("0x%" PRIx64, task);
}

/* ---- findings and places ---- */

static json_t *finding_of(const struct past *p, const struct lint_finding *f)
{
	json_t *tasks = json_array(), *where = json_array();

	for (size_t i = 0; i < f->nr_parties; i++) {
		const struct lint_party *party = &f->parties[i];
		json_t *at = place_of(&party->place);

		json_object_set_new(at, "role", json_string(party->role));
		json_object_set_new(at, "text", json_string(party->text));
		if (party->task) {
			json_object_set_new(at, "task", id_of(party->id));
			json_object_set_new(at, "name", json_string(party->task));
			json_array_append_new(tasks, id_of(party->id));
		}
		json_array_append_new(where, at);
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "kind", f->lint->name,
			 "text", f->text, "since_ns", number(f->ns), "from_ns",
			 number(past__since(p, f->from)), "to_ns", number(past__since(p, f->to)),
			 "count", number(f->count), "total_ns", number(f->total_ns), "tasks", tasks,
			 "where", where);
}

static json_t *point_of(const struct join_point *point)
{
	const struct join_place place = { point->function, point->file, point->path, point->line,
					  point->foreign };
	json_t *split = json_object();

	for (size_t i = 0; i < point->nr_split; i++)
		json_object_set_new(split, point->split[i].name,
				    json_integer(number(point->split[i].ns)));
	return json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "task", point->task,
			 "at", place_of(&place), "leaf", point->leaf, "count",
			 number(point->count), "open", number(point->open), "await_ns",
			 number(point->await_ns), "ready_ns", number(point->ready_ns), "p50_ns",
			 number(point->await.p50), "max_ns", number(point->await.max), "split", split);
}

/* ---- episodes ---- */

static json_t *segments_of(const uint64_t *ns)
{
	json_t *o = json_object();

	for (int s = 0; s < JOIN_SEGMENT_NR; s++)
		json_object_set_new(o, join_segment__name((enum join_segment)s),
				    json_integer(number(ns[s])));
	return o;
}

static json_t *parts_of(const struct past *p, const struct episode *e)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < e->parts.nr; i++) {
		const struct piece *piece = &e->parts.list[i];
		const char *about = join__detail(p->join, piece->detail);
		struct join_sleep sleep = { .futex = 0 };
		json_t *o;

		if (piece->detail.kind == DETAIL_SLEEP &&
		    !join__sleep(p->join, piece->detail.id, &sleep))
			about = sleep.what;
		o = json_pack("{s:s, s:s, s:s, s:I}", "segment",
			      join_segment__name((enum join_segment)piece->segment), "part",
			      part__name((enum part)piece->part), "detail", about ? about : "", "ns",
			      number(piece->ns));
		if (o && sleep.futex)
			json_object_set_new(o, "futex", id_of(sleep.futex));
		json_array_append_new(list, o);
	}
	return list;
}

/* A frame's name is "path::function (file.rs:12)" where its place is known. */
static json_t *frame_of(const struct join_frame *f)
{
	const char *at = strrchr(f->name, '('), *line = at ? strrchr(at, ':') : NULL;
	bool placed = line && at > f->name && at[-1] == ' ' &&
		      (f->kind == JOIN_FRAME_AWAIT || f->kind == JOIN_FRAME_AWAIT_OWN);

	if (!placed)
		return json_pack("{s:s, s:s, s:i}", "function", f->name, "file", "", "line", 0);
	return json_pack("{s:s%, s:s%, s:I}", "function", f->name, (size_t)(at - 1 - f->name), "file",
			 at + 1, (size_t)(line - at - 1), "line", (json_int_t)atoll(line + 1));
}

static json_t *chain_of(const struct past *p, const struct episode *e)
{
	json_t *chain = json_array();
	size_t nr = 0;
	struct join_frame *frames = e->of.chain == NO_CHAIN ? NULL :
				    join__chain(p->join, e->of.chain, e->of.branch, &nr);

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(chain, frame_of(&frames[i]));
	free(frames);
	return chain;
}

static json_t *keys_of(const struct past *p, const struct episode *e)
{
	static const char *const kinds[] = {
		[WALK_KEY_NONE] = "none", [WALK_KEY_IO] = "io", [WALK_KEY_DEADLINE] = "deadline",
		[WALK_KEY_TASK] = "task", [WALK_KEY_ADDRESS] = "address",
		[WALK_KEY_YIELD] = "yield", [WALK_KEY_UNREAD] = "unread",
		[WALK_KEY_OPERATION] = "operation",
	};
	json_t *keys = json_array();

	for (unsigned int i = 0; e->what == EPISODE_WAIT && i < e->nr_keys; i++) {
		struct walk_key key = walk_keys__get(&e->keys, i);
		json_t *o = json_pack("{s:s}", "kind", key.kind <= WALK_KEY_OPERATION ?
				      kinds[key.kind] : "none");

		if (key.kind == WALK_KEY_DEADLINE)
			json_object_set_new(o, "due_ns",
					    json_integer(number(past__since(p, key.value))));
		else
			json_object_set_new(o, "value", id_of(key.value));
		json_array_append_new(keys, o);
	}
	return keys;
}

static json_t *episode_of(const struct past *p, const struct episode *e)
{
	static const char *const kinds[] = {
		[EPISODE_UNKNOWN] = "unknown", [EPISODE_WAIT] = "wait", [EPISODE_POLL] = "poll",
	};
	struct join_place at;
	char by[WORDS_MAX];
	const char *what;
	json_t *o;

	if (past__place(p, e, &at, &what))
		return NULL;
	o = json_pack("{s:o, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "id",
		      id_of(e->of.task), "task", past__task(p, e->of.kind), "what", kinds[e->what],
		      "at", place_of(&at), "leaf", what, "from_ns", number(past__since(p, e->from)),
		      "to_ns", number(past__since(p, e->to)), "tid", (json_int_t)e->tid, "segments",
		      segments_of(e->segments), "parts", parts_of(p, e), "chain", chain_of(p, e),
		      "keys", keys_of(p, e));
	if (!o || !e->woken || e->what != EPISODE_WAIT)
		return o;
	past__waker(p, e, by, sizeof(by));
	json_object_set_new(o, e->spawned ? "spawned_by" : "woken_by", json_string(by));
	json_object_set_new(o, "woken_ns", json_integer(number(past__since(p, e->woken))));
	return o;
}

static json_t *episodes_of(const struct past *p, const struct longest *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->nr; i++)
		json_array_append_new(list, episode_of(p, &l->list[i]));
	return list;
}

/* ---- tasks ---- */

static json_t *state_of(const struct past *p, const struct episode *e)
{
	json_t *o = episode_of(p, e);

	if (o) {
		json_object_set_new(o, "state", json_string(past__state(p, e)));
		json_object_set_new(o, "since_ns", json_integer(number(p->moment - e->from)));
	}
	return o;
}

static json_t *life_of(const struct past *p, const struct past_life *l)
{
	static const char *const ends[END_NR] = {
		[END_COMPLETED] = "completed", [END_CANCELLED] = "cancelled",
		[END_UNSEEN] = "unseen", [END_ALIVE] = "alive",
	};
	struct episode first = { .of = l->of, .waker = l->spawner };
	char by[WORDS_MAX] = "";

	if (l->spawned)
		past__waker(p, &first, by, sizeof(by));
	return json_pack("{s:o, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:o, s:o, s:I}", "id",
			 id_of(l->of.task), "task", past__task(p, l->of.kind), "spawned_by", by,
			 "from_ns", number(past__since(p, l->of.born)), "to_ns",
			 number(past__since(p, l->to)), "end",
			 ends[l->end < END_NR ? l->end : END_UNSEEN], "waits", number(l->waits),
			 "polls", number(l->polls), "segments", segments_of(l->segments), "episodes",
			 episodes_of(p, &l->longest), "more",
			 number(l->longest.seen - l->longest.nr));
}

/* ---- all of it ---- */

static json_t *findings_of(const struct past *p)
{
	size_t nr;
	const struct lint_finding *list = lints__findings(p->lints, &nr);
	json_t *findings = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(findings, finding_of(p, &list[i]));
	return findings;
}

static json_t *points_of(const struct past *p)
{
	size_t nr;
	const struct join_point *list = join__points(p->join, &nr);
	json_t *points = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(points, point_of(&list[i]));
	return points;
}

static void add_asked_for(const struct past *p, json_t *all)
{
	json_t *tasks = json_array();

	for (size_t i = 0; i < p->nr_states; i++)
		json_array_append_new(tasks, state_of(p, &p->states[i]));
	for (size_t i = 0; i < p->nr_lives; i++)
		json_array_append_new(tasks, life_of(p, &p->lives[i]));
	json_object_set_new(all, "tasks", tasks);
	if (p->other_lives)
		json_object_set_new(all, "more_tasks", json_integer(number(p->other_lives)));
	if (p->opts.has_at)
		json_object_set_new(all, "at_ns", json_integer(number(p->opts.at)));
	if (p->opts.slowest)
		json_object_set_new(all, "slowest", json_pack("{s:o, s:o}", "waits",
							      episodes_of(p, &p->waits), "polls",
							      episodes_of(p, &p->polls)));
}

struct json_t *past__to_json(const struct past *p)
{
	json_t *all = json_pack("{s:o, s:o}", "findings", findings_of(p), "waits", points_of(p));

	if (all)
		add_asked_for(p, all);
	return all;
}
