/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _BPF_MODULE_H
#define _BPF_MODULE_H

#include <linux/bpf.h>
#include <linux/bpf_module.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/bpf_module.h>

/* Unbound, so that the end of a module leaves isolated processors alone.  Defined where the
 * queue has another name.
 */
#ifndef bpf_module_wq
#define bpf_module_wq system_unbound_wq
#endif

struct bpf_struct_ops_inst;
struct seq_buf;

/**
 * struct bpf_module_op - one op of a module
 * @inst: the kernel struct and what makes it run; NULL once that is freed.
 * @udata: the struct for user space, with program ids for function pointers.
 * @udata_size: bytes of @udata.
 * @btf_id: id of the BTF that has its type.
 * @type_id: type in that BTF.
 * @capability: what changing it needs, from struct bpf_struct_ops.
 * @name: name that user space gave it, NULL for none.
 * @state: an enum bpf_module_ops_state, 0 before it is registered.  Whoever
 *	changes it from REGISTERED, with cmpxchg(), ends the registration: the
 *	one that unloads the module, or the subsystem.
 * @reason: why it is WITHDRAWN; written before @state.
 *
 * All but @inst, @state and @reason are constant once the module is loaded, and live
 * as long as struct bpf_module.
 */
struct bpf_module_op {
	struct bpf_struct_ops_inst *inst;
	void *udata;
	u32 udata_size;
	u32 btf_id;
	u32 type_id;
	int capability;
	char *name;
	u32 state;
	char reason[BPF_MODULE_REASON_LEN];
};

/**
 * struct bpf_module_adopted - one link of a module
 * @link: the link, with a reference; NULL once another module has taken it over.
 * @prog: its program, with a reference and claimed; with @in_place the one to switch to.
 * @old_prog: with @in_place, what it was switched from, until that is final; else NULL.
 * @in_place: it is a link of the module to be replaced, and not taken over yet.
 */
struct bpf_module_adopted {
	struct bpf_link *link;
	struct bpf_prog *prog;
	struct bpf_prog *old_prog;
	bool in_place;
};

/**
 * struct bpf_module_fn - one function of a module
 * @prog: the program that it is, with a reference and claimed; NULL once the module is
 *	gone.  A caller keeps it.
 * @prog_id: its id.
 * @btf_id: the function in the BTF of the module.
 * @flags: BPF_MODULE_FUNC_*.
 * @stack_depth: bytes of stack that a call takes, including its callees.
 * @name: its name.
 *
 * All but @prog live as long as struct bpf_module.
 */
struct bpf_module_fn {
	struct bpf_prog *prog;
	u32 prog_id;
	u32 btf_id;
	u32 flags;
	u32 stack_depth;
	char *name;
};

/**
 * struct bpf_module_dep - a program that calls functions of a module
 * @next: the next one of the program.
 * @mod: the module, of which the program is a user.
 * @aux: of the program.
 * @node: in the list of callers of @mod.
 * @calls: a bit for each function of @mod that the program calls.
 */
struct bpf_module_dep {
	struct bpf_module_dep *next;
	struct bpf_module *mod;
	struct bpf_prog_aux *aux;
	struct list_head node;
	DECLARE_BITMAP(calls, BPF_MODULE_MAX_FUNCS);
};

/**
 * struct bpf_module_parts - what to tell of the programs of a module
 * @ids: ids of the programs, then those of the maps.
 * @progs_cnt: programs, each counted once.
 * @maps_cnt: maps that they use, each counted once.
 * @deps: ids of the modules whose functions they call.
 * @deps_cnt: entries of @deps.
 *
 * Stays as long as struct bpf_module does.
 */
struct bpf_module_parts {
	u32 *ids;
	u32 progs_cnt;
	u32 maps_cnt;
	u32 *deps;
	u32 deps_cnt;
};

