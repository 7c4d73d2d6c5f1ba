// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: load what a module needs before it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"
#include "module_load.h"

void load_note(const struct load_args *args, int module_fd)
{
	struct bpf_module_info info;
	__u32 *ids;

	if (!args->loaded || args->anew_cnt || module_get_info(module_fd, &info) || !info.id)
		return;
	/* without memory it is left loaded when it is not needed */
	ids = libbpf_reallocarray(args->loaded->ids, args->loaded->cnt + 1, sizeof(*ids));
	if (!ids)
		return;
	args->loaded->ids = ids;
	ids[args->loaded->cnt++] = info.id;
}

void load_end_needed(struct load_args *args, bool failed)
{
	/* in reverse order: callers first */
	while (failed && args->needed.cnt > 0)
		module_unload_again(args->needed.ids[--args->needed.cnt]);
	free(args->needed.ids);
	memset(&args->needed, 0, sizeof(args->needed));
}

/* With the options of its own name. */
static int load_step(const struct module_step *step, struct load_args *args,
		     struct load_wait *wait)
{
	struct load_args own = {
		.replace_fd = -1,
		.by_need = true,
		.by_system = args->by_system,
		.waits = args->waits,
		.waiting = wait,
		.dry_run = args->dry_run,
		.in_list = true,
		.loaded = &args->needed,
	};

	wait->module = step->name;
	return load_name(&own, step->name, args->conf);
}

/* Up to one that waits. */
static int load_steps(const struct module_plan *plan, struct load_args *args,
		      struct load_wait *wait)
{
	size_t i;
	int err = 0;

	if (json_output && !args->in_list) {
		jsonw_start_array(json_wtr);
		args->in_list = true;
		args->has_begun_list = true;
	}
	for (i = 0; !err && !wait->dev[0] && i < plan->cnt; i++)
		err = load_step(&plan->steps[i], args, wait);
	return err;
}

/* For a file, nothing else is loaded automatically. */
int load_needed(struct bpf_object *obj, struct load_args *args)
{
	struct module_plan plan = { .conf = args->conf, .is_to_load = true };
	const struct bpf_module *mod = load_next_chosen(obj, NULL);
	struct load_wait wait = {};
	int err;

	if (!args->by_name || !mod)
		return 0;
	err = module_plan_object(&plan, bpf_module__name(mod), args->file, obj);
	args->is_unchecked = args->dry_run && plan.cnt;
	/* with by_need the plan of the one that needs it has covered this */
	if (!err && plan.cnt && !args->by_need)
		err = load_steps(&plan, args, &wait);
	if (!err && wait.dev[0])
		load_leave_out_all(obj, &wait);
	module_plan_free(&plan);
	return err;
}
