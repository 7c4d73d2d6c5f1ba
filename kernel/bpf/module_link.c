// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links that BPF modules hold.
 *
 * User space attaches a program, and BPF_MODULE_LOAD adopts the link: the module holds
 * a reference to it, so that it stays when its fds are closed, and detaches it at the
 * module's end, whoever else holds it then.  Until LOAD returns, the caller's fds keep
 * the link; a load that fails hands it back unchanged.
 *
 * bpf_link.bpf_module and the program of an adopted link change only under
 * bpf_link_adopt_sem.  It is held over update_prog(), so it is outside the locks of all
 * types of links.
 */
#include <linux/bpf.h>
#include <linux/rcupdate_trace.h>
#include <linux/rcupdate_wait.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include "module.h"
#include "struct_ops.h"

/* struct bpf_module_link as it was first released. */
#define BPF_MODULE_LINK_SIZE_VER0 offsetofend(struct bpf_module_link, reserved)

/* Held for reading while a link's program is updated, for writing while a link is adopted. */
static DECLARE_RWSEM(bpf_link_adopt_sem);

/**
 * bpf_link_module_id - id of the module that has adopted a link
 * @link: the link
 *
 * Context: any.
 * Return: the id, 0 if @link belongs to no module or to one that is not listed.
 */
u32 bpf_link_module_id(const struct bpf_link *link)
{
	const struct bpf_module *mod;

	/* Pairs with kfree_rcu() of the module. */
	guard(rcu)();
	mod = READ_ONCE(link->bpf_module);
	return mod ? READ_ONCE(mod->id) : 0;
}

/**
 * bpf_link_begin_update - before the program of a link is changed
 * @link: the link
 *
 * Context: process, may sleep.
 * Return: 0, and bpf_link_end_update() has to follow, or -EBUSY if a module has
 * adopted @link: then use BPF_F_MODULE_REPLACE.
 */
int bpf_link_begin_update(const struct bpf_link *link)
{
	down_read(&bpf_link_adopt_sem);
	if (!link->bpf_module)
		return 0;
	up_read(&bpf_link_adopt_sem);
	return -EBUSY;
}

/** bpf_link_end_update - after the program of a link has changed */
void bpf_link_end_update(void)
{
	up_read(&bpf_link_adopt_sem);
}

static void bpf_module_log_prog(struct seq_buf *log, u32 nr, const struct bpf_prog *prog,
				const char *why)
{
	bpf_module_log(log, "link #%u: program %s (id %u) %s\n", nr, prog->aux->name,
		       prog->aux->id, why);
}

static int bpf_module_claim_link_prog(struct bpf_module *mod, u32 nr, struct bpf_prog *prog,
				      struct seq_buf *log)
{
	int err;

	err = bpf_module_check_prog(mod, prog);
	if (err) {
		bpf_module_log_prog(log, nr, prog,
				    "is of a type that needs CAP_NET_ADMIN or CAP_PERFMON, which the caller lacks");
		return err;
	}
	if (bpf_module_claim_prog(mod, prog))
		return 0;
	bpf_module_log_prog(log, nr, prog, "belongs to another module");
	return -EBUSY;
}

/* Adopt a link that belongs to no module. */
static int bpf_module_adopt(struct bpf_module *mod, u32 nr, struct seq_buf *log)
{
	struct bpf_module_adopted *adopted = &mod->links[nr];
	struct bpf_link *link = adopted->link;
	int err;

	/* No update can run, so link->prog does not change. */
	guard(rwsem_write)(&bpf_link_adopt_sem);

	if (link->bpf_module) {
		bpf_module_log(log, "link #%u: link id %u belongs to %s\n", nr, link->id,
			       link->bpf_module == mod ? "this module already" :
			       "another module");
		return link->bpf_module == mod ? -EINVAL : -EBUSY;
	}
	err = bpf_module_claim_link_prog(mod, nr, link->prog, log);
	if (err)
		return err;
	bpf_prog_inc(link->prog);
	adopted->prog = link->prog;
	WRITE_ONCE(link->bpf_module, mod);
	return 0;
}

static bool bpf_module_names_twice(const struct bpf_module *mod, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (mod->links[i].link == mod->links[nr].link)
			return true;
	}
	return false;
}

