// SPDX-License-Identifier: GPL-2.0
/*
 * A module adopts links of every type: they stay when their fds are closed, and when
 * UNLOAD has returned no program runs by them, whoever else holds them.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <sys/syscall.h>
#include <test_progs.h>
/* after <netinet/in.h> */
#include <linux/netfilter.h>
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_unload.h"
#include "cap_helpers.h"
#include "cgroup_helpers.h"
#include "bpf_module_links.skel.h"

#define NAME "bm_link"
#define CGROUP "/bm_link"

noinline void bm_link_uprobe(void)
{
	asm volatile ("");
}

static struct bpf_module_links *skel;
static int cgroup_fd = -1;

/* The kernel calls the functions that programs of this type are attached to. */
static void run_tracing(void)
{
	bm_test_run(skel->progs.link_fentry);
}

static void run_modify(void)
{
	bm_test_run(skel->progs.link_fmod_ret);
}

static void run_syscall(void)
{
	syscall(__NR_getpgid, 0);
}

static void run_uprobe(void)
{
	bm_link_uprobe();
}

static struct bpf_link *attach_auto(struct bpf_program *prog)
{
	return bpf_program__attach(prog);
}

static struct bpf_link *attach_uprobe(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "bm_link_uprobe");

	return bpf_program__attach_uprobe_opts(prog, -1, "/proc/self/exe", 0, &opts);
}

static struct bpf_link *attach_uprobe_multi(struct bpf_program *prog)
{
	return bpf_program__attach_uprobe_multi(prog, -1, "/proc/self/exe", "bm_link_uprobe",
						NULL);
}

static struct bpf_link *attach_xdp(struct bpf_program *prog)
{
	return bpf_program__attach_xdp(prog, 1);
}

static struct bpf_link *attach_tcx(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tcx_opts, opts);

	return bpf_program__attach_tcx(prog, 1, &opts);
}

static struct bpf_link *attach_cgroup(struct bpf_program *prog)
{
	return bpf_program__attach_cgroup(prog, cgroup_fd);
}

static struct bpf_link *attach_netns(struct bpf_program *prog)
{
	int fd = open("/proc/self/ns/net", O_RDONLY);
	struct bpf_link *link = bpf_program__attach_netns(prog, fd);

	close(fd);
	return link;
}

static struct bpf_link *attach_netfilter(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_netfilter_opts, opts, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT,
		    .priority = -128);

	return bpf_program__attach_netfilter(prog, &opts);
}

static const struct kind {
	const char *name;
	struct bpf_link *(*attach)(struct bpf_program *prog);
	void (*run)(void);
} kinds[] = {
	{ "fentry", attach_auto, run_tracing },
	{ "fexit", attach_auto, run_tracing },
	{ "fmod_ret", attach_auto, run_modify },
	{ "tp_btf", attach_auto, run_syscall },
	{ "raw_tp", attach_auto, run_syscall },
	{ "tracepoint", attach_auto, run_syscall },
	{ "kprobe", attach_auto, run_tracing },
#ifdef __x86_64__ /* arm64 has no fprobe, on which it is built */
	{ "kprobe_multi", attach_auto, run_tracing },
#endif
	{ "uprobe", attach_uprobe, run_uprobe },
	{ "uprobe_multi", attach_uprobe_multi, run_uprobe },
	{ "lsm", attach_auto, bm_run_bpf },
	{ "xdp", attach_xdp, bm_send_to_self },
	{ "tcx", attach_tcx, bm_send_to_self },
	{ "cgroup_skb", attach_cgroup, bm_send_to_self },
	{ "sk_lookup", attach_netns, bm_send_to_self },
	{ "netfilter", attach_netfilter, bm_send_to_self },
};

static struct bpf_program *prog_of(const char *kind)
{
	char name[64];

