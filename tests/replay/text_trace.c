// SPDX-License-Identifier: GPL-2.0
/*
 * From text to a trace. One statement a line, '#' begins a comment. Times are
 * microseconds with up to three decimals.
 *
 *	host KEY=VALUE…			comm pid tier hint runtime attach (time) samples (a second)
 *	kind ID NAME [blocking] [unseen_spawns] [root] [boxed] [scheduler=NAME]
 *	thread TID NAME
 *	stack ID FRAME…			innermost first
 *	user-stack ID [poll=NR] [end=start|cut] NAME@PATH:LINE…
 *					innermost first; "@PATH:LINE" may be missing
 *					what is behind a "|" is not the polled task's
 *	note TEXT
 *	loss COUNT CAUSE
 *	chain ID [task=NAME]		nodes follow, one more '.' a level deeper
 *	. await|wrapper|leaf|gap|done|opaque NAME [@PATH:LINE] [own] [fd|nofd] [KEY:INDEX]
 *					[queue|tick|signal|tasks|beside]
 *	TIME CPU TID EVENT …		see events[]
 *	end TIME [KEY=VALUE…]		hits cpu target by
 *	cut				no end marker
 *	repeat COUNT PERIOD		what follows so often, each time PERIOD (a time) later …
 *	again				… up to here; not inside another one
 *
 * NAME has '_' for a space. Tasks, tokens and other addresses are words: each
 * stands for an address of its own. An IO key is WORD:r or WORD:w, a deadline
 * is "at TIME".
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/replay/text_trace.h"
#include "tests/replay/text_words.h"
#include "trace/trace.h"

/* ---- metadata ---- */

static int begin(struct text_trace *t, const char *path)
{
	if (t->w)
		return 0;
	return trace_writer__new(path, &t->host, &t->w) ? text__bad(t, "cannot write %s", path) : 0;
}

static int host(struct text_trace *t)
{
	const char **fields[] = { &t->host.comm, &t->host.tier, &t->host.tier_hint,
				  &t->host.runtime };
	static const char *const keys[] = { "comm", "tier", "hint", "runtime" };

	for (size_t i = 0; i < 4; i++)
		if (text__value(t, keys[i])) {
			free(t->host_texts[i]);
			t->host_texts[i] = strdup(text__value(t, keys[i]));
			text__spaces(t->host_texts[i]);
			*fields[i] = t->host_texts[i];
		}
	t->host.pid = (uint32_t)text__value_number(t, "pid", t->host.pid);
	t->host.sample_hz = (uint32_t)text__value_number(t, "samples", 0);
	return text__value_time(t, "attach", &t->host.attach_ts);
}

/* Which of @words @word is; 0: none, or the first. */
static unsigned int index_of(const char *const *words, unsigned int nr, const char *word)
{
	while (nr-- > 1)
		if (!strcmp(words[nr], word))
			return nr;
	return 0;
}