/* Is @link off its hook?  Types that can lose their target report it as 0 then. */
static bool bpf_link_is_detached(const struct bpf_link *link)
{
	struct bpf_link_info info = {};

	if (READ_ONCE(link->detached))
		return true;
	switch (link->type) {
	case BPF_LINK_TYPE_XDP:
		return !link->ops->fill_link_info(link, &info) && !info.xdp.ifindex;
	case BPF_LINK_TYPE_TCX:
		return !link->ops->fill_link_info(link, &info) && !info.tcx.ifindex;
	case BPF_LINK_TYPE_NETKIT:
		return !link->ops->fill_link_info(link, &info) && !info.netkit.ifindex;
	case BPF_LINK_TYPE_CGROUP:
		return !link->ops->fill_link_info(link, &info) && !info.cgroup.cgroup_id;
	case BPF_LINK_TYPE_NETNS:
		return !link->ops->fill_link_info(link, &info) && !info.netns.netns_ino;
	case BPF_LINK_TYPE_SOCKMAP:
		return !link->ops->fill_link_info(link, &info) && !info.sockmap.map_id;
	default:
		return false;
	}
}

/* Why @link cannot be switched, as far as is known in advance; NULL if it may work. */
static const char *bpf_module_why_no_switch(const struct bpf_link *link)
{
	if (link->type == BPF_LINK_TYPE_TRACING && link->prog->type == BPF_PROG_TYPE_EXT)
		return "extends a program, which cannot be replaced";
	/* The update_prog() of netfilter always fails. */
	if (!link->ops->update_prog || link->type == BPF_LINK_TYPE_NETFILTER)
		return "cannot be switched to another program, give a new link instead";
	if (bpf_link_is_detached(link))
		return "is detached, give a new link instead";
	return NULL;
}

static const char *bpf_module_why_not_switched(int err)
{
	switch (err) {
	case -ENOLINK:
		return "it is detached";
	case -EINVAL:
	case -EPERM:
		return "the program is of another type, or for another kind of attachment";
	case -ENOMEM:
		return "out of memory";
	default:
		return NULL;
	}
}

/* Get the program that a link of @old is to be switched to. */
static int bpf_module_take_over(struct bpf_module *mod, u32 nr, struct bpf_module *old,
				u32 prog_fd, struct seq_buf *log)
{
	struct bpf_module_adopted *adopted = &mod->links[nr];
	struct bpf_link *link = adopted->link;
	struct bpf_prog *prog;
	const char *why;
	int err;

	if (!old || READ_ONCE(link->bpf_module) != old || bpf_module_names_twice(mod, nr)) {
		bpf_module_log(log,
			       "link #%u: prog_fd is for a link, named once, of the module to be replaced\n",
			       nr);
		return -EINVAL;
	}
	why = bpf_module_why_no_switch(link);
	if (why) {
		bpf_module_log(log, "link #%u: link id %u %s\n", nr, link->id, why);
		return -EOPNOTSUPP;
	}
	prog = bpf_prog_get(prog_fd);
	if (IS_ERR(prog)) {
		bpf_module_log(log, "link #%u: prog_fd %u is not a program\n", nr, prog_fd);
		return PTR_ERR(prog);
	}
	err = bpf_module_claim_link_prog(mod, nr, prog, log);
	if (err) {
		bpf_prog_put(prog);
		return err;
	}
	adopted->prog = prog;
	adopted->in_place = true;
	return 0;
}

