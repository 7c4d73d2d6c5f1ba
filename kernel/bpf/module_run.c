// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs that the kernel runs for a BPF module: init before its first op is
 * registered, exit once it has ended.
 *
 * Exit runs in a worker, with the credentials of the loader.  A worker has no user memory
 * of its own and runs on when the caller of UNLOAD is killed.  When a program is loaded,
 * the verifier notes if it does something that is not possible there.
 */
#include <linux/bpf.h>
#include <linux/cred.h>
#include <linux/filter.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include "module.h"

/* The largest error that init may return: larger ones would restart the system call. */
#define BPF_MODULE_MAX_ERRNO 511

/**
 * bpf_module_exit_may_call - may the exit program of a module call a helper
 * @func_id: number of the helper
 *
 * A timer that it armed would outlive the module, programs that it tail-calls are not
 * checked, there is no user memory, and the rest is for loaders.
 *
 * Context: any.
 */
bool bpf_module_exit_may_call(u32 func_id)
{
	switch (func_id) {
	case BPF_FUNC_timer_start:
	case BPF_FUNC_tail_call:
	case BPF_FUNC_sys_bpf:
	case BPF_FUNC_sys_close:
	case BPF_FUNC_kallsyms_lookup_name:
	case BPF_FUNC_probe_read:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_user:
	case BPF_FUNC_probe_read_user_str:
	case BPF_FUNC_probe_write_user:
	case BPF_FUNC_copy_from_user:
	case BPF_FUNC_copy_from_user_task:
		return false;
	default:
		return true;
	}
}

/**
 * bpf_module_exit_may_call_kfunc - may the exit program of a module call a kfunc
 * @name: name of the kfunc
 *
 * Context: any.
 */
bool bpf_module_exit_may_call_kfunc(const char *name)
{
	return strcmp(name, "bpf_wq_start") && !strstarts(name, "bpf_task_work_schedule") &&
	       !strstarts(name, "bpf_copy_from_user") && !strstarts(name, "bpf_probe_read_user");
}

/* From now on no freplace program can extend @prog. */
static bool bpf_module_forbid_extension(struct bpf_prog *prog)
{
	guard(mutex)(&prog->aux->ext_mutex);
	if (prog->aux->ext_cnt)
		return false;
	prog->aux->module_run = true;
	return true;
}

static int bpf_module_check_run(struct bpf_module *mod, struct bpf_prog *prog,
				const char *what, struct seq_buf *log)
{
	const char *why = NULL;
	int err = -EINVAL;

	if (prog->aux->max_ctx_offset > sizeof(struct bpf_module_ctx))
		why = "reads beyond struct bpf_module_ctx";
	else if (!strcmp(what, "exit") && prog->aux->module_exit_refused)
		why = "calls what exit must not (timers, tail calls, user memory, bpf_sys_*)";
	else if (bpf_module_check_prog(mod, prog))
		why = "is of a type that the caller may not load", err = -EPERM;
	else if (!bpf_module_claim_prog(mod, prog))
		why = "belongs to another module", err = -EBUSY;
	else if (!bpf_module_forbid_extension(prog))
		why = "is extended by another program", err = -EBUSY;
	if (!why)
		return 0;
	bpf_module_log(log, "%s program %s (id %u) %s\n", what, prog->aux->name, prog->aux->id,
		       why);
	return err;
}

static int bpf_module_get_run_prog(struct bpf_module *mod, struct bpf_prog **to, u32 fd,
				   const char *what, struct seq_buf *log)
{
	struct bpf_prog *prog;

	if (!fd)
		return 0;
	prog = bpf_prog_get_type(fd, BPF_PROG_TYPE_SYSCALL);
	if (IS_ERR(prog)) {
		bpf_module_log(log, "%s: fd %u is not a program of type syscall\n", what, fd);
		return PTR_ERR(prog);
	}
	/* From now on bpf_module_put_run() puts it. */
	*to = prog;
	return bpf_module_check_run(mod, prog, what, log);
}

/* Get the init and exit programs of @mod.  If it fails, bpf_module_put_run() puts what
 * it got.
 */
int bpf_module_get_run(struct bpf_module *mod, const union bpf_attr *attr,
		       struct seq_buf *log)
{
	u32 init_fd = attr->module_load.init_fd, exit_fd = attr->module_load.exit_fd;
	int err;