static int node(struct text_trace *t)
{
	static const char *const kinds[] = { "await", "wrapper", "leaf", "gap", "done", "opaque" };
	static const char *const idle[] = { "", "queue", "tick", "signal", "tasks", "beside" };
	static const char *const keys[] = { "none", "io", "deadline", "task", "address",
					    "yield", "unread", "op" };
	uint32_t i = t->nr_nodes;
	struct trace_node *n = &t->nodes[i];
	size_t at = 0;

	if (i == NODES_MAX)
		return text__bad(t, "too many nodes");
	*n = (struct trace_node){ .kind = 0xff, .key_index = 0xff, .file = "", .path = "" };
	while (at < t->nr_words && !strcmp(t->words[at], "."))
		at++;
	t->depth[i] = (unsigned int)at;
	for (uint8_t k = 0; k < 6 && at < t->nr_words; k++)
		if (!strcmp(t->words[at], kinds[k]))
			n->kind = k;
	if (n->kind == 0xff || at + 1 >= t->nr_words)
		return text__bad(t, "no such node");
	snprintf(t->texts[i][0], sizeof(t->texts[i][0]), "%s", t->words[at + 1]);
	text__spaces(t->texts[i][0]);
	n->name = t->texts[i][0];
	for (at += 2; at < t->nr_words; at++) {
		char *word = t->words[at], *colon = strrchr(word, ':');

		if (!strcmp(word, "own")) {
			n->runtime_own = 1;
		} else if (!strcmp(word, "fd")) {
			n->descriptor = TRACE_DESCRIPTOR_OWN;
		} else if (!strcmp(word, "nofd")) {
			n->descriptor = TRACE_DESCRIPTOR_NONE;
		} else if (*word == '@' && colon) {
			*colon = '\0';
			snprintf(t->texts[i][1], sizeof(t->texts[i][1]), "%s", word + 1);
			n->path = t->texts[i][1];
			n->file = strrchr(n->path, '/') ? strrchr(n->path, '/') + 1 : n->path;
			n->line = (uint32_t)text__number(colon + 1);
		} else if (colon) {
			*colon = '\0';
			for (uint8_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
				if (!strcmp(word, keys[k]))
					n->key = k;
			n->key_index = (uint8_t)text__number(colon + 1);
		} else if (index_of(idle, 6, word)) {
			n->idle = (uint8_t)index_of(idle, 6, word);
		} else {
			return text__bad(t, "'%s' of a node", word);
		}
	}
	/* Its parent is the last node one level up. */
	for (uint32_t p = i; p--;)
		if (t->depth[p] < t->depth[i]) {
			t->nodes[p].nr_children++;
			break;
		}
	t->nr_nodes++;
	return 0;
}

static int end_chain(struct text_trace *t)
{
	struct trace_chain c = { .id = t->chain_id, .nr = t->nr_nodes, .nodes = t->nodes,
				 .task = t->chain_task };

	if (!t->in_chain)
		return 0;
	t->in_chain = false;
	t->nr_nodes = 0;
	return trace_writer__chain(t->w, &c) ? text__bad(t, "cannot write the chain") : 0;
}

static int user_stack(struct text_trace *t, uint32_t id)
{
	struct trace_user_frame frames[WORDS_MAX];
	struct trace_user_stack s = { .id = id, .frames = frames };

	for (size_t i = 2; i < t->nr_words; i++) {
		char *at = strchr(t->words[i], '@'), *colon = at ? strrchr(at, ':') : NULL;
		struct trace_user_frame *f = &frames[s.nr];

		if (!strncmp(t->words[i], "poll=", 5) || !strncmp(t->words[i], "end=", 4))
			continue;
		if (!strcmp(t->words[i], "|")) {
			s.of_task = s.nr;
			continue;
		}
		s.nr++;
		*f = (struct trace_user_frame){ .function = t->words[i], .path = "" };
		if (!colon)
			continue;
		*at = *colon = '\0';
		f->path = at + 1;
		f->line = (uint32_t)text__number(colon + 1);
	}
	s.in_poll = (uint32_t)text__value_number(t, "poll", 0);
	if (text__value(t, "end"))
		s.end = !strcmp(text__value(t, "end"), "start") ? TRACE_STACK_START : TRACE_STACK_CUT;
	return trace_writer__user_stack(t->w, &s);
}

static int metadata(struct text_trace *t, const char *line)
{
	const char *what = t->words[0];
	char *name = t->nr_words > 2 ? t->words[2] : NULL;
	uint32_t id = t->nr_words > 1 ? (uint32_t)text__number(t->words[1]) : 0;

	if (!strcmp(what, "chain")) {
		t->in_chain = true;
		t->chain_id = id;
		snprintf(t->chain_task, sizeof(t->chain_task), "%s",
			 text__value(t, "task") ? text__value(t, "task") : "");
		text__spaces(t->chain_task);
		return 0;
	}
	if (!strcmp(what, "note"))
		return trace_writer__note(t->w, line + 5);
	if (!name)
		return text__bad(t, "'%s' needs more", what);
	if (!strcmp(what, "loss"))
		return trace_writer__loss(t->w, strstr(line, name), id);
	if (!strcmp(what, "stack")) {
		struct trace_stack s = { .id = id, .nr = (uint32_t)t->nr_words - 2,
					 .frames = (const char *const *)t->words + 2 };

		return trace_writer__stack(t->w, &s);
	}
	if (!strcmp(what, "user-stack"))
		return user_stack(t, id);
	text__spaces(name);
	if (!strcmp(what, "kind")) {
		struct trace_task_kind k = { .id = id, .name = name, .name_long = name,
					     .scheduler = text__value(t, "scheduler"),
					     .blocking = text__has(t, "blocking"),
					     .unseen_spawns = text__has(t, "unseen_spawns"),
					     .root = text__has(t, "root"),
					     .boxed = text__has(t, "boxed") };

		if (!k.scheduler)
			k.scheduler = "";

		return trace_writer__task_kind(t->w, &k);
	}
	if (!strcmp(what, "thread"))
		return trace_writer__thread(t->w, &(struct trace_thread){ id, name });
	return text__bad(t, "what is '%s'?", what);
}

/* ---- events ---- */

/* chain=ID and the keys after it: WORD:r, WORD:w, at TIME, op NUMBER, WORD. */
static int wait_of(struct text_trace *t, size_t at, uint32_t *chain, struct walk_keys *keys,
		   uint8_t *nr)
{
	*chain = (uint32_t)text__value_number(t, "chain", 0);
	*nr = 0;
	for (; at < t->nr_words; at++) {
		const char *word = t->words[at], *colon = strrchr(word, ':');
		struct walk_key key = { 0 };	/* a mere word: of the kind that the leaf has */
		uint64_t at_time;

		if (strchr(word, '='))
			continue;
		if (*nr == WALK_MAX_KEYS)
			return text__bad(t, "too many keys");
		if (!strcmp(word, "at") && at + 1 < t->nr_words) {
			if (text__time(t, t->words[++at], &at_time))
				return -1;
			key.value = at_time;
			key.kind = WALK_KEY_DEADLINE;
		} else if (!strcmp(word, "op") && at + 1 < t->nr_words) {
			key.value = text__number(t->words[++at]);
			key.kind = WALK_KEY_OPERATION;
		} else if (colon) {
			key.value = text__address(t, word, (size_t)(colon - word));
			key.kind = WALK_KEY_IO;
			key.dir = colon[1] == 'r' ? WALK_DIR_READ :
				  colon[1] == 'w' ? WALK_DIR_WRITE : 0;
		} else {
			key.value = text__address(t, word, strlen(word));
		}
		walk_keys__set(keys, (*nr)++, key);
	}
	return 0;
}

static int ev_task(struct text_trace *t, struct trace_event *ev)
{
	ev->task.task = text__address(t, t->words[4], strlen(t->words[4]));
	return 0;
}

static int ev_begin(struct text_trace *t, struct trace_event *ev)
{
	ev->poll.task = text__address(t, t->words[4], strlen(t->words[4]));
	ev->poll.kind = (uint32_t)text__value_number(t, "kind", 1);
	return 0;
}

static int ev_end(struct text_trace *t, struct trace_event *ev)
{
	static const char *const results[] = { "pending", "ready", "unknown" };

	ev->end.task = text__address(t, t->words[4], strlen(t->words[4]));
	if (t->nr_words < 6)
		return text__bad(t, "end needs a result");
	for (uint8_t i = 0; i < 3; i++)
		if (!strcmp(t->words[5], results[i]))
			ev->end.result = i;
	return wait_of(t, 6, &ev->end.chain, &ev->end.keys, &ev->end.nr_keys);
}

static int ev_seen(struct text_trace *t, struct trace_event *ev)
{
	static const char *const states[] = { "idle", "notified", "running", "unknown" };

	ev->seen.task = text__address(t, t->words[4], strlen(t->words[4]));
	ev->seen.kind = (uint32_t)text__value_number(t, "kind", 1);
	if (t->nr_words < 6)
		return text__bad(t, "seen needs a state");
	for (uint8_t i = 0; i < 4; i++)
		if (!strcmp(t->words[5], states[i]))
			ev->seen.state = i;
	return wait_of(t, 6, &ev->seen.chain, &ev->seen.keys, &ev->seen.nr_keys);
}

static int ev_off(struct text_trace *t, struct trace_event *ev)
{
	static const char *const reasons[] = { "preempted", "asleep", "disk", "stopped" };

	for (uint8_t i = 0; i < 4; i++)
		if (!strcmp(t->words[4], reasons[i]))
			ev->off.reason = i;
	ev->off.out = ev->ts;
	ev->off.waker = (uint32_t)text__value_number(t, "waker", 0);
	ev->off.stack = (uint32_t)text__value_number(t, "stack", 0);
	ev->off.user = (uint32_t)text__value_number(t, "user", 0);
	ev->off.waker_user = (uint32_t)text__value_number(t, "waker-user", 0);
	ev->off.syscall = text__value(t, "syscall") ? (int16_t)text__value_number(t, "syscall", 0) : -1;
	if (text__has(t, "epoll"))
		ev->off.syscall = 232;
	ev->off.open = text__has(t, "open");
	ev->off.woken = text__has(t, "woken");
	ev->off.told = text__has(t, "told") ? TRACE_OFF_TOLD
				      : text__has(t, "unseen") ? TRACE_OFF_UNSEEN : TRACE_OFF_SEEN;
	return text__value_time(t, "out", &ev->off.out) || text__value_time(t, "wake", &ev->off.wake) ? -1 : 0;
}

static int ev_slept(struct text_trace *t, struct trace_event *ev)
{
	ev->sleep.stack = (uint32_t)text__value_number(t, "stack", 0);
	return text__value_time(t, "out", &ev->sleep.out) ? -1 : 0;
}

static int ev_sample(struct text_trace *t, struct trace_event *ev)
{
	ev->sample.user = (uint32_t)text__value_number(t, "user", 0);
	ev->sample.kernel = (uint32_t)text__value_number(t, "kernel", 0);
	return 0;
}

static int ev_epoll(struct text_trace *t, struct trace_event *ev)
{
	ev->epoll.nr = (int32_t)text__number(t->words[4]);
	ev->epoll.epfd = (int32_t)text__value_number(t, "epfd", 5);
	return 0;
}

static int ev_ready(struct text_trace *t, struct trace_event *ev)
{
	static const struct {
		const char	*name;
		uint32_t	 bits;
	} events[] = { { "in", EPOLLIN }, { "out", EPOLLOUT }, { "hup", EPOLLHUP | EPOLLRDHUP },
		       { "err", EPOLLERR }, { "turn", TRACE_READY_TURN },
		       { "sent", TRACE_READY_SENT }, { "first", TRACE_READY_FIRST } };

	ev->ready.token = text__address(t, t->words[4], strlen(t->words[4]));
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (text__has(t, events[i].name))
			ev->ready.events |= events[i].bits;
	ev->ready.reader = text__value_address(t, "reader");
	ev->ready.writer = text__value_address(t, "writer");
	return text__value_time(t, "since", &ev->ready.ready);
}

static uint8_t role_of(const struct text_trace *t)
{
	return text__has(t, "listens")   ? TRACE_FD_LISTENS :
	       text__has(t, "accepted")  ? TRACE_FD_ACCEPTED :
	       text__has(t, "connected") ? TRACE_FD_CONNECTED : TRACE_FD_OTHER;
}

/* "turn sent first": TRACE_READY_*. */
static uint32_t turn_of(const struct text_trace *t)
{
	return (text__has(t, "turn") ? TRACE_READY_TURN : 0) | (text__has(t, "sent") ? TRACE_READY_SENT : 0) |
	       (text__has(t, "first") ? TRACE_READY_FIRST : 0);
}

static int ev_fd(struct text_trace *t, struct trace_event *ev)
{
	const char *name = text__value(t, "name");
	char copy[256];

	ev->fd.token = text__address(t, t->words[4], strlen(t->words[4]));
	ev->fd.epfd = (int32_t)text__value_number(t, "epfd", 5);
	ev->fd.fd = (int32_t)text__value_number(t, "fd", 9);
	ev->fd.role = role_of(t);
	ev->fd.sent = text__has(t, "sent");
	ev->fd.seen = text__has(t, "seen");
	if (name) {
		snprintf(copy, sizeof(copy), "%s", name);
		text__spaces(copy);
		ev->fd.name = trace_writer__string(t->w, copy);
	}
	return text__value_time(t, "came", &ev->fd.came);
}

static int ev_lost(struct text_trace *t, struct trace_event *ev)
{
	ev->lost.count = text__number(t->words[4]);
	ev->lost.first = ev->ts;
	return text__value_time(t, "first", &ev->lost.first);
}

static int ev_gone(struct text_trace *t, struct trace_event *ev)
{
	ev->polls.nr = (uint32_t)text__number(t->words[4]);
	return 0;
}

static int ev_waiter(struct text_trace *t, struct trace_event *ev)
{
	ev->waiter.token = text__address(t, t->words[4], strlen(t->words[4]));
	ev->waiter.task = text__value_address(t, "task");
	ev->waiter.dir = (uint8_t)((text__has(t, "reads") ? 1 : 0) | (text__has(t, "writes") ? 2 : 0));
	return 0;
}

static int ev_listed(struct text_trace *t, struct trace_event *ev)
{
	ev->listed.begin = ev->ts;
	return text__value_time(t, "begin", &ev->listed.begin);
}

static int ev_submit(struct text_trace *t, struct trace_event *ev)
{
	ev->submit.user_data = text__number(t->words[4]);
	ev->submit.opcode = (uint8_t)text__number(t->words[5]);
	ev->submit.ring = (uint32_t)text__value_number(t, "ring", 1);
	ev->submit.fd = text__value(t, "fd") ? (int32_t)text__value_number(t, "fd", 0) :
			text__has(t, "registered") ? TRACE_URING_FIXED_FD : TRACE_URING_NO_FD;
	if (text__value(t, "path"))
		ev->submit.path = trace_writer__string(t->w, text__value(t, "path"));
	return 0;
}

static int ev_step(struct text_trace *t, struct trace_event *ev)
{
	static const char *const steps[] = { "", "armed", "ready", "punted", "done", "overflow" };

	ev->step.user_data = text__number(t->words[4]);
	for (uint8_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(t->words[5], steps[i]))
			ev->step.step = i;
	ev->step.ring = (uint32_t)text__value_number(t, "ring", 1);
	ev->step.res = (int32_t)text__value_number(t, "res", 0);
	ev->step.flags = (text__has(t, "more") ? TRACE_URING_MORE : 0) | turn_of(t);
	if (text__has(t, "in"))
		ev->step.res |= EPOLLIN;
	if (text__has(t, "out"))
		ev->step.res |= EPOLLOUT;
	return ev->step.step ? 0 : text__bad(t, "what step is '%s'?", t->words[5]);
}

static int ev_waited(struct text_trace *t, struct trace_event *ev)
{
	ev->waited.nr = (int32_t)text__number(t->words[4]);
	ev->waited.fd = (int32_t)text__value_number(t, "fd", 7);
	return 0;
}

static int ev_file(struct text_trace *t, struct trace_event *ev)
{
	const char *name = text__value(t, "name");
	char copy[256];

	ev->file.fd = (int32_t)text__number(t->words[4]);
	snprintf(copy, sizeof(copy), "%s", name ? name : "");
	text__spaces(copy);
	ev->file.name = trace_writer__string(t->w, copy);
	ev->file.role = role_of(t);
	return 0;
}

static int ev_throttled(struct text_trace *t, struct trace_event *ev)
{
	return text__time(t, t->words[4], &ev->throttled.ns);
}

static int ev_wake_stack(struct text_trace *t, struct trace_event *ev)
{
	ev->wake_stack.user = (uint32_t)text__number(t->words[4]);
	return 0;
}

static int ev_futex(struct text_trace *t, struct trace_event *ev)
{
	ev->futex.word = strtoull(t->words[4], NULL, 16);
	return 0;
}

static int ev_slept_on(struct text_trace *t, struct trace_event *ev)
{
	ev->slept_on.file = (uint32_t)text__number(t->words[4]);
	return 0;
}

static int ev_named(struct text_trace *t, struct trace_event *ev)
{
	const char *name = text__value(t, "name");
	char copy[256];

	ev->named.file = (uint32_t)text__number(t->words[4]);
	snprintf(copy, sizeof(copy), "%s", name ? name : "");
	text__spaces(copy);
	ev->named.name = trace_writer__string(t->w, copy);
	return 0;
}

static int ev_none(struct text_trace *t, struct trace_event *ev)
{
	(void)t;
	(void)ev;
	return 0;
}

static const struct {
	const char	*name;
	uint8_t		 type;
	size_t		 words;
	int		 (*parse)(struct text_trace *t, struct trace_event *ev);
} events[] = {
	{ "begin", TRACE_POLL_BEGIN, 5, ev_begin },	/* TASK [kind=ID] */
	{ "end", TRACE_POLL_END, 6, ev_end },		/* TASK pending|ready|unknown [chain=ID KEY…] */
	{ "wake", TRACE_WAKE, 5, ev_task },		/* TASK */
	{ "new", TRACE_TASK_NEW, 5, ev_task },		/* TASK */
	{ "drop", TRACE_TASK_DROP, 5, ev_task },	/* TASK */
	{ "seen", TRACE_TASK_SEEN, 6, ev_seen },	/* TASK idle|notified|running|unknown [kind= chain= KEY…] */
	{ "slept", TRACE_SLEEP_STACK, 4, ev_slept },	/* out=TIME stack=ID */
	{ "sample", TRACE_CPU_SAMPLE, 4, ev_sample },	/* [user=ID kernel=ID] */
	{ "off", TRACE_OFF_CPU, 5, ev_off },		/* REASON out=TIME [wake=TIME waker= stack= user= waker-user= epoll open told unseen] */
	{ "throttled", TRACE_THROTTLED, 5, ev_throttled },	/* TIME; before an 'off' of the same time */
	{ "slept-on", TRACE_SLEPT_ON, 5, ev_slept_on },	/* ID; likewise */
	{ "futex", TRACE_FUTEX, 5, ev_futex },		/* ADDRESS, hexadecimal; likewise */
	{ "wake-stack", TRACE_WAKE_STACK, 5, ev_wake_stack },	/* ID; before a 'wake' of the same time */
	{ "named", TRACE_FILE, 6, ev_named },		/* ID name=NAME */
	{ "epoll", TRACE_EPOLL_WAIT, 5, ev_epoll },	/* NR [epfd=] */
	{ "ready", TRACE_EPOLL_READY, 5, ev_ready },	/* TOKEN in|out|hup|err [turn sent first since=TIME reader= writer=] */
	/* TOKEN [listens|accepted|connected epfd= fd= name=NAME] */
	{ "add", TRACE_FD_ADD, 5, ev_fd },
	{ "turn", TRACE_FD_TURN, 5, ev_fd },		/* TOKEN [sent seen fd= came=TIME] */
	{ "del", TRACE_FD_DEL, 5, ev_fd },		/* TOKEN [epfd=] */
	{ "lost", TRACE_LOST, 5, ev_lost },		/* COUNT first=TIME */
	{ "gone", TRACE_POLLS_GONE, 5, ev_gone },	/* NR that go on */
	{ "waiter", TRACE_FD_WAITER, 6, ev_waiter },	/* TOKEN task=TASK [reads writes] */
	{ "listed", TRACE_TASKS_LISTED, 4, ev_listed },	/* [begin=TIME] */
	{ "submit", TRACE_URING_SUBMIT, 6, ev_submit }, /* USER_DATA OPCODE [ring= fd= path= registered] */
	/* USER_DATA armed|ready|punted|done|overflow [ring= res= in out more] */
	{ "step", TRACE_URING_STEP, 6, ev_step },
	{ "waited", TRACE_URING_WAIT, 5, ev_waited },	/* NR [fd=] */
	{ "file", TRACE_URING_FD, 6, ev_file },		/* FD name=NAME [listens|accepted|connected] */
	{ "thread-exit", TRACE_THREAD_EXIT, 4, ev_none },
	{ "process-exit", TRACE_PROCESS_EXIT, 4, ev_none },
};

static int event(struct text_trace *t)
{
	struct trace_event ev = { 0 };

	if (t->nr_words < 4)
		return text__bad(t, "TIME CPU TID EVENT …");
	if (text__time(t, t->words[0], &ev.ts))
		return -1;
	ev.cpu = (uint16_t)text__number(t->words[1]);
	ev.tid = (uint32_t)text__number(t->words[2]);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		if (strcmp(events[i].name, t->words[3]))
			continue;
		if (t->nr_words < events[i].words)
			return text__bad(t, "'%s' needs more", t->words[3]);
		ev.type = events[i].type;
		if (events[i].parse(t, &ev))
			return -1;
		return trace_writer__event(t->w, &ev) ? text__bad(t, "cannot write") : 0;
	}
	return text__bad(t, "what is '%s'?", t->words[3]);
}

