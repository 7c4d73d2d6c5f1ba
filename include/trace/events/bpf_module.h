/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM bpf_module

#if !defined(_TRACE_BPF_MODULE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_BPF_MODULE_H

#include <linux/tracepoint.h>

/* struct bpf_module is private to kernel/bpf: include its module.h before this */

DECLARE_EVENT_CLASS(bpf_module,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u64, users)
		__field(u32, links)
		__string(name, mod->name)
	),
	TP_fast_assign(
		__entry->id = mod->id;
		__entry->users = bpf_module_users(mod);
		__entry->links = READ_ONCE(mod->links_cnt);
		__assign_str(name);
	),
	TP_printk("id=%u name=%s users=%llu links=%u", __entry->id, __get_str(name),
		  __entry->users, __entry->links)
);

/* All ops are registered. */
DEFINE_EVENT(bpf_module, bpf_module_load,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod)
);

/* A user has come, and is counted. */
DEFINE_EVENT(bpf_module, bpf_module_get,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod)
);

/* A user leaves, and is still counted. */
DEFINE_EVENT(bpf_module, bpf_module_put,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod)
);

/* The module is going: unloaded, drained or replaced. */
DEFINE_EVENT(bpf_module, bpf_module_unload,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod)
);

/* No callback can be running any more, the memory is freed. */
DEFINE_EVENT(bpf_module, bpf_module_free,
	TP_PROTO(const struct bpf_module *mod),
	TP_ARGS(mod)
);

/* A subsystem has withdrawn an op. */
TRACE_EVENT(bpf_module_withdraw,
	TP_PROTO(const struct bpf_module *mod, const char *reason),
	TP_ARGS(mod, reason),
	TP_STRUCT__entry(
		__field(u32, id)
		__string(name, mod->name)
		__string(reason, reason)
	),
	TP_fast_assign(
		__entry->id = mod->id;
		__assign_str(name);
		__assign_str(reason);
	),
	TP_printk("id=%u name=%s reason=%s", __entry->id, __get_str(name), __get_str(reason))
);

#endif

#include <trace/define_trace.h>
