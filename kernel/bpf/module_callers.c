// SPDX-License-Identifier: GPL-2.0-only
/* Callers: programs that call functions of a BPF module. Each is a user of the module. */
#include <linux/bpf.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "module.h"

/* Add a caller.  False if the module takes no new callers. */
bool bpf_module_add_caller(struct bpf_module_dep *dep)
{
	struct bpf_module *mod = dep->mod;
	bool closed;

	spin_lock(&mod->callers_lock);
	closed = mod->callers_closed;
	if (!closed) {
		list_add_tail(&dep->node, &mod->callers);
		WRITE_ONCE(mod->callers_cnt, mod->callers_cnt + 1);
	}
	spin_unlock(&mod->callers_lock);
	return !closed;
}

/* Delete a caller.  True if it was the last and the rest of the module waits to be freed. */
bool bpf_module_del_caller(struct bpf_module_dep *dep)
{
	struct bpf_module *mod = dep->mod;
	bool last;

	spin_lock(&mod->callers_lock);
	list_del(&dep->node);
	WRITE_ONCE(mod->callers_cnt, mod->callers_cnt - 1);
	last = mod->callers_last && !mod->callers_cnt;
	spin_unlock(&mod->callers_lock);
	return last;
}

/* Take no new callers.  False, and nothing is changed, if there are callers and @drain is
 * not set.
 */
bool bpf_module_close_callers(struct bpf_module *mod, bool drain)
{
	bool closed;

	spin_lock(&mod->callers_lock);
	closed = drain || !mod->callers_cnt;
	if (closed)
		mod->callers_closed = true;
	spin_unlock(&mod->callers_lock);
	return closed;
}

/* Undo bpf_module_close_callers(). */
void bpf_module_open_callers(struct bpf_module *mod)
{
	spin_lock(&mod->callers_lock);
	mod->callers_closed = false;
	spin_unlock(&mod->callers_lock);
}

/* Leave the functions and the exit program of @mod, of which all else is freed, to its
 * callers: the last of them queues the freeing.  False if there are none.
 */
bool bpf_module_leave_to_callers(struct bpf_module *mod)
{
	bool left;

	spin_lock(&mod->callers_lock);
	left = mod->callers_cnt;
	mod->callers_last = left;
	spin_unlock(&mod->callers_lock);
	return left;
}

/* Ids of the programs that call function @nr, counted from 0.  Returns an array to be freed
 * with kvfree(), NULL if there are none, or -ENOMEM.
 */
u32 *bpf_module_caller_ids(struct bpf_module *mod, u32 nr, u32 *cnt)
{
	u32 id, room = READ_ONCE(mod->callers_cnt);
	const struct bpf_module_dep *dep;
	u32 *ids;

	*cnt = 0;
	if (!room)
		return NULL;
	ids = kvmalloc_array(room, sizeof(*ids), GFP_KERNEL);
	if (!ids)
		return ERR_PTR(-ENOMEM);
	spin_lock(&mod->callers_lock);
	list_for_each_entry(dep, &mod->callers, node) {
		/* The id is 0 while the program is loaded, and again while it is freed. */
		id = READ_ONCE(dep->aux->id);
		if (id && test_bit(nr, dep->calls) && *cnt < room)
			ids[(*cnt)++] = id;
	}
	spin_unlock(&mod->callers_lock);
	return ids;
}

static int bpf_module_cmp_ids(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Collect in @parts the ids of the modules whose functions @progs call. */
int bpf_module_get_deps(struct bpf_module_parts *parts, struct bpf_prog **progs, u32 progs_cnt)
{
	const struct bpf_module_dep *dep;
	u32 i, cnt = 0;

	for (i = 0; i < progs_cnt; i++) {
		for (dep = progs[i]->aux->module_deps; dep; dep = dep->next)
			cnt++;
	}
	if (!cnt)
		return 0;
	parts->deps = kvmalloc_array(cnt, sizeof(*parts->deps), bpf_memcg_flags(GFP_USER));
	if (!parts->deps)
		return -ENOMEM;
	cnt = 0;
	for (i = 0; i < progs_cnt; i++) {
		for (dep = progs[i]->aux->module_deps; dep; dep = dep->next)
			parts->deps[cnt++] = dep->mod->own_id;
	}
	sort(parts->deps, cnt, sizeof(*parts->deps), bpf_module_cmp_ids, NULL);
	for (i = 0; i < cnt; i++) {
		if (!parts->deps_cnt || parts->deps[parts->deps_cnt - 1] != parts->deps[i])
			parts->deps[parts->deps_cnt++] = parts->deps[i];
	}
	return 0;
}