/* ---- lines ---- */

static int end(struct text_trace *t)
{
	const char *by = text__value(t, "by");

	t->totals.probe_hits = text__value_number(t, "hits", 100);
	t->totals.cpu_ns = text__value_number(t, "cpu", 1000);
	t->totals.target_cpu_ns = text__value_number(t, "target", 100000);
	t->totals.ended_by = by ? strdup(by) : "duration";
	t->ended = true;
	return t->nr_words < 2 ? text__bad(t, "end needs a time")
			       : text__time(t, t->words[1], &t->totals.end_ts);
}

static int repeat(struct text_trace *t, FILE *in)
{
	if (t->nr_words < 3 || t->rounds)
		return text__bad(t, "repeat COUNT PERIOD, and not inside another one");
	t->rounds = text__number(t->words[1]);
	t->from = ftell(in);
	return text__time(t, t->words[2], &t->period);
}

static int again(struct text_trace *t, FILE *in)
{
	if (!t->rounds)
		return text__bad(t, "again without repeat");
	if (!--t->rounds) {
		t->offset = 0;
		return 0;
	}
	t->offset += t->period;
	return fseek(in, t->from, SEEK_SET) ? text__bad(t, "cannot go back") : 0;
}

static int statement(struct text_trace *t, const char *line, FILE *in, const char *path)
{
	const char *what = t->words[0];

	if (!strcmp(what, "repeat"))
		return repeat(t, in);
	if (!strcmp(what, "again"))
		return again(t, in);
	if (!strcmp(what, "host"))
		return host(t);
	if (begin(t, path))
		return -1;
	if (!strcmp(what, "."))
		return t->in_chain ? node(t) : text__bad(t, "a node outside a chain");
	if (end_chain(t))
		return -1;
	if (!strcmp(what, "end"))
		return end(t);
	if (!strcmp(what, "cut")) {
		t->cut = true;
		return trace_writer__flush(t->w);
	}
	return *what >= '0' && *what <= '9' ? event(t) : metadata(t, line);
}