	snprintf(name, sizeof(name), "link_%s", kind);
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* How many runs of programs @run makes. */
static int runs_by(void (*run)(void))
{
	int before = skel->bss->runs;

	run();
	return skel->bss->runs - before;
}

/* @link_fd, of a link that module @module_fd has adopted, is closed on the way. */
static void check_adopted(const struct kind *kind, int module_fd, int link_fd)
{
	__u32 id = bm_link_id(link_fd);
	int foreign;

	ASSERT_EQ(bm_link_module(link_fd), bm_id(module_fd), "module of the link");
	close(link_fd);
	ASSERT_GT(runs_by(kind->run), 0, "runs without the loader");
	bm_check_link(module_fd, id);

	foreign = bpf_link_get_fd_by_id(id);
	ASSERT_OK_FD(foreign, "somebody else's fd");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_EQ(runs_by(kind->run), 0, "runs after it was unloaded");
	ASSERT_EQ(bm_state(module_fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_EQ(bm_link_id(foreign), id, "info of the detached link");
	bm_check_detached(foreign, id);
}

static void test_kind(const struct kind *kind)
{
	int link_fd = bm_take_fd(kind->attach(prog_of(kind->name)));
	int module_fd;

	if (link_fd < 0)
		return;
	module_fd = bm_load_link(NAME, link_fd);
	if (ASSERT_OK_FD(module_fd, "load")) {
		check_adopted(kind, module_fd, link_fd);
		bm_unload(&module_fd);
	} else {
		close(link_fd);
	}
}

/* A reader continues, no new one can come. */
static void test_iter(void)
{
	int link_fd = bm_take_fd(bpf_program__attach_iter(skel->progs.link_iter, NULL));
	int module_fd, iter_fd, foreign;
	char buf[64];

	if (link_fd < 0)
		return;
	module_fd = bm_load_link(NAME, link_fd);
	iter_fd = bpf_iter_create(link_fd);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_OK_FD(iter_fd, "iterator");
	foreign = dup(link_fd);
	close(link_fd);
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_GT(read(iter_fd, buf, sizeof(buf)), 0, "open one reads");
	ASSERT_EQ(bpf_iter_create(foreign), -ENOENT, "new one");
	close(iter_fd);
	close(foreign);
	bm_unload(&module_fd);
}

static void test_drain(void)
{
	int link_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	int module_fd = bm_load_link(NAME, link_fd);

	ASSERT_OK_FD(module_fd, "load");
	ASSERT_OK(bm_drain(module_fd), "drain");
	ASSERT_EQ(runs_by(run_tracing), 0, "runs");
	close(link_fd);
	bm_unload(&module_fd);
}

static void test_bound(void)
{
	int link_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	struct bm_load load;
	int module_fd;

	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, 0);
	load.attr.module_load.flags = BPF_F_MODULE_BOUND;
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_GT(runs_by(run_tracing), 0, "runs");
	close(module_fd);
	ASSERT_EQ(runs_by(run_tracing), 0, "runs after the last fd");
	close(link_fd);
}

/* A holder of a link may detach it, and the module shows that. */
static void test_detached(void)
{
	int link_fd = bm_take_fd(attach_xdp(skel->progs.link_xdp));
	struct bpf_module_link_info links[BM_LINKS];
	int module_fd = bm_load_link(NAME, link_fd);

	ASSERT_OK_FD(module_fd, "load");
	ASSERT_OK(bpf_link_detach(link_fd), "detach");
	ASSERT_EQ(bm_links(module_fd, links), 1, "links");
	ASSERT_EQ(links[0].flags, BPF_MODULE_LINK_DETACHED, "flags of the link");
	ASSERT_EQ(bm_state(module_fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	close(link_fd);
	bm_unload(&module_fd);
}

/* The device is removed; the module stays and shows that. */
static void test_device_gone(void)
{
	struct bpf_module_link_info links[BM_LINKS];
	int module_fd, link_fd;

	if (!ASSERT_OK(system("ip link add bm_gone type veth peer name bm_gone2"), "device"))
		return;
	link_fd = bm_take_fd(bpf_program__attach_xdp(skel->progs.link_xdp,
						     if_nametoindex("bm_gone")));
	module_fd = bm_load_link(NAME, link_fd);
	ASSERT_OK_FD(module_fd, "load");
	close(link_fd);
	ASSERT_EQ(bm_links(module_fd, links), 1, "links");
	ASSERT_EQ(links[0].flags, 0, "flags of the link");
	ASSERT_OK(system("ip link del bm_gone"), "device gone");
	ASSERT_EQ(bm_links(module_fd, links), 1, "links without device");
	ASSERT_EQ(links[0].flags, BPF_MODULE_LINK_DETACHED, "flags without device");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	bm_unload(&module_fd);
}

static void test_update_refused(void)
{
	int link_fd = bm_take_fd(attach_xdp(skel->progs.link_xdp));
	int new_fd = bpf_program__fd(skel->progs.new_xdp);
	int module_fd = bm_load_link(NAME, link_fd);

	ASSERT_OK_FD(module_fd, "load");
	ASSERT_EQ(bpf_link_update(link_fd, new_fd, NULL), -EBUSY, "update of an adopted link");
	ASSERT_GT(runs_by(bm_send_to_self), 0, "runs");
	bm_unload(&module_fd);
	close(link_fd);
}

/* Room, sizes and what is too little of them. */
static void test_info(void)
{
	int link_fd[2], module_fd;
	struct bpf_module_link_info links[2] = { { 0xff, 0xff }, { 0xff, 0xff } };
	struct bpf_module_info info = {};
	char buf[128], *val;
	struct bm_load load;
	__u32 len = sizeof(info);

	link_fd[0] = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	link_fd[1] = bm_take_fd(bpf_program__attach(skel->progs.link_fexit));
	bm_load_init(&load, NAME);
	bm_load_add_all(&load, link_fd, 2);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	info.links = ptr_to_u64(links);
	info.links_cnt = 1;
	info.links_size = sizeof(links[0]);
	ASSERT_OK(bpf_module_get_info_by_fd(module_fd, &info, &len), "info");
	ASSERT_EQ(info.links_cnt, 2, "links");
	ASSERT_EQ(info.ops_cnt, 0, "ops");
	ASSERT_EQ(info.prog_cnt, 2, "programs");
	ASSERT_EQ(info.users, 0, "users");
	ASSERT_EQ(info.funcs_cnt, 0, "functions");
	ASSERT_EQ(info.deps_cnt, 0, "dependencies");
	ASSERT_EQ(links[0].id, bm_link_id(link_fd[0]), "first link");
	ASSERT_EQ(links[1].id, 0xff, "second has no room");
	info.links_size = sizeof(links[0]) - 1;
	ASSERT_EQ(bpf_module_get_info_by_fd(module_fd, &info, &len), -EINVAL, "small entry");
	val = bm_fdinfo(module_fd, "links_cnt", buf, sizeof(buf));
	ASSERT_STREQ(val, "2", "links in fdinfo");
	val = bm_fdinfo(link_fd[0], "module_id", buf, sizeof(buf));
	if (ASSERT_OK_PTR(val, "fdinfo of a link"))
		ASSERT_EQ(atoi(val), bm_id(module_fd), "module in it");
	bm_unload(&module_fd);
	close(link_fd[0]);
	close(link_fd[1]);
}

static void test_refused(void)
{
	int link_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	int prog_fd = bpf_program__fd(skel->progs.link_fexit), module_fd;
	struct bm_load load;

	bm_load_init(&load, NAME);
	bm_load_refused(&load, -EINVAL, "no ops, links or functions");

	bm_load_add(&load, prog_fd, 0);
	bm_load_refused(&load, -EINVAL, "is not a link");

	/* what is adopted before the failure is given back */
	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, 0);
	bm_load_add(&load, link_fd, 0);
	bm_load_refused(&load, -EINVAL, "belongs to this module already");
	ASSERT_EQ(bm_link_module(link_fd), 0, "given back");
	ASSERT_GT(runs_by(run_tracing), 0, "runs after a refused load");

	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, prog_fd);
	bm_load_refused(&load, -EINVAL, "prog_fd is for a link");

	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, 0);
	load.links[0].flags = 1;
	bm_load_refused(&load, -EINVAL, "unknown flags 0x1");
	load.links[0].flags = 0;
	load.attr.module_load.links_size = sizeof(load.links[0]) - 4;
	bm_load_refused(&load, -EINVAL, "links_size is 12 bytes");
	load.attr.module_load.links_size = sizeof(load.links[0]);
	load.attr.module_load.links_cnt = BPF_MODULE_MAX_LINKS + 1;
	bm_load_refused(&load, -E2BIG, "expected at most");
	load.attr.module_load.links_cnt = 1;
	load.attr.module_load.links = 16;
	bm_load_refused(&load, -EFAULT, "cannot be read");
	load.attr.module_load.links = ptr_to_u64(load.links);
	load.attr.module_load.funcs_cnt = 1;
	bm_load_refused(&load, -EINVAL, "funcs_size is 0 bytes");
	load.attr.module_load.funcs_cnt = 0;

	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	load.attr.module_load.name = ptr_to_u64(NAME "2");
	bm_load_refused(&load, -EBUSY, "belongs to another module");
	bm_unload(&module_fd);
	close(link_fd);
}

/* The capabilities that the types of the programs need, to load and to unload. */
static void test_caps(void)
{
	LIBBPF_OPTS(bpf_module_unload_opts, drain, .flags = BPF_F_MODULE_DRAIN);
	int fentry_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	int skb_fd = bm_take_fd(attach_cgroup(skel->progs.link_cgroup_skb));
	int xdp_fd = bm_take_fd(attach_xdp(skel->progs.link_xdp));
	__u64 caps = 0, without = 1ULL << CAP_SYS_ADMIN;
	struct bm_load load;
	int module_fd;

	bm_load_init(&load, NAME);
	bm_load_add(&load, fentry_fd, 0);
	ASSERT_OK(cap_disable_effective(without | 1ULL << CAP_PERFMON, &caps), "no PERFMON");
	bm_load_refused(&load, -EPERM, "CAP_PERFMON");
	cap_enable_effective(caps, NULL);

	ASSERT_OK(cap_disable_effective(without | 1ULL << CAP_NET_ADMIN, NULL), "no NET_ADMIN");
	load.links[0].link_fd = xdp_fd;
	bm_load_refused(&load, -EPERM, "CAP_NET_ADMIN");
	load.links[0].link_fd = skb_fd;
	bm_load_refused(&load, -EPERM, "CAP_NET_ADMIN");
	cap_enable_effective(caps, NULL);

	ASSERT_OK(cap_disable_effective(without | 1ULL << CAP_BPF, NULL), "no BPF");
	bm_load_refused(&load, -EPERM, "CAP_BPF");
	cap_enable_effective(caps, NULL);

	/* no more than those */
	ASSERT_OK(cap_disable_effective(without | 1ULL << CAP_PERFMON, NULL), "no PERFMON");
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load without CAP_PERFMON");
	cap_enable_effective(caps, NULL);

	ASSERT_OK(cap_disable_effective(without | 1ULL << CAP_NET_ADMIN, NULL), "no NET_ADMIN");
	ASSERT_EQ(bpf_module_unload(module_fd, NULL), -EPERM, "unload");
	ASSERT_EQ(bpf_module_unload(module_fd, &drain), -EPERM, "drain");
	cap_enable_effective(caps, NULL);
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload with all");
	bm_unload(&module_fd);
	close(fentry_fd);
	close(skb_fd);
	close(xdp_fd);
}

/* In place, for the types that can: nothing is detached in between. */
static void replace_in_place(struct bpf_link *(*attach)(struct bpf_program *prog),
			     struct bpf_program *prog, struct bpf_program *new_prog)
{
	int link_fd = bm_take_fd(attach(prog)), module_fd, new_fd;
	__u32 id = bm_link_id(link_fd);
	struct bm_load load;
	int before;

