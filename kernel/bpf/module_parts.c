// SPDX-License-Identifier: GPL-2.0-only
/* The programs and maps that make up a BPF module. */
#include <linux/bpf.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "module.h"
#include "struct_ops.h"

static int bpf_module_cmp_progs(const void *a, const void *b)
{
	u32 x = (*(struct bpf_prog * const *)a)->aux->id;
	u32 y = (*(struct bpf_prog * const *)b)->aux->id;

	return x < y ? -1 : x > y;
}

static int bpf_module_cmp_maps(const void *a, const void *b)
{
	u32 x = (*(struct bpf_map * const *)a)->id;
	u32 y = (*(struct bpf_map * const *)b)->id;

	return x < y ? -1 : x > y;
}

/* Remove duplicates from @cnt sorted pointers, and return how many remain. */
static u32 bpf_module_uniq(void **ptrs, u32 cnt)
{
	u32 i, uniq = 0;

	for (i = 0; i < cnt; i++) {
		if (!uniq || ptrs[uniq - 1] != ptrs[i])
			ptrs[uniq++] = ptrs[i];
	}
	return uniq;
}

/* Add the programs that are kept as long as @mod has callers to the @cnt at @progs. */
static void bpf_module_add_kept(const struct bpf_module *mod, struct bpf_prog **progs, u32 *cnt)
{
	u32 i;

	for (i = 0; i < mod->funcs_cnt; i++)
		progs[(*cnt)++] = mod->funcs[i].prog;
	if (mod->exit)
		progs[(*cnt)++] = mod->exit;
}

/* Add all others. */
static void bpf_module_add_others(const struct bpf_module *mod, struct bpf_prog **progs, u32 *cnt)
{
	u32 i, j;

	for (i = 0; i < mod->ops_cnt; i++) {
		for (j = 0; j < mod->ops[i].inst->funcs_cnt; j++)
			progs[(*cnt)++] = mod->ops[i].inst->funcs[j].prog;
	}
	for (i = 0; i < mod->links_cnt; i++)
		progs[(*cnt)++] = mod->links[i].prog;
	if (mod->init)
		progs[(*cnt)++] = mod->init;
}

/* Returns the programs of @mod, or those that are @kept, sorted by id, in an array that the
 * caller frees.
 */
static struct bpf_prog **bpf_module_progs(const struct bpf_module *mod, bool kept, u32 *cnt)
{
	/* init and exit */
	u32 i, room = mod->links_cnt + mod->funcs_cnt + 2;
	struct bpf_prog **progs;

	for (i = 0; i < mod->ops_cnt; i++)
		room += mod->ops[i].inst->funcs_cnt;
	progs = kvmalloc_array(room, sizeof(*progs), GFP_KERNEL);
	if (!progs)
		return NULL;

	*cnt = 0;
	bpf_module_add_kept(mod, progs, cnt);
	if (!kept)
		bpf_module_add_others(mod, progs, cnt);
	sort(progs, *cnt, sizeof(*progs), bpf_module_cmp_progs, NULL);
	*cnt = bpf_module_uniq((void **)progs, *cnt);
	return progs;
}

/* Returns the maps of @progs, sorted by id, in an array that the caller frees; the
 * programs hold them.  A map that BPF_PROG_BIND_MAP adds at the same time may be missing:
 * then only the program holds it.
 */
static struct bpf_map **bpf_module_maps(struct bpf_prog **progs, u32 progs_cnt, u32 *cnt)
{
	struct bpf_map **maps;
	u32 i, j, room = 0;

	for (i = 0; i < progs_cnt; i++)
		room += READ_ONCE(progs[i]->aux->used_map_cnt);
	maps = kvmalloc_array(room, sizeof(*maps), GFP_KERNEL);
	if (!maps)
		return NULL;

	*cnt = 0;
	for (i = 0; i < progs_cnt; i++) {
		struct bpf_prog_aux *aux = progs[i]->aux;

		guard(mutex)(&aux->used_maps_mutex);
		for (j = 0; j < aux->used_map_cnt && *cnt < room; j++)
			maps[(*cnt)++] = aux->used_maps[j];
	}
	sort(maps, *cnt, sizeof(*maps), bpf_module_cmp_maps, NULL);
	*cnt = bpf_module_uniq((void **)maps, *cnt);
	return maps;
}