/**
 * struct bpf_module - ops, links and functions that are loaded and unloaded as one
 * @refs: BPF_MODULE_REF_BASE while the module is loaded, and
 *	BPF_MODULE_REF_USER for every user of its ops.  At 0 the ops are gone for good,
 *	and so is the module, unless programs call its functions.
 * @handles: fds, pins and the loaded module itself; at 0 this struct is freed.
 * @state: an enum bpf_module_state, and where it is set.
 *	LIVE: bpf_module_init().
 *	DETACHED: bpf_module_withdraw_op(), by cmpxchg() from LIVE.
 *	GOING: bpf_module_set_going(), under @lock; bpf_module_refuse(), never listed.
 *	GONE: bpf_module_set_gone(), with the last of @refs.
 * @flags: BPF_F_MODULE_BOUND or 0.
 * @lock: makes the step to GOING exclusive.  Never held while memory of the loader
 *	or of a reader is accessed: a page fault may never return.
 * @id: in bpf_module_idr, 0 while not there.  Under bpf_module_idr_lock; read
 *	without it where a stale id does no harm.
 * @ops_cnt: entries of @ops.
 * @uid: who loaded the module.
 * @load_time: ns of CLOCK_BOOTTIME.
 * @memory: bytes that it takes, excluding programs and maps.
 * @btf: BTF of the object that the module was loaded from, or NULL.
 * @btf_id: its id, or 0.
 * @parts: the programs and maps that it is made of.
 * @kept: those of @parts that its functions and its exit program are, and use; empty
 *	without functions.
 * @only_kept: everything else is being freed, or was.
 * @links_lock: protects readers of @links against the task that ends the module.
 *	Only references are taken under it, and no user memory is accessed.
 * @links: the links, in the order of loading; NULL once the module is going.
 * @links_cnt: entries of @links.
 * @funcs: the functions, in the order of loading; NULL for none.
 * @funcs_cnt: entries of @funcs.
 * @callers_cnt: entries of @callers, changes under @callers_lock.
 * @callers_lock: protects @callers, the bitmaps in it and @callers_closed.  Innermost.
 * @callers: the programs that call functions, struct bpf_module_dep.
 * @callers_closed: no more programs can become callers.
 * @callers_last: everything else is freed, the last caller frees the rest.
 * @gone_late: it is gone when everything is freed, not with the last of @refs.
 * @prog_caps: what the types of its programs need, bits of BPF_MODULE_NEEDS_*.
 * @init: program to run at load, or NULL.
 * @exit: program to run at the end, or NULL.
 * @init_id: id of @init, or 0.
 * @exit_id: id of @exit, or 0.
 * @cred: the loader's credentials, for @exit.
 * @own_id: the id, even while it is not listed.
 * @other_id: id of the module that it is to replace, or was replaced by; or 0.
 * @reason: why it ends, an enum bpf_module_reason.
 * @exit_due: it got past @init, so @exit has to run.
 * @exit_running: @exit is running.
 * @ended: completed when it is gone, for those who wait for @exit.
 * @maps: the maps, with a user reference each; NULL once those are put.
 * @maps_cnt: entries of @maps, not changed when those are put.
 * @name_node: in the table of names while loading, LIVE or DETACHED.
 * @wait_gone: woken when the module is gone or detached.
 * @sleepable: a program of its ops is, or one associated with its op may be.
 * @calls_held: set if it is for the types of all ops, see struct bpf_struct_ops.
 * @put_by_prog: a BPF program has put a user, maybe the one it was called for.
 * @closed: it takes no more users, because it is unloaded or replaced, or its load
 *	failed.
 * @announced: security modules have allowed it, and have to hear of its end.
 * @rcu: for a grace period before freeing.
 * @rcu_tasks: for the one that runs in parallel.
 * @grace_periods: how many have yet to pass.
 * @work: frees, after them.
 * @drain_work: unloads a bound module whose last handle was put in a context
 *	that may not sleep.
 * @security: for security modules.
 * @name: padded with NULs, it is the key in the table of names.
 * @ops: in the order of loading.
 */