	module_fd = bm_load_link(NAME, link_fd);
	ASSERT_OK_FD(module_fd, "load");
	bm_load_switch(&load, module_fd, link_fd, new_prog);
	new_fd = bm_load(&load);
	ASSERT_OK_FD(new_fd, "replace");
	close(link_fd);
	before = skel->bss->new_runs;
	ASSERT_EQ(runs_by(bm_send_to_self), 0, "runs of the old program");
	ASSERT_GT(skel->bss->new_runs, before, "runs of the new one");
	ASSERT_EQ(bm_state(module_fd), BPF_MODULE_STATE_GONE, "state of the old module");
	bm_check_link(new_fd, id);
	ASSERT_OK(bpf_module_unload(new_fd, NULL), "unload");
	before = skel->bss->new_runs;
	bm_send_to_self();
	ASSERT_EQ(skel->bss->new_runs, before, "runs after it was unloaded");
	bm_unload(&module_fd);
	bm_unload(&new_fd);
}

static void test_replace_xdp(void)
{
	replace_in_place(attach_xdp, skel->progs.link_xdp, skel->progs.new_xdp);
}

static void test_replace_cgroup(void)
{
	replace_in_place(attach_cgroup, skel->progs.link_cgroup_skb, skel->progs.new_cgroup_skb);
}

/* Other types get a new link, and that of the old module is detached. */
static void test_replace_new_link(void)
{
	int link_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	int other_fd = bm_take_fd(bpf_program__attach(skel->progs.link_fexit));
	int module_fd = bm_load_link(NAME, link_fd), new_fd;
	struct bpf_module_link_info links[BM_LINKS];
	struct bm_load load;

	ASSERT_OK_FD(module_fd, "load");
	bm_load_switch(&load, module_fd, link_fd, skel->progs.link_fexit);
	bm_load_refused(&load, -EOPNOTSUPP, "give a new link instead");
	ASSERT_EQ(runs_by(run_tracing), 2, "runs of both");

	load.links[0].link_fd = other_fd;
	load.links[0].prog_fd = 0;
	new_fd = bm_load(&load);
	ASSERT_OK_FD(new_fd, "replace");
	ASSERT_EQ(runs_by(run_tracing), 1, "runs of the new one");
	ASSERT_EQ(bm_links(module_fd, links), 0, "links of the old module");
	ASSERT_EQ(bm_links(new_fd, links), 1, "links of the new module");
	bm_unload(&module_fd);
	bm_unload(&new_fd);
	close(link_fd);
	close(other_fd);
}

/* If a link cannot be switched, those before it are switched back. */
static void test_replace_undone(void)
{
	int xdp_fd = bm_take_fd(attach_xdp(skel->progs.link_xdp));
	int nf_fd = bm_take_fd(attach_netfilter(skel->progs.link_netfilter));
	int cgroup_fd = bm_take_fd(attach_cgroup(skel->progs.link_cgroup_skb));
	int module_fd, before, other = bpf_program__fd(skel->progs.new_xdp);
	struct bm_load load;

	bm_load_init(&load, NAME);
	bm_load_add(&load, xdp_fd, 0);
	bm_load_add(&load, nf_fd, 0);
	bm_load_add(&load, cgroup_fd, 0);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");

	bm_load_init(&load, NULL);
	bm_load_over(&load, module_fd);
	bm_load_add(&load, xdp_fd, other);
	bm_load_add(&load, nf_fd, other);
	bm_load_refused(&load, -EOPNOTSUPP, "cannot be switched to another program");
	load.links[1].link_fd = cgroup_fd;
	bm_load_refused(&load, -EINVAL, "the program is of another type");
	ASSERT_HAS_SUBSTR(load.log, "link #1", "which one");
	before = skel->bss->new_runs;
	ASSERT_GT(runs_by(bm_send_to_self), 2, "runs of all");
	ASSERT_EQ(skel->bss->new_runs, before, "runs of the new one");
	ASSERT_EQ(bm_link_module(xdp_fd), bm_id(module_fd), "module of the link");
	ASSERT_EQ(bpf_module_unload(module_fd, NULL), 0, "unload");
	ASSERT_EQ(runs_by(bm_send_to_self), 0, "runs after it was unloaded");
	bm_unload(&module_fd);
	close(xdp_fd);
	close(nf_fd);
	close(cgroup_fd);
}

/* A program on two devices, with one link switched: it still belongs to the old
 * module.
 */
static void test_replace_one_of_two(void)
{
	struct bpf_program *prog = skel->progs.link_cgroup_skb;
	int fd[2] = { bm_take_fd(attach_cgroup(prog)), bm_take_fd(attach_cgroup(prog)) };
	struct bpf_module_link_info links[BM_LINKS];
	int module_fd, new_fd, before;
	struct bm_load load;

	bm_load_init(&load, NAME);
	bm_load_add_all(&load, fd, 2);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_EQ(runs_by(bm_send_to_self), 2, "runs by both");

	bm_load_switch(&load, module_fd, fd[1], skel->progs.new_cgroup_skb);
	new_fd = bm_load(&load);
	ASSERT_OK_FD(new_fd, "replace");
	before = skel->bss->new_runs;
	ASSERT_EQ(runs_by(bm_send_to_self), 0, "runs of the old program");
	ASSERT_EQ(skel->bss->new_runs, before + 1, "runs of the new one");
	ASSERT_EQ(bm_links(new_fd, links), 1, "links");
	bm_unload(&module_fd);
	bm_unload(&new_fd);
	close(fd[0]);
	close(fd[1]);
}

/* Child tasks have events of their own, which a link does not know. */
static void test_inherited(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = 1000000,
		.inherit = 1,
	};
	struct bpf_program *prog = skel->progs.link_perf;
	int perf_fd, link_fd, module_fd;
	struct bm_load load;