/* A program has a reference to a map, but timers, work queues and tail calls end with
 * the last *user* reference, which an fd holds.  A loaded module needs no fd.
 */
static int bpf_module_get_maps(struct bpf_module *mod, struct bpf_map **maps, u32 cnt)
{
	u32 i;

	mod->maps = kmemdup_array(maps, cnt, sizeof(*maps), bpf_memcg_flags(GFP_USER));
	if (!mod->maps)
		return -ENOMEM;
	for (i = 0; i < cnt; i++)
		bpf_map_inc_with_uref(maps[i]);
	mod->maps_cnt = cnt;
	return 0;
}

/* Put the user references on the maps of @mod, if it has them.  May sleep. */
void bpf_module_put_maps(struct bpf_module *mod)
{
	u32 i;

	if (!mod->maps)
		return;
	for (i = 0; i < mod->maps_cnt; i++)
		bpf_map_put_with_uref(mod->maps[i]);
	kfree(mod->maps);
	mod->maps = NULL;
}

static int bpf_module_set_ids(struct bpf_module_parts *parts, struct bpf_prog **progs,
			      u32 progs_cnt, struct bpf_map **maps, u32 maps_cnt)
{
	u32 i;

	parts->ids = kmalloc_array(progs_cnt + maps_cnt, sizeof(*parts->ids),
				   bpf_memcg_flags(GFP_USER));
	if (!parts->ids)
		return -ENOMEM;
	for (i = 0; i < progs_cnt; i++)
		parts->ids[i] = progs[i]->aux->id;
	for (i = 0; i < maps_cnt; i++)
		parts->ids[progs_cnt + i] = maps[i]->id;
	parts->progs_cnt = progs_cnt;
	parts->maps_cnt = maps_cnt;
	return 0;
}

/* Store ids in @parts, of everything or of what is @kept; for everything, also take user
 * references on the maps.
 */
static int bpf_module_get_part(struct bpf_module *mod, bool kept, struct bpf_module_parts *parts)
{
	struct bpf_map **maps = NULL;
	struct bpf_prog **progs;
	u32 progs_cnt, maps_cnt;
	int err = -ENOMEM;

	progs = bpf_module_progs(mod, kept, &progs_cnt);
	if (progs)
		maps = bpf_module_maps(progs, progs_cnt, &maps_cnt);
	if (maps)
		err = kept ? 0 : bpf_module_get_maps(mod, maps, maps_cnt);
	if (!err)
		err = bpf_module_set_ids(parts, progs, progs_cnt, maps, maps_cnt);
	if (!err)
		err = bpf_module_get_deps(parts, progs, progs_cnt);
	kvfree(maps);
	kvfree(progs);
	return err;
}

/* Store in @mod, which is built, the ids of its programs and maps, user references on the
 * maps, and the ids of the modules that the programs call.  May sleep.  If it fails, the
 * caller frees what was stored.
 */
int bpf_module_get_parts(struct bpf_module *mod)
{
	mod->init_id = mod->init ? mod->init->aux->id : 0;
	mod->exit_id = mod->exit ? mod->exit->aux->id : 0;
	return bpf_module_get_part(mod, false, &mod->parts) ?:
	       mod->funcs_cnt ? bpf_module_get_part(mod, true, &mod->kept) : 0;
}

static void bpf_module_free_part(struct bpf_module_parts *parts)
{
	kfree(parts->ids);
	kvfree(parts->deps);
}

/* Free what is told of them.  Context: any. */
void bpf_module_free_parts(struct bpf_module *mod)
{
	bpf_module_free_part(&mod->parts);
	bpf_module_free_part(&mod->kept);
}

static u64 bpf_module_part_usage(const struct bpf_module_parts *parts)
{
	return sizeof(*parts->ids) * (parts->progs_cnt + parts->maps_cnt) +
	       sizeof(*parts->deps) * parts->deps_cnt;
}

u64 bpf_module_parts_usage(const struct bpf_module *mod)
{
	return bpf_module_part_usage(&mod->parts) + bpf_module_part_usage(&mod->kept) +
	       mod->maps_cnt * sizeof(*mod->maps);
}
