/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * BPF modules: ops structs implemented by BPF programs, links, and functions for other
 * programs, loaded, listed and unloaded as one object.  The commands BPF_MODULE_* and
 * their attributes are in <linux/bpf.h>, the model is in Documentation/bpf/bpf_module.rst.
 */
#ifndef _UAPI__LINUX_BPF_MODULE_H__
#define _UAPI__LINUX_BPF_MODULE_H__

#include <linux/types.h>

/*
 * Bytes of a module's name, and of an op's, with the terminating NUL.  A name
 * has at least one of letters, digits, '_', '.' and '-'; it does not begin with '-',
 * and is not "." or "..".
 */
#define BPF_MODULE_NAME_LEN 64

/* Ops that one module can hold. */
#define BPF_MODULE_MAX_OPS 64

/* Links that one module can hold. */
#define BPF_MODULE_MAX_LINKS 4096

/* Functions that one module can export. */
#define BPF_MODULE_MAX_FUNCS 256

/* Bytes of a function's name, with the terminating NUL. */
#define BPF_MODULE_FUNC_NAME_LEN 128

/* Bytes of the reason why an op was withdrawn, with the terminating NUL. */
#define BPF_MODULE_REASON_LEN 128

/* Flags of BPF_MODULE_LOAD. */
enum {
	/*
	 * Tie the module to its handles: when its last fd and its last pin are
	 * gone, the kernel drains it.
	 */
	BPF_F_MODULE_BOUND = (1U << 1),
	/*
	 * Take over from the module behind replace_fd in one step, and drain
	 * that one.  For each op the old module must have one of the same type
	 * and name, and the subsystem must be able to update it.  A link of the
	 * old module is switched to another program, see
	 * bpf_module_link.prog_fd, or detached once the new module is loaded.
	 * The new module has the name of the old one, so module_load.name is 0
	 * or that name.
	 */
	BPF_F_MODULE_REPLACE = (1U << 2),
};

/* Flags of BPF_MODULE_UNLOAD. */
enum {
	/*
	 * Do not fail with EBUSY while there are users: unregister the ops
	 * and detach the links now, so that no new user can come, and free the
	 * module with its last user.
	 */
	BPF_F_MODULE_DRAIN = (1U << 0),
};

/**
 * enum bpf_module_state - state of a module
 * @BPF_MODULE_STATE_LIVE: loaded, its ops are registered, except those that
 *	were withdrawn.
 * @BPF_MODULE_STATE_GOING: unloaded or replaced, waits for its last user.  Its
 *	name is free for another module, or belongs to the replacement.
 * @BPF_MODULE_STATE_GONE: no longer listed; seen only through a handle, an fd
 *	or a pin, that was taken earlier.
 * @BPF_MODULE_STATE_DETACHED: loaded, but its subsystems have withdrawn every
 *	op.  Its name is taken until it is unloaded.
 */
enum bpf_module_state {
	BPF_MODULE_STATE_LIVE		= 1,
	BPF_MODULE_STATE_GOING		= 2,
	BPF_MODULE_STATE_GONE		= 3,
	BPF_MODULE_STATE_DETACHED	= 4,
};

/**
 * enum bpf_module_ops_state - state of one op of a module
 * @BPF_MODULE_OPS_REGISTERED: the subsystem offers it to new users.
 * @BPF_MODULE_OPS_UNREGISTERED: only existing users remain.
 * @BPF_MODULE_OPS_WITHDRAWN: the subsystem has removed it by itself: the
 *	device is gone, the scheduler failed.
 */
enum bpf_module_ops_state {
	BPF_MODULE_OPS_REGISTERED	= 1,
	BPF_MODULE_OPS_UNREGISTERED	= 2,
	BPF_MODULE_OPS_WITHDRAWN	= 3,
};

/**
 * struct bpf_module_ops - one op that BPF_MODULE_LOAD is to build and register
 * @btf_obj_fd: BTF of the kernel module that provides the type, 0 for vmlinux.
 * @type_id: the ops struct in that BTF, for example tcp_congestion_ops.
 * @value: user address of the struct as the kernel lays it out.  A member that
 *	points to a function holds the fd of a BPF_PROG_TYPE_STRUCT_OPS program,
 *	0 for none; a member of type ``struct module *`` and all padding are 0.
 * @value_size: bytes at @value, the size of the struct.
 * @flags: must be 0.
 * @name: user address of the op's name, used in the log and in the info; 0 for
 *	none.  It need not be unique.
 */
struct bpf_module_ops {
	__u32		btf_obj_fd;
	__u32		type_id;
	__aligned_u64	value;
	__u32		value_size;
	__u32		flags;
	__aligned_u64	name;
};

