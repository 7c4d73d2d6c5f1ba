/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * For BPF programs: declare the parts of a BPF module, and describe it.
 */
#ifndef __BPF_MODULE_H__
#define __BPF_MODULE_H__

#include "bpf_helpers.h"

#define __BPF_MODINFO_CAT2(a, b) a##b
#define __BPF_MODINFO_CAT(a, b) __BPF_MODINFO_CAT2(a, b)

/*
 * Declare a module that has no ops, or whose ops are in SEC(".module.NAME"): the
 * programs of the object are attached when it is loaded, and detached when it is
 * unloaded.
 *
 *	BPF_MODULE("tracer");
 *
 *	SEC("fentry/vfs_unlink")
 *	int BPF_PROG(unlinks) { ... }
 *
 * SEC("module.init") runs before the first op is registered, and SEC("module.exit")
 * when the module has ended. Both get a struct bpf_module_ctx; init refuses the load
 * by returning anything but 0.
 */
#define BPF_MODULE(name)							\
	static const char __BPF_MODINFO_CAT(__bpf_module_, __COUNTER__)[]	\
	SEC(".modinfo") __attribute__((btf_decl_tag("module_name:" name))) = "name=" name

/* The module that a program belongs to, in an object that declares several:
 *
 *	SEC("xdp") __bpf_in_module("filter")
 *	int drop(struct xdp_md *ctx) { ... }
 */
#define __bpf_in_module(name) __attribute__((btf_decl_tag("in_module:" name)))

/*
 * A function that the module exports to programs of any type, in any object that is
 * loaded later:
 *
 *	BPF_MODULE("tokenbucket");
 *
 *	BPF_MODULE_FUNC
 *	int tb_take(struct key *k, int n) { ... }
 *
 * This is SEC("module.func"), and not inlined: libbpf refuses calls from the function's
 * own object, and inlining would hide them. If the object needs the function, too, let
 * both call an ordinary one.
 *
 * It returns an integer. It has up to five arguments, numbers and pointers, like a global
 * function, but no context, and is called in an RCU critical section. One that may sleep
 * is SEC("module.func.s"), and only programs that may sleep can call it.
 */
#define BPF_MODULE_FUNC __noinline SEC("module.func")
#define BPF_MODULE_FUNC_S __noinline SEC("module.func.s")

/*
 * The module of a function, for its callers:
 *
 *	extern int tb_take(struct key *k, int n) __ksym __bpf_module("tokenbucket");
 *
 * The module has to be loaded before the object. With __weak the object loads without
 * it, and bpf_ksym_exists(tb_take) tells whether the function exists; its address has
 * no other use. Without this tag a __ksym is looked up in the kernel, not in BPF modules.
 */
#define __bpf_module(name) __attribute__((btf_decl_tag("bpf_module:" name)))

/*
 * The texts below are kept in the object and in its BTF, for "bpftool module info"
 * and "show"; neither libbpf nor the kernel reads them. They are UTF-8, without escapes:
 * the compiler does not accept "\303\274" there.
 */

/* One "KEY=VALUE" with its terminating zero, and a tag in the BTF, which the kernel
 * keeps as long as the module.
 */
#define __BPF_MODINFO(text)						\
	static const char __BPF_MODINFO_CAT(__bpf_modinfo_, __COUNTER__)[]	\
	SEC(".modinfo") __attribute__((btf_decl_tag("module:" text))) = text

/* What the modules of this object do */
#define BPF_MODULE_DESCRIPTION(text) __BPF_MODINFO("description=" text)

/* "Name <mail address>"; may be given several times */
#define BPF_MODULE_AUTHOR(text) __BPF_MODINFO("author=" text)

#define BPF_MODULE_VERSION(text) __BPF_MODINFO("version=" text)

/*
 * Parameters are the variables that are "const volatile", and the plain members
 * of ops variables. They are set when the module is loaded:
 *
 *	const volatile __u32 beta = 717;
 *	BPF_MODULE_PARM_DESC(beta, "how far the window shrinks, of 1024");
 *	BPF_MODULE_PARM_DESC(cubic.name, "the name that sockets ask for");
 */
#define BPF_MODULE_PARM_DESC(name, text) __BPF_MODINFO("parm=" #name ":" text)

#endif /* __BPF_MODULE_H__ */
