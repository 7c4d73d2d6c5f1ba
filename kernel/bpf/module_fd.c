// SPDX-License-Identifier: GPL-2.0-only
/* How a BPF module is reached: fds, and the commands that give or end one. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include "module.h"

#ifdef CONFIG_PROC_FS
static const char *bpf_module_state_str(u32 state)
{
	switch (state) {
	case BPF_MODULE_STATE_LIVE:
		return "live";
	case BPF_MODULE_STATE_GOING:
		return "going";
	case BPF_MODULE_STATE_DETACHED:
		return "detached";
	default:
		return "gone";
	}
}

static void bpf_module_show_fdinfo(struct seq_file *m, struct file *filp)
{
	const struct bpf_module *mod = filp->private_data;
	u32 state = READ_ONCE(mod->state);

	seq_printf(m,
		   "module_id:\t%u\n"
		   "module_name:\t%s\n"
		   "module_state:\t%s\n"
		   "module_bound:\t%u\n"
		   "users:\t%lu\n"
		   "ops_cnt:\t%u\n"
		   "links_cnt:\t%u\n"
		   "funcs_cnt:\t%u\n"
		   "memlock:\t%llu\n",
		   state == BPF_MODULE_STATE_GONE ? 0 : mod->id,
		   mod->name, bpf_module_state_str(state),
		   !!(mod->flags & BPF_F_MODULE_BOUND),
		   state == BPF_MODULE_STATE_GONE ? 0 : bpf_module_users(mod),
		   state == BPF_MODULE_STATE_GONE || READ_ONCE(mod->only_kept) ? 0 : mod->ops_cnt,
		   READ_ONCE(mod->links_cnt),
		   state == BPF_MODULE_STATE_GONE ? 0 : mod->funcs_cnt,
		   state == BPF_MODULE_STATE_GONE ? 0 : mod->memory);
}
#endif

static int bpf_module_release(struct inode *inode, struct file *filp)
{
	bpf_module_dec_direct(filp->private_data);
	return 0;
}

static __poll_t bpf_module_poll(struct file *file, struct poll_table_struct *pts)
{
	struct bpf_module *mod = file->private_data;
	u32 state;

	poll_wait(file, &mod->wait_gone, pts);
	state = READ_ONCE(mod->state);
	return state == BPF_MODULE_STATE_GONE || state == BPF_MODULE_STATE_DETACHED ?
	       EPOLLHUP : 0;
}

const struct file_operations bpf_module_fops = {
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= bpf_module_show_fdinfo,
#endif
	.release	= bpf_module_release,
	.poll		= bpf_module_poll,
};

/**
 * bpf_module_new_fd - install an fd for a module
 * @mod: module; the fd takes over the caller's handle if it succeeds
 * @flags: O_RDONLY, for an fd that can only look at the module, or O_RDWR
 *
 * Return: the fd or a negative error.
 */
int bpf_module_new_fd(struct bpf_module *mod, int flags)
{
	int err;

	err = security_bpf_module(mod, OPEN_FMODE(flags));
	if (err)
		return err;
	return anon_inode_getfd("bpf-module", &bpf_module_fops, mod, flags | O_CLOEXEC);
}

/* Returns the module of @f, which keeps it, or an error like bpf_module_get_from_fd(). */
struct bpf_module *bpf_module_of_fd(struct fd f, fmode_t mode)
{
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	if (fd_file(f)->f_op != &bpf_module_fops)
		return ERR_PTR(-EINVAL);
	if ((fd_file(f)->f_mode & mode) != mode)
		return ERR_PTR(-EPERM);
	return fd_file(f)->private_data;
}

/**
 * bpf_module_get_from_fd - module behind an fd
 * @ufd: the fd
 * @mode: FMODE_WRITE to change the module, 0 to look at it
 *
 * Return: the module with a handle for the caller, -EBADF if @ufd is not open,
 * -EINVAL if it is something else, -EPERM if it was opened without @mode.
 */
struct bpf_module *bpf_module_get_from_fd(u32 ufd, fmode_t mode)
{
	CLASS(fd, f)(ufd);
	struct bpf_module *mod;

	mod = bpf_module_of_fd(f, mode);
	if (!IS_ERR(mod))
		bpf_module_inc(mod);
	return mod;
}

/**
 * bpf_module_get_fd_by_id - BPF_MODULE_GET_FD_BY_ID
 * @attr: attributes of the command
 *
 * Return: a new fd, -EPERM, -EINVAL for open flags that a module does not know,
 * -ENOENT if there is no such id, or another error of opening a file.
 */
int bpf_module_get_fd_by_id(const union bpf_attr *attr)
{
	struct bpf_module *mod;
	int fd, flags;

	if (attr->open_flags & ~BPF_F_RDONLY)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	flags = bpf_get_file_flag(attr->open_flags);

	spin_lock_irq(&bpf_module_idr_lock);
	/* A listed module has the handle of the loaded module. */
	mod = idr_find(&bpf_module_idr, attr->module_id);
	if (mod)
		bpf_module_inc(mod);
	spin_unlock_irq(&bpf_module_idr_lock);
	if (!mod)
		return -ENOENT;

	fd = bpf_module_new_fd(mod, flags);
	if (fd < 0)
		bpf_module_dec_direct(mod);
	return fd;
}

/**
 * bpf_module_unload - BPF_MODULE_UNLOAD
 * @attr: attributes of the command
 *
 * Context: process, may sleep.
 * Return: 0, -EPERM, -EBUSY if the module has users, -EINPROGRESS if it is going (both
 * only without DRAIN), -ENOENT if it is gone, -EINTR if the caller is killed while it
 * waits for the exit program, which goes on.
 */
int bpf_module_unload(const union bpf_attr *attr)
{
	bool drain = attr->module_unload.flags & BPF_F_MODULE_DRAIN;
	struct bpf_module *mod;
	int err;

	if (attr->module_unload.flags & ~BPF_F_MODULE_DRAIN)
		return -EINVAL;
	err = bpf_module_check_caller(NULL);
	if (err)
		return err;

	mod = bpf_module_get_from_fd(attr->module_unload.module_fd, FMODE_WRITE);
	if (IS_ERR(mod))
		return PTR_ERR(mod);

	err = bpf_module_check_change(mod);
	if (!err)
		err = bpf_module_end(mod, drain, drain ? BPF_MODULE_REASON_DRAINED :
							 BPF_MODULE_REASON_UNLOADED);
	bpf_module_dec_direct(mod);
	return err;
}