	err = bpf_module_get_run_prog(mod, &mod->init, init_fd, "init", log);
	if (!err)
		err = bpf_module_get_run_prog(mod, &mod->exit, exit_fd, "exit", log);
	if (err || !mod->exit)
		return err;
	mod->cred = get_current_cred();
	return 0;
}

static void bpf_module_put_run_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
	if (!prog)
		return;
	bpf_module_release_prog(mod, prog);
	/* Another module that has claimed it since then sets this after the claim. */
	scoped_guard(mutex, &prog->aux->ext_mutex) {
		if (!READ_ONCE(prog->aux->bpf_module))
			prog->aux->module_run = false;
	}
	bpf_prog_put(prog);
}

/* Let others have the programs, which no longer run.  Context: any. */
void bpf_module_release_run(struct bpf_module *mod)
{
	if (mod->init)
		bpf_module_release_prog(mod, mod->init);
	if (mod->exit)
		bpf_module_release_prog(mod, mod->exit);
}

/* May sleep. */
void bpf_module_put_init(struct bpf_module *mod)
{
	struct bpf_prog *init = mod->init;

	mod->init = NULL;
	bpf_module_put_run_prog(mod, init);
}

/* May sleep. */
void bpf_module_put_run(struct bpf_module *mod)
{
	struct bpf_prog *exit = mod->exit;

	bpf_module_put_init(mod);
	mod->exit = NULL;
	bpf_module_put_run_prog(mod, exit);
	if (mod->cred)
		put_cred(mod->cred);
	mod->cred = NULL;
}

static int bpf_module_run(const struct bpf_module *mod, const struct bpf_prog *prog)
{
	struct bpf_module_ctx ctx = {
		.module_id = mod->own_id,
		.flags = mod->flags,
		.other_id = mod->other_id,
		.reason = mod->reason,
	};
	u32 ret;

	/* As bpf_prog_test_run_syscall() does. */
	rcu_read_lock_trace();
	ret = bpf_prog_run_pin_on_cpu(prog, &ctx);
	rcu_read_unlock_trace();
	return ret;
}

/* Run the init program of @mod, if it has one, with no lock held.  If it returns 0 the
 * exit program has to run.
 */
int bpf_module_run_init(struct bpf_module *mod, struct seq_buf *log)
{
	int ret;

	if (!mod->init)
		return 0;
	ret = bpf_module_run(mod, mod->init);
	if (!ret)
		return 0;
	bpf_module_log(log, "init program %s (id %u) returned %d%s\n", mod->init->aux->name,
		       mod->init->aux->id, ret,
		       ret >= -BPF_MODULE_MAX_ERRNO && ret < 0 ? "" :
		       ", which is neither 0 nor an error number");
	return ret >= -BPF_MODULE_MAX_ERRNO && ret < 0 ? ret : -ECANCELED;
}

/* Exit programs may take long, so they have a queue of their own. */
static struct workqueue_struct *bpf_module_exit_wq;

static int __init bpf_module_exit_init(void)
{
	bpf_module_exit_wq = alloc_workqueue("bpf_module_exit", WQ_UNBOUND, 0);
	return bpf_module_exit_wq ? 0 : -ENOMEM;
}
core_initcall(bpf_module_exit_init);

/* Let a worker do @work, which runs an exit program at the end.  Context: any. */
void bpf_module_queue_exit(struct work_struct *work)
{
	queue_work(bpf_module_exit_wq ?: bpf_module_wq, work);
}

/* Run the exit program of @mod, in a worker.  Everything else of the module is gone. */
void bpf_module_run_exit(struct bpf_module *mod)
{
	const struct cred *cred;

	WRITE_ONCE(mod->exit_running, true);
	cred = override_creds(mod->cred);
	bpf_module_run(mod, mod->exit);
	revert_creds(cred);
	WRITE_ONCE(mod->exit_running, false);
}

/* Wait until @mod, which the caller has a handle on and which nothing else keeps, has run
 * its exit program.  Killable and freezable: exit does not need the waiter.
 */
int bpf_module_wait_exit(struct bpf_module *mod)
{
	if (wait_for_completion_state(&mod->ended, TASK_KILLABLE | TASK_FREEZABLE))
		return -EINTR;
	return 0;
}