static int bpf_module_check_link(const struct bpf_link *link, u32 nr, struct seq_buf *log)
{
	if (link->ops->update_map) {
		bpf_module_log(log,
			       "link #%u: link id %u is that of a struct_ops map, load its ops instead\n",
			       nr, link->id);
		return -EINVAL;
	}
	if (bpf_perf_link_is_inherited(link)) {
		bpf_module_log(log,
			       "link #%u: link id %u is of an event that child processes inherit, which cannot be detached\n",
			       nr, link->id);
		return -EOPNOTSUPP;
	}
	if (!link->ops->detach && !link->ops->unhook) {
		bpf_module_log(log, "link #%u: link id %u is of a kind that cannot be detached\n",
			       nr, link->id);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int bpf_module_get_link(struct bpf_module *mod, u32 nr, struct bpf_module *old,
			       const struct bpf_module_link *ulink, struct seq_buf *log)
{
	struct bpf_link *link;
	int err;

	if (ulink->flags || ulink->reserved) {
		bpf_module_log(log, "link #%u: unknown flags 0x%x, reserved 0x%x\n", nr,
			       ulink->flags, ulink->reserved);
		return -EINVAL;
	}
	link = bpf_link_get_from_fd(ulink->link_fd);
	if (IS_ERR(link)) {
		bpf_module_log(log,
			       "link #%u: fd %u is not a link; what is attached by netlink, a socket option or ioctl() has none\n",
			       nr, ulink->link_fd);
		return PTR_ERR(link);
	}
	/* From here on bpf_module_put_links() puts it. */
	mod->links[nr].link = link;
	err = bpf_module_check_link(link, nr, log);
	if (err)
		return err;
	if (ulink->prog_fd)
		return bpf_module_take_over(mod, nr, old, ulink->prog_fd, log);
	return bpf_module_adopt(mod, nr, log);
}

/* Adopt the links of @attr for @mod, which replaces @old if that is not NULL.  May sleep.
 * If it fails, bpf_module_put_links() hands back those that were adopted.
 */
int bpf_module_adopt_links(struct bpf_module *mod, struct bpf_module *old,
			   const union bpf_attr *attr, struct seq_buf *log)
{
	u32 i, cnt = attr->module_load.links_cnt, size = attr->module_load.links_size;
	struct bpf_module_link ulink;
	int err;

	if (!cnt)
		return 0;
	if (cnt > BPF_MODULE_MAX_LINKS) {
		bpf_module_log(log, "%u links, expected at most %u\n", cnt, BPF_MODULE_MAX_LINKS);
		return -E2BIG;
	}
	err = bpf_module_check_entry_size("link", size, BPF_MODULE_LINK_SIZE_VER0, log);
	if (err)
		return err;
	mod->links = kvcalloc(cnt, sizeof(*mod->links), bpf_memcg_flags(GFP_USER));
	if (!mod->links)
		return -ENOMEM;
	mod->links_cnt = cnt;

	for (i = 0; !err && i < cnt; i++) {
		err = bpf_module_copy_entry("link", &ulink, sizeof(ulink),
					    attr->module_load.links, i, size, log);
		if (!err)
			err = bpf_module_get_link(mod, i, old, &ulink, log);
	}
	return err;
}

static void bpf_module_put_adopted(struct bpf_module *mod, struct bpf_module_adopted *adopted)
{
	struct bpf_link *link = adopted->link;

	if (adopted->prog) {
		bpf_module_release_prog(mod, adopted->prog);
		bpf_prog_put(adopted->prog);
	}
	/* NULL if the load failed, or if another module has taken it over. */
	if (!link)
		return;
	scoped_guard(rwsem_write, &bpf_link_adopt_sem) {
		if (link->bpf_module == mod)
			WRITE_ONCE(link->bpf_module, NULL);
	}
	/* Not bpf_link_put(), which lets a worker release the link. */
	bpf_link_put_direct(link);
}

/* Put the links of @mod without detaching them.  May sleep. */
void bpf_module_put_links(struct bpf_module *mod)
{
	struct bpf_module_adopted *links = mod->links;
	u32 i, cnt = mod->links_cnt;

	/* Readers of the info take their own references under the lock. */
	scoped_guard(mutex, &mod->links_lock) {
		mod->links = NULL;
		mod->links_cnt = 0;
	}
	for (i = cnt; i-- > 0;)
		bpf_module_put_adopted(mod, &links[i]);
	kvfree(links);
}

static void bpf_module_unhook_link(struct bpf_link *link)
{
	if (link->ops->detach)
		link->ops->detach(link);
	else if (!link->detached)
		link->ops->unhook(link);
	WRITE_ONCE(link->detached, true);
}

/* Defined where a program that does not sleep can be called by a hook that does. */
#ifndef bpf_link_hook_sleeps
static bool bpf_link_hook_sleeps(const struct bpf_link *link)
{
	return false;
}
#endif

/* What to wait for once links are off their hooks, so that no program runs by them. */
struct bpf_module_wait {
	bool rcu;	/* programs that do not sleep */
	bool tasks;	/* instructions of trampolines and probes around them */
	bool trace;	/* sleepable programs, and hooks that sleep before the program */
};

/* Does kernel code call the program of @link directly, under RCU? */
static bool bpf_link_is_called_directly(const struct bpf_link *link,
					const struct bpf_prog *prog)
{
	switch (link->type) {
	case BPF_LINK_TYPE_CGROUP:
		return prog->type != BPF_PROG_TYPE_LSM;
	case BPF_LINK_TYPE_XDP:
	case BPF_LINK_TYPE_TCX:
	case BPF_LINK_TYPE_NETKIT:
	case BPF_LINK_TYPE_NETNS:
	case BPF_LINK_TYPE_NETFILTER:
	case BPF_LINK_TYPE_SOCKMAP:
	case BPF_LINK_TYPE_ITER:
		return true;
	default:
		return false;
	}
}

static void bpf_module_wait_for(struct bpf_module_wait *wait, const struct bpf_link *link,
				const struct bpf_prog *prog)
{
	wait->rcu = true;
	wait->tasks |= !bpf_link_is_called_directly(link, prog);
	wait->trace |= prog->sleepable || bpf_link_hook_sleeps(link);
}

/* Before a program begins and after it ends, a trampoline runs that only RCU tasks waits
 * for, see bpf_module_free_deferred().  May sleep.
 */
static void bpf_module_wait(const struct bpf_module_wait *wait)
{
	if (wait->trace) {
		synchronize_rcu_tasks();
		synchronize_rcu_tasks_trace();
	}
	if (wait->tasks)
		synchronize_rcu_mult(call_rcu, call_rcu_tasks);
	else if (wait->rcu)
		synchronize_rcu();
}

/* Detach the links of @mod, whoever else holds them, in reverse order, and put them.
 * When it returns, no program runs by them.  Links that @mod was to take over from
 * another module, but did not, are left alone.  May sleep.
 */
void bpf_module_detach_links(struct bpf_module *mod)
{
	struct bpf_module_wait wait = {};
	u32 i;

	for (i = mod->links_cnt; i-- > 0;) {
		struct bpf_module_adopted *adopted = &mod->links[i];

		if (!adopted->link || adopted->in_place)
			continue;
		bpf_module_unhook_link(adopted->link);
		bpf_module_wait_for(&wait, adopted->link, adopted->prog);
	}
	bpf_module_wait(&wait);
	bpf_module_put_links(mod);
}

/* Switch @link from @from to @to, and its reference with it. */
static int bpf_module_switch_prog(struct bpf_link *link, struct bpf_prog *from,
				  struct bpf_prog *to)
{
	int err;

	bpf_prog_inc(to);
	scoped_guard(rwsem_read, &bpf_link_adopt_sem)
		err = link->ops->update_prog(link, to, from);
	if (err)
		bpf_prog_put(to);
	return bpf_struct_ops_errno(err);
}

static void bpf_module_switch_link_back(struct bpf_module_adopted *adopted,
					struct seq_buf *log)
{
	struct bpf_link *link = adopted->link;
	struct bpf_module_wait wait = {};
	int err;

	err = bpf_module_switch_prog(link, adopted->prog, adopted->old_prog);
	if (err) {
		/* It must not run the program of a module that was refused. */
		bpf_module_unhook_link(link);
		bpf_module_wait_for(&wait, link, adopted->prog);
		bpf_module_wait(&wait);
		bpf_module_log_more(log,
				    "link id %u could not be switched back after that, error %d, and is detached",
				    link->id, -err);
	}
	bpf_prog_put(adopted->old_prog);
	adopted->old_prog = NULL;
}

static void bpf_module_log_switch(struct seq_buf *log, u32 nr,
				  const struct bpf_module_adopted *adopted, int err)
{
	const char *why = bpf_module_why_not_switched(err);
	const struct bpf_prog_aux *aux = adopted->prog->aux;

	bpf_module_log(log, "link #%u: link id %u cannot be switched to program %s (id %u)", nr,
		       adopted->link->id, aux->name, aux->id);
	if (why)
		bpf_module_log(log, ": %s\n", why);
	else
		bpf_module_log(log, ", error %d\n", -err);
}

/* Switch all links that @mod takes over to their new programs, or none.  May sleep.
 * Under the lock of the module that is replaced.
 */
int bpf_module_switch_links(struct bpf_module *mod, struct seq_buf *log)
{
	u32 i;

	for (i = 0; i < mod->links_cnt; i++) {
		struct bpf_module_adopted *adopted = &mod->links[i];
		struct bpf_prog *old_prog = adopted->link->prog;
		int err;

		if (!adopted->in_place)
			continue;
		/* Nobody else can update it, since it belongs to a module. */
		bpf_prog_inc(old_prog);
		err = bpf_module_switch_prog(adopted->link, old_prog, adopted->prog);
		if (err) {
			bpf_prog_put(old_prog);
			bpf_module_log_switch(log, i, adopted, err);
			bpf_module_switch_links_back(mod, log);
			/* As if it had been detached before. */
			return err == -ENOLINK ? -EOPNOTSUPP : err;
		}
		adopted->old_prog = old_prog;
	}
	return 0;
}

/* Undo bpf_module_switch_links(). */
void bpf_module_switch_links_back(struct bpf_module *mod, struct seq_buf *log)
{
	u32 i;

	for (i = mod->links_cnt; i-- > 0;) {
		if (mod->links[i].old_prog)
			bpf_module_switch_link_back(&mod->links[i], log);
	}
}

/* Its program stays claimed: it may also run by other links of @old, until those are
 * detached.
 */
static void bpf_module_forget_link(struct bpf_module *old, struct bpf_link *link)
{
	u32 i;

	for (i = 0; i < old->links_cnt; i++) {
		struct bpf_module_adopted *adopted = &old->links[i];

		if (adopted->link != link)
			continue;
		/* Not the last reference: the new module has one. */
		scoped_guard(mutex, &old->links_lock)
			adopted->link = NULL;
		bpf_link_put_direct(link);
	}
}

/* Hand the switched links over to @mod.  Under old->lock. */
void bpf_module_move_links(struct bpf_module *mod, struct bpf_module *old)
{
	u32 i;

	for (i = 0; i < mod->links_cnt; i++) {
		struct bpf_module_adopted *adopted = &mod->links[i];

		if (!adopted->old_prog)
			continue;
		scoped_guard(rwsem_write, &bpf_link_adopt_sem)
			WRITE_ONCE(adopted->link->bpf_module, mod);
		bpf_module_forget_link(old, adopted->link);
		bpf_prog_put(adopted->old_prog);
		adopted->old_prog = NULL;
		adopted->in_place = false;
	}
}

/* Get references to the links of @mod, in an array that the caller puts and frees.  NULL
 * if there are none, or with @cnt above 0 if there is no memory.
 */
static struct bpf_link **bpf_module_get_links(struct bpf_module *mod, u32 *cnt)
{
	u32 i, room = READ_ONCE(mod->links_cnt);
	struct bpf_link **links;

	*cnt = room;
	if (!room)
		return NULL;
	links = kvmalloc_array(room, sizeof(*links), GFP_KERNEL);
	if (!links)
		return NULL;
	*cnt = 0;
	guard(mutex)(&mod->links_lock);
	for (i = 0; i < min(room, mod->links_cnt); i++) {
		if (!mod->links[i].link)
			continue;
		bpf_link_inc(mod->links[i].link);
		links[(*cnt)++] = mod->links[i].link;
	}
	return links;
}

/* Describe the links of @mod for its info, @cnt of them, in an array that the caller
 * frees.  NULL if there are none, or with @cnt above 0 if there is no memory.  May sleep;
 * no lock is held while a link is asked for its target.
 */
struct bpf_module_link_info *bpf_module_link_infos(struct bpf_module *mod, u32 *cnt)
{
	struct bpf_module_link_info *infos;
	struct bpf_link **links;
	u32 i;

	links = bpf_module_get_links(mod, cnt);
	if (!links)
		return NULL;
	infos = kvcalloc(*cnt, sizeof(*infos), GFP_KERNEL);
	for (i = 0; i < *cnt; i++) {
		if (infos) {
			infos[i].id = links[i]->id;
			if (bpf_link_is_detached(links[i]))
				infos[i].flags = BPF_MODULE_LINK_DETACHED;
		}
		bpf_link_put_direct(links[i]);
	}
	kvfree(links);
	return infos;
}
