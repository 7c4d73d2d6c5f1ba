/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * BPF modules: ops structs implemented by BPF programs, loaded, listed and
 * unloaded as one object.  The commands BPF_MODULE_* and their attributes are
 * in <linux/bpf.h>, the model is in Documentation/bpf/bpf_module.rst.
 */
#ifndef _UAPI__LINUX_BPF_MODULE_H__
#define _UAPI__LINUX_BPF_MODULE_H__

#include <linux/types.h>

/*
 * Bytes of a module's name, and of an op's, with the terminating NUL.  A name
 * has letters, digits, '_', '.' and '-', at least one; it does not begin with '-',
 * and is not "." or "..".
 */
#define BPF_MODULE_NAME_LEN 64

/* Ops that one module can hold. */
#define BPF_MODULE_MAX_OPS 64

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
	 * that one.  For each op the old module has one of the same type and
	 * name, and the subsystem can update it.  The new module has the name
	 * of the old one, so module_load.name is 0 or that name.
	 */
	BPF_F_MODULE_REPLACE = (1U << 2),
};

/* Flags of BPF_MODULE_UNLOAD. */
enum {
	/*
	 * Do not refuse with EBUSY while there are users: unregister the ops
	 * now, so that no new user comes, and free the module with its last
	 * user.
	 */
	BPF_F_MODULE_DRAIN = (1U << 0),
};

/**
 * enum bpf_module_state - where a module is in its life
 * @BPF_MODULE_STATE_LIVE: loaded, its ops are registered, except those that
 *	were withdrawn.
 * @BPF_MODULE_STATE_GOING: unloaded or replaced, waits for its last user.  Its
 *	name is free for another module, or the replacement's.
 * @BPF_MODULE_STATE_GONE: no longer listed; seen only through a handle, an fd
 *	or a pin, that was taken before.
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
 * enum bpf_module_ops_state - where one op of a module is in its life
 * @BPF_MODULE_OPS_REGISTERED: the subsystem offers it to new users.
 * @BPF_MODULE_OPS_UNREGISTERED: only the users that it has remain.
 * @BPF_MODULE_OPS_WITHDRAWN: the subsystem has taken it away by itself: the
 *	device is gone, the scheduler made an error.
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
 * struct bpf_module_ops_info - one op of a module
 * @btf_obj_id: out: id of the BTF that describes the type.
 * @type_id: out: the ops struct in that BTF.
 * @state: out: one of enum bpf_module_ops_state.
 * @value_size: in: bytes of room at @value; out: size of the struct.  If there
 *	is too little room, what fits is written.
 * @value: in: user address that receives the struct, with the ids of programs
 *	where @bpf_module_ops.value had their fds; 0 for none.
 * @name: out: as given to BPF_MODULE_LOAD, empty for none.
 * @reason: out: why the subsystem has withdrawn the op, for a person to read;
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
 * struct bpf_module_info - what BPF_MODULE_GET_INFO tells of a module
 * @id: out: the id; 0 once the module is gone.
 * @state: out: one of enum bpf_module_state.
 * @flags: out: BPF_F_MODULE_BOUND if the module was loaded with it.
 * @uid: out: user who loaded it, as the caller's user namespace knows it.
 * @load_time: out: nanoseconds from boot to load (CLOCK_BOOTTIME).
 * @users: out: references that subsystems hold on its ops: sockets, a network
 *	namespace's default congestion control, ...  Handles are not counted.
 * @memory: out: bytes that the module itself takes, without its programs and
 *	maps.
 * @btf_id: out: id of the object's own BTF, 0 for none.
 * @ops_cnt: in: entries of room at @ops; out: number of ops.
 * @ops: in: user address of an array of struct bpf_module_ops_info, read and
 *	written; 0 for none.
 * @ops_size: in: bytes of one entry of that array.
 * @prog_cnt: in: entries of room at @prog_ids; out: number of programs.
 * @prog_ids: in: user address of an array of __u32; 0 for none.
 * @map_ids: in: user address of an array of __u32 for @map_cnt; 0 for none.
 * @map_cnt: in: entries of room at @map_ids; out: number of maps that the
 *	programs use.
 * @reserved: out: 0.
 * @name: out: the name.
 *
 * If an array has too little room, what fits is written and the counter tells
 * how many entries there are.
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
};

#endif /* _UAPI__LINUX_BPF_MODULE_H__ */