	perf_fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
	link_fd = bpf_link_create(bpf_program__fd(prog), perf_fd, BPF_PERF_EVENT, NULL);
	ASSERT_OK_FD(link_fd, "link of an event that is inherited");
	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, 0);
	bm_load_refused(&load, -EOPNOTSUPP, "inherit");
	close(link_fd);
	close(perf_fd);

	attr.inherit = 0;
	perf_fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
	link_fd = bpf_link_create(bpf_program__fd(prog), perf_fd, BPF_PERF_EVENT, NULL);
	module_fd = bm_load_link(NAME, link_fd);
	ASSERT_OK_FD(module_fd, "load");
	close(link_fd);
	close(perf_fd);
	bm_unload(&module_fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "iter", test_iter },
	{ "drain", test_drain },
	{ "bound", test_bound },
	{ "detached", test_detached },
	{ "device_gone", test_device_gone },
	{ "update_refused", test_update_refused },
	{ "info", test_info },
	{ "refused", test_refused },
	{ "caps", test_caps },
	{ "replace_xdp", test_replace_xdp },
	{ "replace_cgroup", test_replace_cgroup },
	{ "replace_new_link", test_replace_new_link },
	{ "replace_undone", test_replace_undone },
	{ "replace_one_of_two", test_replace_one_of_two },
	{ "inherited", test_inherited },
};

void serial_test_bpf_module_link(void)
{
	int i, netns = bm_netns_enter();

	if (netns < 0)
		return;
	cgroup_fd = test__join_cgroup(CGROUP);
	skel = bpf_module_links__open_and_load();
	if (!ASSERT_OK_FD(cgroup_fd, "cgroup") || !ASSERT_OK_PTR(skel, "open and load"))
		goto out;
	skel->bss->pid = getpid();

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (test__start_subtest(kinds[i].name))
			test_kind(&kinds[i]);
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	}
out:
	bpf_module_links__destroy(skel);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	bm_netns_leave(netns);
}