int text_trace__write(FILE *in, const char *path, char *why, size_t size)
{
	struct text_trace *t = calloc(1, sizeof(*t));
	char *line = NULL, copy[4096];
	size_t room = 0;
	int err = 0;

	if (!t)
		return -1;
	t->why = why;
	t->why_size = size;
	t->host = (struct trace_host){
		.hostname = "host", .kernel = "6.12.0", .machine = "x86_64", .comm = "app",
		.exe = "app", .build_id = "", .tier = "full", .tier_hint = "", .runtime = "tokio",
		.pid = 4242, .nr_cpus = 2, .attach_ts = 1000000,
	};
	while (!err && getline(&line, &room, in) >= 0) {
		char *hash = strchr(line, '#'), *save = NULL;

		t->line++;
		if (hash)
			*hash = '\0';
		line[strcspn(line, "\n")] = '\0';
		snprintf(copy, sizeof(copy), "%s", line);
		t->nr_words = 0;
		for (char *word = strtok_r(line, " \t", &save); word && t->nr_words < WORDS_MAX;
		     word = strtok_r(NULL, " \t", &save))
			t->words[t->nr_words++] = word;
		if (t->nr_words)
			err = statement(t, copy, in, path);
	}
	if (!err && !t->ended && !t->cut)
		err = text__bad(t, "neither end nor cut");
	if (!err && t->ended)
		err = trace_writer__finish(t->w, &t->totals) ? text__bad(t, "cannot write") : 0;
	trace_writer__free(t->w);
	for (size_t i = 0; i < t->nr_addresses; i++)
		free(t->addresses[i]);
	for (size_t i = 0; i < 4; i++)
		free(t->host_texts[i]);
	free(line);
	free(t);
	return err;
}
