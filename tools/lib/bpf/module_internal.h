/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Shared by the files of BPF modules. */
#ifndef __LIBBPF_MODULE_INTERNAL_H
#define __LIBBPF_MODULE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/bpf_module.h>
#include "btf.h"

struct module_target;

struct bpf_module {
	struct bpf_module *next;
	const struct bpf_object *obj;
	/* Set while the object is loaded. Values are the maps', names and BTF
	 * fds are our own.
	 */
	struct bpf_module_ops *ops;
	size_t ops_cnt;
	int fd;	/* -1 until attached */
	/* for the next attach */
	__u32 flags;
	int replace_fd; /* the user's, 0 for none */
	int *link_fds; /* of bpf_module__add_link(), our own */
	size_t link_cnt;
	char *log_buf;
	size_t log_size;
	struct module_target *targets; /* where programs are attached, a list */
	bool autocreate;
	bool autoattach;
	bool is_declared; /* by a section that names it, or BPF_MODULE() */
	char name[BPF_MODULE_NAME_LEN];
};

/* The target that a program needs for a link to attach it. */
enum target_kind {
	TARGET_UNFIT,	/* no link attaches it */
	TARGET_REFUSED,	/* it is not attached by exactly one link */
	TARGET_NONE,	/* its section says everything */
	TARGET_DEV,
	TARGET_CGROUP,
	TARGET_NETNS,	/* our own if it is not told */
	TARGET_HOOK,
	TARGET_MAP,
	TARGET_PROG,
};

/* What follows @pfx in the tag that type @t of @btf is, NULL if it is another type. */
static inline const char *decl_tag_value(const struct btf *btf, const struct btf_type *t,
					 const char *pfx)
{
	size_t len = strlen(pfx);
	const char *text;

	if (!btf_is_decl_tag(t) || btf_decl_tag(t)->component_idx != -1)
		return NULL;
	text = btf__name_by_offset(btf, t->name_off);
	return text && strncmp(text, pfx, len) == 0 ? text + len : NULL;
}

/* module_prog.c: which programs belong to a module */
enum target_kind bpf_program__target_kind(const struct bpf_program *prog);
bool bpf_program__is_iter(const struct bpf_program *prog);
/* is it for a module to run, at its begin or end? */
bool bpf_program__is_run(const struct bpf_program *prog);
/* is it of those that modules have other than by their ops? */
bool bpf_program__is_of_module(const struct bpf_program *prog);
/* does @mod attach it? */
bool bpf_module__attaches(const struct bpf_module *mod, const struct bpf_program *prog);
bool bpf_module__has_progs(const struct bpf_module *mod);
/* the program in that section that @mod runs, NULL for none */
const struct bpf_program *bpf_module__run_prog(const struct bpf_module *mod, const char *sec);

/* module_func.c: functions that a module exports */
bool bpf_program__is_func(const struct bpf_program *prog);
bool bpf_module__has_funcs(const struct bpf_module *mod);
/* An array for the caller to free, NULL if there are none. */
int bpf_module__get_funcs(const struct bpf_module *mod, struct bpf_module_func **funcs,
			  __u32 *cnt);
/* before the load: does the kernel support them? */
int bpf_object__check_funcs(const struct bpf_object *obj);

/* module_proto.c: prototypes of functions */

/* Can a caller that declares function prototype @ours call function @func of another
 * BTF? If not, @why says what differs.
 */
bool bpf_proto__fits(const struct btf *our_btf, __u32 ours, const struct btf *btf, __u32 func,
		     char *why, size_t size);
/* "int tb_take(struct key *, int)" */
void bpf_proto__format(const struct btf *btf, __u32 proto, const char *name, char *buf,
		       size_t size);

/* module_target.c: where a program is attached */
struct module_target {
	struct module_target *next;
	const struct bpf_program *prog;
	char *dev;	/* names, with commas */
	char *cgroup;	/* paths */
	char *netns;
	const struct bpf_map *map;
	int prog_fd;	/* the one to attach to, -1 for none */
	__u32 xdp_flags;
	bool has_hook;
	__u32 pf;
	__u32 hooknum;
	__s32 priority;
};

/* -ESRCH if @name does not begin with the name of a program */
int bpf_module__set_target(struct bpf_module *mod, const char *name, const char *value);
/* never NULL */
const struct module_target *
bpf_module__target(const struct bpf_module *mod, const struct bpf_program *prog);
void bpf_module__free_targets(struct bpf_module *mod);
/* print that a program lacks a target, and which */
int bpf_module__lacks_target(const struct bpf_module *mod, const struct bpf_program *prog);

/* module_switch.c: links of the module to replace */
struct link_place {
	enum bpf_link_type type;
	__u32 attach_type;
	__u64 where; /* id of what it is attached to */
};

static inline __u64 bpf_netfilter_place(__u32 pf, __u32 hooknum, __s32 priority)
{
	return (__u64)pf << 48 | (__u64)hooknum << 32 | (__u32)priority;
}

static inline __u64 bpf_freplace_place(__u32 prog_id, __u32 btf_id)
{
	return (__u64)prog_id << 32 | btf_id;
}

struct old_link {
	struct link_place place;
	__u32 id;
	__u32 attach_btf_id;
	char prog_name[BPF_OBJ_NAME_LEN];
	bool is_taken;
};

/* Read on demand, because opening links takes CAP_SYS_ADMIN. */
struct old_links {
	int module_fd; /* 0 for none */
	bool is_read;
	struct old_link *links;
	__u32 cnt;
};

void bpf_old_links__free(struct old_links *old);
/* A new fd of the link that @prog takes over at @place, -ENOENT for none. */
int bpf_old_links__take(struct old_links *old, const struct bpf_program *prog,
			const struct link_place *place);

/* module_link.c: links to load a module with */
struct link_set {
	struct bpf_module_link *links; /* link_fd is our own */
	__u32 cnt;
};

/* Attach the programs of @mod. Errors are printed. */
int bpf_link_set__attach(struct link_set *set, const struct bpf_module *mod);
/* Close them. That detaches those that no module has taken. */
void bpf_link_set__close(struct link_set *set);
void bpf_module__drop_links(struct bpf_module *mod);

#endif /* __LIBBPF_MODULE_INTERNAL_H */