/**
 * struct bpf_module_link - one link that BPF_MODULE_LOAD is to adopt
 * @link_fd: the link, of any type but BPF_LINK_TYPE_STRUCT_OPS.
 * @prog_fd: 0, or with BPF_F_MODULE_REPLACE the program that is to replace that of
 *	@link_fd, a link of the module to be replaced.
 * @flags: must be 0.
 * @reserved: must be 0.
 */
struct bpf_module_link {
	__u32		link_fd;
	__u32		prog_fd;
	__u32		flags;
	__u32		reserved;
};

/* Flags of struct bpf_module_link_info. */
enum {
	/*
	 * Its program no longer runs by it: somebody has detached it, or the
	 * device, the control group or the namespace is gone.
	 */
	BPF_MODULE_LINK_DETACHED = (1U << 0),
};

/**
 * struct bpf_module_link_info - one link of a module
 * @id: out: the id of the link.
 * @flags: out: BPF_MODULE_LINK_DETACHED or 0.
 */
struct bpf_module_link_info {
	__u32		id;
	__u32		flags;
};

/**
 * struct bpf_module_func - one function that BPF_MODULE_LOAD is to export
 * @prog_fd: program of type BPF_PROG_TYPE_MODULE_FUNC, loaded with the BTF of
 *	module_load.btf_fd.
 * @flags: must be 0.
 * @name: user address of the function's name, which must be that in BTF; 0 to
 *	use that.
 *
 * Programs call a function by its number, starting with 1.
 */
struct bpf_module_func {
	__u32		prog_fd;
	__u32		flags;
	__aligned_u64	name;
};

/* Flags of struct bpf_module_func_info. */
enum {
	/* Only programs that may sleep can call it. */
	BPF_MODULE_FUNC_SLEEPABLE = (1U << 0),
	/* It uses a map with a lock: no tracing program or socket filter can call it. */
	BPF_MODULE_FUNC_LOCKS = (1U << 1),
};

/**
 * struct bpf_module_func_info - one function of a module
 * @prog_id: out: id of the program that it is.
 * @btf_id: out: id of the function in the BTF of the module.
 * @flags: out: BPF_MODULE_FUNC_*.
 * @stack_depth: out: bytes of stack that a call takes, including its callees.
 * @caller_ids: in: user address of an array of __u32 that receives the ids of the
 *	programs that call it; 0 for none.
 * @callers_cnt: in: capacity of @caller_ids; out: number of callers.
 * @reserved: out: 0.
 * @name: out: the name, truncated if it is longer.
 */
struct bpf_module_func_info {
	__u32		prog_id;
	__u32		btf_id;
	__u32		flags;
	__u32		stack_depth;
	__aligned_u64	caller_ids;
	__u32		callers_cnt;
	__u32		reserved;
	char		name[BPF_MODULE_FUNC_NAME_LEN];
};

/**
 * enum bpf_module_reason - why the exit program of a module runs
 * @BPF_MODULE_REASON_NONE: it does not; the init program gets this.
 * @BPF_MODULE_REASON_UNLOADED: BPF_MODULE_UNLOAD.
 * @BPF_MODULE_REASON_DRAINED: BPF_MODULE_UNLOAD with BPF_F_MODULE_DRAIN.
 * @BPF_MODULE_REASON_REPLACED: another module took over from it.
 * @BPF_MODULE_REASON_CLOSED: the last handle of a BPF_F_MODULE_BOUND module.
 * @BPF_MODULE_REASON_REFUSED: its load failed after the init program.
 */
enum bpf_module_reason {
	BPF_MODULE_REASON_NONE		= 0,
	BPF_MODULE_REASON_UNLOADED	= 1,
	BPF_MODULE_REASON_DRAINED	= 2,
	BPF_MODULE_REASON_REPLACED	= 3,
	BPF_MODULE_REASON_CLOSED	= 4,
	BPF_MODULE_REASON_REFUSED	= 5,
};

/**
 * struct bpf_module_ctx - context of the init and exit programs of a module
 * @module_id: the id that the module has, or will have once it is loaded.
 * @flags: BPF_F_MODULE_BOUND if the module is loaded with it.
 * @other_id: for init, the id of the module to be replaced; for exit, that of the
 *	replacement; 0 for none.
 * @reason: one of enum bpf_module_reason.
 * @reserved: 0.
 */
struct bpf_module_ctx {
	__u32		module_id;
	__u32		flags;
	__u32		other_id;
	__u32		reason;
	__aligned_u64	reserved[4];
};

