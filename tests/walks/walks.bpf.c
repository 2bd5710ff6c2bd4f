/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walk as it runs at the end of a poll, on demand: in the thread that asks, through
 * its memory. See walks.c.
 */
#include "recipe.bpf.h"
#include "walks.h"

const volatile struct bpf_config config = {};
bool enabled = false;
__u64 enabled_ts = 0;
__u32 target_tgid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_told);
} told SEC(".maps");

/* ctx: the task's address, the cell's index. */
SEC("raw_tp")
int walk_one(__u64 *ctx)
{
	__u64 task = ctx[0];
	__u32 fn = ctx[1], zero = 0;
	struct walk_cell *cell = bpf_map_lookup_elem(&walk_cells, &fn);
	struct walk_told *out = bpf_map_lookup_elem(&told, &zero);
	struct thread *t = thread_get(bpf_get_current_task_btf());
	struct walk_state *w = walk_get();

	if (!w)
		return 0;
	if (!cell || !out || !t) {
		walk_put(w);
		return 0;
	}
	w->nr_blocks = 0;
	w->chain.nr_keys = 0;
	walk_window(w, task, cell);
	out->id = recipe_follow(t, w, cell->recipes);
	out->followed = out->id != 0;
	if (!out->followed) {
		walk_task(w, task, cell, false);
		out->id = w->chain.hash;
		recipe_learn(w, cell->recipes, out->id);
	}
	bpf_probe_read_kernel(&out->chain, sizeof(out->chain), &w->chain);
	walk_put(w);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
