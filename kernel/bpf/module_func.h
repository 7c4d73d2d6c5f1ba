/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _BPF_MODULE_FUNC_H
#define _BPF_MODULE_FUNC_H

#include <linux/bpf_verifier.h>
#include "module.h"

/**
 * struct bpf_module_func_desc - what callers have to know about a function
 * @proto: Its arguments.
 * @stack_depth: Bytes of stack that a call uses, including everything it calls.
 * @frames: Frames that a call uses, including everything it calls.
 * @allow_ptr_leaks: Verified with this flag, and so with all that CAP_PERFMON allows.
 * @locks: It, or a function that it calls, uses a map with a lock.
 *
 * Does not change once the program is loaded.
 */
struct bpf_module_func_desc {
	struct bpf_subprog_info proto;
	u32 stack_depth;
	u32 frames;
	bool allow_ptr_leaks;
	bool locks;
};

static inline const struct bpf_module_fn *bpf_module_fn(const struct bpf_module_dep *dep, u32 nr)
{
	return &dep->mod->funcs[nr - 1];
}

static inline const struct bpf_module_func_desc *bpf_module_desc(const struct bpf_module_dep *dep,
								 u32 nr)
{
	return bpf_module_fn(dep, nr)->prog->aux->module_func;
}

#endif
