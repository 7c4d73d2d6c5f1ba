/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF modules for the rest of the kernel, see Documentation/bpf/bpf_module.rst.
 * Subsystems do not need this header: they reach a module's user count through
 * bpf_try_module_get() and bpf_module_put().
 */
#ifndef _LINUX_BPF_MODULE_H
#define _LINUX_BPF_MODULE_H

#include <linux/bits.h>
#include <linux/bpfptr.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/spinlock.h>

union bpf_attr;
struct bpf_link;
struct bpf_module;
struct bpf_prog;

/*
 * The bits of all commands in the masks of a BPF token.  There are none between the
 * last command before those of BPF modules, and these: whoever adds one there moves
 * the end of the first range.
 */
#define BPF_CMD_MASK (GENMASK_ULL(BPF_TOKEN_CREATE, 0) |			\
		      GENMASK_ULL(__MAX_BPF_CMD - 1, BPF_MODULE_LOAD))

/* Not there without a JIT: callers test IS_ENABLED(CONFIG_BPF_JIT). */
extern const struct file_operations bpf_module_fops;
extern struct idr bpf_module_idr;
extern spinlock_t bpf_module_idr_lock;

int bpf_module_load(const union bpf_attr *attr, bpfptr_t uattr, u32 uattr_size);
int bpf_module_unload(const union bpf_attr *attr);
int bpf_module_get_info(const union bpf_attr *attr,
			union bpf_attr __user *uattr);
int bpf_module_info_by_fd(struct bpf_module *mod, const union bpf_attr *attr,
			  union bpf_attr __user *uattr);
int bpf_module_get_fd_by_id(const union bpf_attr *attr);

#if defined(CONFIG_BPF_JIT) && defined(CONFIG_BPF_SYSCALL)
struct bpf_module *bpf_module_get_from_fd(u32 ufd, fmode_t mode);
int bpf_module_new_fd(struct bpf_module *mod, int flags);
u32 bpf_prog_module_id(const struct bpf_prog *prog);
u32 bpf_link_module_id(const struct bpf_link *link);
int bpf_link_begin_update(const struct bpf_link *link);
void bpf_link_end_update(void);
bool bpf_module_exit_may_call(u32 func_id);
bool bpf_module_exit_may_call_kfunc(const char *name);
void bpf_module_inc(struct bpf_module *mod);
void bpf_module_dec(struct bpf_module *mod);
#else
static inline struct bpf_module *bpf_module_get_from_fd(u32 ufd, fmode_t mode)
{
	return ERR_PTR(-EINVAL);
}

static inline int bpf_module_new_fd(struct bpf_module *mod, int flags)
{
	return -EOPNOTSUPP;
}

static inline u32 bpf_prog_module_id(const struct bpf_prog *prog)
{
	return 0;
}

static inline u32 bpf_link_module_id(const struct bpf_link *link)
{
	return 0;
}

static inline int bpf_link_begin_update(const struct bpf_link *link)
{
	return 0;
}

static inline void bpf_link_end_update(void)
{
}

static inline bool bpf_module_exit_may_call(u32 func_id)
{
	return true;
}

static inline bool bpf_module_exit_may_call_kfunc(const char *name)
{
	return true;
}

static inline void bpf_module_inc(struct bpf_module *mod)
{
}

static inline void bpf_module_dec(struct bpf_module *mod)
{
}
#endif

#endif