struct bpf_module {
	atomic_long_t refs;
	atomic64_t handles;
	u32 state;
	u32 flags;
	struct mutex lock; /* the step to GOING */
	u32 id;
	u32 ops_cnt;
	kuid_t uid;
	u64 load_time;
	u64 memory;
	struct btf *btf;
	u32 btf_id;
	struct bpf_module_parts parts;
	struct bpf_module_parts kept;
	bool only_kept;
	struct mutex links_lock; /* readers of links */
	struct bpf_module_adopted *links;
	u32 links_cnt;
	struct bpf_module_fn *funcs;
	u32 funcs_cnt;
	u32 callers_cnt;
	spinlock_t callers_lock; /* callers */
	struct list_head callers;
	bool callers_closed;
	bool callers_last;
	bool gone_late;
	u32 prog_caps;
	struct bpf_prog *init;
	struct bpf_prog *exit;
	u32 init_id;
	u32 exit_id;
	const struct cred *cred;
	u32 own_id;
	u32 other_id;
	u32 reason;
	bool exit_due;
	bool exit_running;
	struct completion ended;
	struct bpf_map **maps;
	u32 maps_cnt;
	struct rhash_head name_node;
	wait_queue_head_t wait_gone;
	bool sleepable;
	bool calls_held;
	bool put_by_prog;
	bool closed;
	bool announced;
	struct rcu_head rcu;
	struct rcu_head rcu_tasks;
	atomic_t grace_periods;
	struct work_struct work;
	struct work_struct drain_work;
#ifdef CONFIG_SECURITY
	void *security;
#endif
	char name[BPF_MODULE_NAME_LEN];
	struct bpf_module_op ops[] __counted_by(ops_cnt);
};

/*
 * One counter holds both, so that checking for users and refusing new ones is one
 * atomic step, and the number of users is exact at any moment.  Programs that call a
 * function are users, too, but counted elsewhere: the rest of the module ends before them.
 */
#define BPF_MODULE_REF_BASE 1
#define BPF_MODULE_REF_USER 2

static inline unsigned long bpf_module_users(const struct bpf_module *mod)
{
	return atomic_long_read(&mod->refs) / BPF_MODULE_REF_USER + READ_ONCE(mod->callers_cnt);
}

/* module.c: ids, handles and users */
#ifdef CONFIG_BPF_JIT
bool bpf_module_get_user(struct bpf_module *mod);
void bpf_module_withdraw_op(struct bpf_module *mod, u32 nr, struct va_format *reason);
#endif
struct bpf_module *bpf_module_get_curr_or_next(u32 *id);
void bpf_module_put_handle(struct bpf_module *mod);
void bpf_module_free(struct bpf_module *mod);
int bpf_module_alloc_id(void);
void bpf_module_publish_id(struct bpf_module *mod, u32 id);
void bpf_module_free_id(u32 id);

/* module_end.c: from loaded to gone and freed */
#ifdef CONFIG_BPF_JIT
void bpf_module_put_user(struct bpf_module *mod);
#endif
bool bpf_module_put_refs(struct bpf_module *mod, long refs);
void bpf_module_queue_rest(struct bpf_module *mod);
void bpf_module_sync(const struct bpf_module *mod);
void bpf_module_unregister(struct bpf_module *mod);
int bpf_module_check_loaded(const struct bpf_module *mod);
void bpf_module_set_going(struct bpf_module *mod);
int bpf_module_end(struct bpf_module *mod, bool drain, u32 reason);
void bpf_module_drain_work(struct work_struct *work);
void bpf_module_dec_direct(struct bpf_module *mod);

/* module_fd.c: how it is reached */
struct bpf_module *bpf_module_of_fd(struct fd f, fmode_t mode);

/* module_build.c: from the arguments of LOAD to kernel structs */
int bpf_module_build(struct bpf_module *mod, struct bpf_module *old,
		     const union bpf_attr *attr, struct seq_buf *log);
void bpf_module_unbuild(struct bpf_module *mod);
void bpf_module_free_ops(struct bpf_module *mod, bool waited);

/* module_link.c: the links that a module holds */
int bpf_module_adopt_links(struct bpf_module *mod, struct bpf_module *old,
			   const union bpf_attr *attr, struct seq_buf *log);
void bpf_module_put_links(struct bpf_module *mod);
void bpf_module_detach_links(struct bpf_module *mod);
int bpf_module_switch_links(struct bpf_module *mod, struct seq_buf *log);
void bpf_module_switch_links_back(struct bpf_module *mod, struct seq_buf *log);
void bpf_module_move_links(struct bpf_module *mod, struct bpf_module *old);
struct bpf_module_link_info *bpf_module_link_infos(struct bpf_module *mod, u32 *cnt);

/* module_run.c: init and exit */
int bpf_module_get_run(struct bpf_module *mod, const union bpf_attr *attr,
		       struct seq_buf *log);
