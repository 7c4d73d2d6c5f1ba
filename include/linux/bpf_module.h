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
struct bpf_map;
struct bpf_module;
struct bpf_module_dep;
struct bpf_prog;
struct bpf_prog_aux;
struct bpf_subprog_info;
struct bpf_verifier_env;

/*
 * The bits of all commands in the masks of a BPF token.  The numbers between BPF_LAST_CMD
 * and the commands of BPF modules are unused: whoever adds a command there has to move
 * BPF_LAST_CMD.
 */
#define BPF_CMD_MASK (GENMASK_ULL(BPF_LAST_CMD, 0) |			\
		      GENMASK_ULL(__MAX_BPF_CMD - 1, BPF_MODULE_LOAD))

/* The same for the types of programs. */
#define BPF_PROG_TYPE_MASK (GENMASK_ULL(BPF_PROG_TYPE_NETFILTER, 0) |		\
			    GENMASK_ULL(__MAX_BPF_PROG_TYPE - 1, BPF_PROG_TYPE_MODULE_FUNC))

/**
 * struct bpf_module_call_place - what the verifier knows of the place of a call
 * @locked: a lock is held.
 * @preempt_off: preemption or interrupts are disabled.
 * @rcu_locked: in an RCU critical section of the program's own.
 * @sleepable: the program may sleep, were it not for the above.
 * @may_use_locks: programs of this type can use maps with locks.
 */
struct bpf_module_call_place {
	bool locked;
	bool preempt_off;
	bool rcu_locked;
	bool sleepable;
	bool may_use_locks;
};

/* Only with a JIT: callers test IS_ENABLED(CONFIG_BPF_JIT). */
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
void **bpf_module_security(struct bpf_module *mod);
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
/* functions: for the verifier, and other code that handles programs */
struct bpf_module_dep *bpf_module_link_prog(struct bpf_verifier_env *env, u32 fd);
const struct bpf_prog *bpf_module_link_func(struct bpf_verifier_env *env,
					    struct bpf_module_dep *dep, u32 nr);
const char *bpf_module_func_name(const struct bpf_module_dep *dep, u32 nr);
bool bpf_module_func_sleeps(const struct bpf_module_dep *dep, u32 nr);
const struct bpf_subprog_info *bpf_module_func_proto(const struct bpf_module_dep *dep, u32 nr);
int bpf_module_check_call(struct bpf_verifier_env *env, const struct bpf_module_dep *dep,
			  u32 nr, const struct bpf_module_call_place *place);
void bpf_module_log_args(struct bpf_verifier_env *env, const struct bpf_module_dep *dep, u32 nr);
int bpf_module_check_stack(struct bpf_verifier_env *env, const struct bpf_module_dep *dep,
			   u32 nr, int depth, int frame);
void bpf_module_note_stack(struct bpf_verifier_env *env, int depth, int frames);
int bpf_module_func_start(struct bpf_verifier_env *env);
int bpf_module_may_bind_map(const struct bpf_prog *prog, const struct bpf_map *map);
void bpf_module_unlink_prog(struct bpf_prog_aux *aux);
void bpf_module_free_prog(struct bpf_prog_aux *aux);
#else
static inline void **bpf_module_security(struct bpf_module *mod)
{
	return NULL;
}

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

/* Without a JIT no fd is a module's, and there are no programs of that type. */
static inline struct bpf_module_dep *bpf_module_link_prog(struct bpf_verifier_env *env, u32 fd)
{
	return NULL;
}

static inline const struct bpf_prog *bpf_module_link_func(struct bpf_verifier_env *env,
							  struct bpf_module_dep *dep, u32 nr)
{
	return ERR_PTR(-EINVAL);
}

static inline const char *bpf_module_func_name(const struct bpf_module_dep *dep, u32 nr)
{
	return NULL;
}

static inline bool bpf_module_func_sleeps(const struct bpf_module_dep *dep, u32 nr)
{
	return false;
}

static inline const struct bpf_subprog_info *
bpf_module_func_proto(const struct bpf_module_dep *dep, u32 nr)
{
	return NULL;
}

static inline int bpf_module_check_call(struct bpf_verifier_env *env,
					const struct bpf_module_dep *dep, u32 nr,
					const struct bpf_module_call_place *place)
{
	return -EINVAL;
}

static inline void bpf_module_log_args(struct bpf_verifier_env *env,
				       const struct bpf_module_dep *dep, u32 nr)
{
}

static inline int bpf_module_check_stack(struct bpf_verifier_env *env,
					 const struct bpf_module_dep *dep, u32 nr, int depth,
					 int frame)
{
	return -EINVAL;
}

static inline void bpf_module_note_stack(struct bpf_verifier_env *env, int depth, int frames)
{
}

static inline int bpf_module_func_start(struct bpf_verifier_env *env)
{
	return -EINVAL;
}

static inline int bpf_module_may_bind_map(const struct bpf_prog *prog, const struct bpf_map *map)
{
	return 0;
}

static inline void bpf_module_unlink_prog(struct bpf_prog_aux *aux)
{
}

static inline void bpf_module_free_prog(struct bpf_prog_aux *aux)
{
}
#endif

#endif