/* State of the exit program, in struct bpf_module_info. */
enum bpf_module_exit_state {
	BPF_MODULE_EXIT_NONE		= 0,	/* there is none, or it has not started */
	BPF_MODULE_EXIT_RUNNING		= 1,	/* it is running */
};

/**
 * struct bpf_module_ops_info - one op of a module
 * @btf_obj_id: out: id of the BTF that describes the type.
 * @type_id: out: the ops struct in that BTF.
 * @state: out: one of enum bpf_module_ops_state.
 * @value_size: in: size of the buffer at @value; out: size of the struct.  If the
 *	buffer is too small, what fits is written.
 * @value: in: user address that receives the struct, with the ids of programs
 *	where @bpf_module_ops.value had their fds; 0 for none.
 * @name: out: as given to BPF_MODULE_LOAD, empty for none.
 * @reason: out: why the subsystem has withdrawn the op, in words for people;
 *	empty in other states.
 */
struct bpf_module_ops_info {
	__u32		btf_obj_id;
	__u32		type_id;
	__u32		state;
	__u32		value_size;
	__aligned_u64	value;
	char		name[BPF_MODULE_NAME_LEN];
	char		reason[BPF_MODULE_REASON_LEN];
};

/**
 * struct bpf_module_info - information about a module, from BPF_MODULE_GET_INFO
 * @id: out: the id; 0 once the module is gone.
 * @state: out: one of enum bpf_module_state.
 * @flags: out: BPF_F_MODULE_BOUND if the module was loaded with it.
 * @uid: out: user who loaded it, in the caller's user namespace.
 * @load_time: out: nanoseconds from boot to load (CLOCK_BOOTTIME).
 * @users: out: references that subsystems hold on its ops: sockets, a network
 *	namespace's default congestion control, ...; and the programs that call
 *	its functions.  Handles are not counted.
 * @memory: out: bytes that the module itself takes, excluding its programs and
 *	maps.
 * @btf_id: out: id of the object's own BTF, 0 for none.
 * @ops_cnt: in: capacity of @ops; out: number of ops.
 * @ops: in: user address of an array of struct bpf_module_ops_info, read and
 *	written; 0 for none.
 * @ops_size: in: bytes of one entry of that array.
 * @prog_cnt: in: capacity of @prog_ids; out: number of programs.
 * @prog_ids: in: user address of an array of __u32; 0 for none.
 * @map_ids: in: user address of an array of __u32 for @map_cnt; 0 for none.
 * @map_cnt: in: capacity of @map_ids; out: number of maps that the
 *	programs use.
 * @reserved: out: 0.
 * @name: out: the name.
 * @links: in: user address of an array of struct bpf_module_link_info; 0 for none.
 * @links_cnt: in: capacity of @links; out: number of links, 0 once the
 *	module is going.
 * @links_size: in: bytes of one entry of that array.
 * @init_prog_id: out: id of the program that ran at load, 0 for none.
 * @exit_prog_id: out: id of the program to run at the end, 0 for none.
 * @exit_state: out: one of enum bpf_module_exit_state.
 * @funcs_cnt: in: capacity of @funcs; out: number of functions.
 * @funcs: in: user address of an array of struct bpf_module_func_info, read and
 *	written; 0 for none.
 * @funcs_size: in: bytes of one entry of that array.
 * @deps_cnt: in: capacity of @dep_ids; out: number of modules whose
 *	functions its programs call.
 * @dep_ids: in: user address of an array of __u32; 0 for none.
 *
 * If an array is too small, what fits is written, and the counter is set to the
 * number of entries that exist.
 */
struct bpf_module_info {
	__u32		id;
	__u32		state;
	__u32		flags;
	__u32		uid;
	__aligned_u64	load_time;
	__aligned_u64	users;
	__aligned_u64	memory;
	__u32		btf_id;
	__u32		ops_cnt;
	__aligned_u64	ops;
	__u32		ops_size;
	__u32		prog_cnt;
	__aligned_u64	prog_ids;
	__aligned_u64	map_ids;
	__u32		map_cnt;
	__u32		reserved;
	char		name[BPF_MODULE_NAME_LEN];
	__aligned_u64	links;
	__u32		links_cnt;
	__u32		links_size;
	__u32		init_prog_id;
	__u32		exit_prog_id;
	__u32		exit_state;
	__u32		funcs_cnt;
	__aligned_u64	funcs;
	__u32		funcs_size;
	__u32		deps_cnt;
	__aligned_u64	dep_ids;
};

#endif /* _UAPI__LINUX_BPF_MODULE_H__ */