void bpf_module_release_run(struct bpf_module *mod);
void bpf_module_put_init(struct bpf_module *mod);
void bpf_module_put_run(struct bpf_module *mod);
int bpf_module_run_init(struct bpf_module *mod, struct seq_buf *log);
void bpf_module_queue_exit(struct work_struct *work);
void bpf_module_run_exit(struct bpf_module *mod);
int bpf_module_wait_exit(struct bpf_module *mod);

/* module_func.c: the functions that a module exports */
int bpf_module_get_funcs(struct bpf_module *mod, const union bpf_attr *attr,
			 struct seq_buf *log);
int bpf_module_check_exit_maps(const struct bpf_module *mod, struct seq_buf *log);
void bpf_module_release_funcs(struct bpf_module *mod);
void bpf_module_put_funcs(struct bpf_module *mod);

/* module_callers.c: the programs that call them */
bool bpf_module_add_caller(struct bpf_module_dep *dep);
bool bpf_module_del_caller(struct bpf_module_dep *dep);
bool bpf_module_close_callers(struct bpf_module *mod, bool drain);
void bpf_module_open_callers(struct bpf_module *mod);
bool bpf_module_leave_to_callers(struct bpf_module *mod);
u32 *bpf_module_caller_ids(struct bpf_module *mod, u32 nr, u32 *cnt);
int bpf_module_get_deps(struct bpf_module_parts *parts, struct bpf_prog **progs, u32 progs_cnt);

/* struct_ops_claim.c: the owner of a program */
bool bpf_module_claim_prog(struct bpf_module *mod, struct bpf_prog *prog);
void bpf_module_release_prog(struct bpf_module *mod, struct bpf_prog *prog);

/* module_parts.c: the programs and maps of a module */
int bpf_module_get_parts(struct bpf_module *mod);
void bpf_module_free_parts(struct bpf_module *mod);
void bpf_module_put_maps(struct bpf_module *mod);
u64 bpf_module_parts_usage(const struct bpf_module *mod);

/* module_copy.c: the arrays that LOAD takes */
int bpf_module_check_entry_size(const char *what, u32 size, u32 min, struct seq_buf *log);
int bpf_module_copy_entry(const char *what, void *to, u32 to_size, u64 array, u32 nr, u32 size,
			  struct seq_buf *log);

/* module_log.c: why LOAD failed */
struct seq_buf *bpf_module_log_alloc(const union bpf_attr *attr);
__printf(2, 3)
void bpf_module_log(struct seq_buf *log, const char *fmt, ...);
__printf(2, 3)
void bpf_module_log_more(struct seq_buf *log, const char *fmt, ...);
void bpf_module_log_users(struct seq_buf *log, unsigned long users);
u32 bpf_module_log_finish(struct seq_buf *log, const union bpf_attr *attr, int err);

/* module_name.c: valid names, and who has them */
#define BPF_MODULE_NAME_RULE "1 to %d letters, digits, '_', '.' or '-', but no '-' first and not '.' or '..'"
int bpf_module_copy_name(char *name, u64 uname);
int bpf_module_add_name(struct bpf_module *mod, struct seq_buf *log);
void bpf_module_del_name(struct bpf_module *mod);
void bpf_module_replace_name(struct bpf_module *old, struct bpf_module *mod);

/* module_replace.c: REPLACE */
int bpf_module_may_replace(struct bpf_module *mod, struct bpf_module *old,
			   struct seq_buf *log);
int bpf_module_replace(struct bpf_module *mod, struct bpf_module *old,
		       struct seq_buf *log);

/* module_guard.c: permissions and audit */
#define BPF_MODULE_NEEDS_NET_ADMIN BIT(0)
#define BPF_MODULE_NEEDS_PERFMON BIT(1)
int bpf_module_check_caller(struct seq_buf *log);
int bpf_module_check_prog(struct bpf_module *mod, const struct bpf_prog *prog);
int bpf_module_check_ops(struct bpf_module *mod, struct seq_buf *log);
int bpf_module_check_type(const struct bpf_struct_ops_inst *inst);
int bpf_module_check_change(const struct bpf_module *mod);
void bpf_module_audit(struct bpf_module *mod, const char *op);

#endif
