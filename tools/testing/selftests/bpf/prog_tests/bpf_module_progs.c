// SPDX-License-Identifier: GPL-2.0
/*
 * A module of ops and programs of many types, in a skeleton: everything is attached
 * and loaded together or not at all, and stays without its loader.
 */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "progs/bpf_module_progs.h"
#include "bpf_module_layout.skel.h"
#include "bpf_module_progs.skel.h"
#include "bpf_module_several.skel.h"
#include "bpf_module_trace.skel.h"

#define NAME "bm_progs"
#define COUNTS "progs_counts_of_runs"
#define STATE "progs_counts_of_state"

static int cgroup_fd = -1;
/* of a program whose test run calls bpf_fentry_test1() */
static int trigger_fd = -1;

static const char * const counted[BM_COUNTS] = {
	[BM_OPS]	= "ops",
	[BM_XDP]	= "xdp",
	[BM_TCX]	= "tcx",
	[BM_CGROUP]	= "cgroup",
	[BM_SK_LOOKUP]	= "sk_lookup",
	[BM_NETFILTER]	= "netfilter",
	[BM_FENTRY]	= "fentry",
	[BM_KPROBE]	= "kprobe",
	[BM_MULTI]	= "kprobe_multi",
	[BM_TP]		= "tracepoint",
	[BM_ITER]	= "iterator",
	[BM_TAIL]	= "tail call",
};

static bool set_param(struct bpf_module_progs *skel, const char *name, const char *value)
{
	return ASSERT_OK(bpf_module__set_param(skel->modules.bm_progs, name, value), name);
}

/* Set where the programs of @skel are attached. */
static bool set_targets(struct bpf_module_progs *skel, const char *hook)
{
	char cgroup[64];

	snprintf(cgroup, sizeof(cgroup), "/proc/self/fd/%d", cgroup_fd);
	return set_param(skel, "progs_xdp.dev", "lo") &&
	       set_param(skel, "progs_xdp.mode", "generic") &&
	       set_param(skel, "progs_tcx.dev", "lo") &&
	       set_param(skel, "progs_cgroup.cgroup", cgroup) &&
	       set_param(skel, "progs_sk_lookup.netns", "/proc/self/ns/net") &&
	       set_param(skel, "progs_netfilter.hook", hook) &&
	       set_param(skel, "progs_iter.map", STATE);
}

static struct bpf_module_progs *open_progs(const char *hook)
{
	struct bpf_module_progs *skel = bpf_module_progs__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	if (set_targets(skel, hook))
		return skel;
	bpf_module_progs__destroy(skel);
	return NULL;
}

static struct bpf_module_progs *open_load(const char *hook)
{
	struct bpf_module_progs *skel = open_progs(hook);

	if (!skel || ASSERT_OK(bpf_module_progs__load(skel), "load"))
		return skel;
	bpf_module_progs__destroy(skel);
	return NULL;
}

static int open_module(const char *name)
{
	int fd = bpf_module_get_fd_by_id(bm_find(name));

	ASSERT_OK_FD(fd, "open module");
	return fd;
}

static __u64 count_of(int counts_fd, int i)
{
	__u64 cnt = 0;

	bpf_map_lookup_elem(counts_fd, &i, &cnt);
	return cnt;
}

static void run_tracing(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	bpf_prog_test_run_opts(trigger_fd, &opts);
}

static void run_ops(void)
{
	int listener = bm_listen(AF_INET, "reno"), sock;

	sock = bm_connect(listener, NAME);
	close(sock);
	close(listener);
}

/* The link of that type of a module, as a new fd. */
static int open_link(int module_fd, enum bpf_link_type type)
{
	struct bpf_module_link_info links[BM_LINKS];
	int i, cnt = bm_links(module_fd, links);

	for (i = 0; i < cnt; i++) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(links[i].id);

		if (!bpf_link_get_info_by_fd(fd, &info, &len) && info.type == type)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static __u32 link_id_of(int module_fd, enum bpf_link_type type)
{
	int fd = open_link(module_fd, type);
	__u32 id = bm_link_id(fd);

	close(fd);
	return id;
}

static void run_all(int iter_link)
{
	bm_send_to_self();
	run_tracing();
	bm_run_iter(iter_link);
}

/* Each program runs, or none does. */
static void check_runs(int counts_fd, int iter_link, bool runs)
{
	__u64 before[BM_COUNTS];
	int i;

	for (i = 0; i <= BM_TAIL; i++)
		before[i] = count_of(counts_fd, i);
	if (runs)
		run_ops();
	run_all(iter_link);
	for (i = 0; i <= BM_TAIL; i++)
		ASSERT_EQ(count_of(counts_fd, i) > before[i], runs, counted[i]);
}

static void check_members(const struct bpf_module_progs *skel, int module_fd)
{
	struct bpf_module_link_info links[BM_LINKS];
	struct bpf_module_info info;

	ASSERT_NULL(skel->links.progs_xdp, "link of a program");
	ASSERT_NULL(skel->links.progs_fentry, "link of a program");
	ASSERT_EQ(bm_links(module_fd, links), 10, "links");
	ASSERT_OK(bm_info(module_fd, &info), "info");
	ASSERT_EQ(info.ops_cnt, 1, "ops");
	ASSERT_GT(info.init_prog_id, 0, "init program");
	ASSERT_GT(info.exit_prog_id, 0, "exit program");
}

/* Everything runs, stays when the loader is gone, and ends with the module. */
static void test_collection(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	int module_fd, counts_fd, iter_link;

	if (!skel)
		return;
	if (!ASSERT_OK(bpf_module_progs__attach(skel), "attach"))
		goto out;
	module_fd = open_module(NAME);
	check_members(skel, module_fd);
	bpf_link__disconnect(skel->links.bm_progs);
	bpf_module_progs__destroy(skel);
	skel = NULL;

	counts_fd = bpf_module__open_map(module_fd, COUNTS);
	iter_link = open_link(module_fd, BPF_LINK_TYPE_ITER);
	ASSERT_OK_FD(counts_fd, "open_map");
	ASSERT_EQ(count_of(counts_fd, BM_INITS), 1, "inits");
	ASSERT_EQ(count_of(counts_fd, BM_OPS_AT_INIT), 0, "ops before init");
	check_runs(counts_fd, iter_link, true);

	ASSERT_EQ(count_of(counts_fd, BM_EXITS), 0, "exits");
	ASSERT_OK(bm_drain(module_fd), "drain");
	ASSERT_TRUE(bm_wait(bm_state(module_fd) == BPF_MODULE_STATE_GONE), "gone");
	check_runs(counts_fd, iter_link, false);
	ASSERT_EQ(count_of(counts_fd, BM_EXITS), 1, "exits");
	close(iter_link);
	close(counts_fd);
	close(module_fd);
out:
	bpf_module_progs__destroy(skel);
	bm_drain_name(NAME);
}

/* A skeleton attaches and detaches it as a whole. */
static void test_skeleton(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	int i, counts_fd;
	__u64 before;

	if (!skel)
		return;
	counts_fd = bpf_map__fd(skel->maps.progs_counts_of_runs);
	for (i = 0; i < 2; i++) {
		ASSERT_OK(bpf_module_progs__attach(skel), "attach");
		before = count_of(counts_fd, BM_XDP);
		bm_send_to_self();
		ASSERT_GT(count_of(counts_fd, BM_XDP), before, "runs");
		bpf_module_progs__detach(skel);
		check_runs(counts_fd, -1, false);
		/* exit runs by itself */
		ASSERT_TRUE(bm_wait(!bm_find(NAME)), "gone");
	}
	bpf_module_progs__destroy(skel);
}

/* Programs that the user leaves out, or has attached already. */
static void test_left_out(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	struct bpf_module_link_info links[BM_LINKS];
	int module_fd, counts_fd;

	if (!skel)
		return;
	counts_fd = bpf_map__fd(skel->maps.progs_counts_of_runs);
	bpf_program__set_autoattach(skel->progs.progs_kprobe, false);
	skel->links.progs_fentry = bpf_program__attach(skel->progs.progs_fentry);
	ASSERT_OK_PTR(skel->links.progs_fentry, "attach by hand");
	if (ASSERT_OK(bpf_module_progs__attach(skel), "attach")) {
		module_fd = open_module(NAME);
		ASSERT_EQ(bm_links(module_fd, links), 8, "links");
		run_tracing();
		ASSERT_EQ(count_of(counts_fd, BM_KPROBE), 0, "left out");
		ASSERT_EQ(count_of(counts_fd, BM_FENTRY), 1, "attached once");
		ASSERT_EQ(count_of(counts_fd, BM_MULTI), 1, "other");
		ASSERT_TRUE(bpf_program__autoattach(skel->progs.progs_fentry), "autoattach");
		close(module_fd);
	}
	bpf_module_progs__destroy(skel);
}

/* The user's own link is adopted with the rest, its program is not attached again. */
static void test_add_link(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	struct bpf_module_link_info links[BM_LINKS];
	struct bpf_link *link;
	int module_fd, counts_fd;

	if (!skel)
		return;
	counts_fd = dup(bpf_map__fd(skel->maps.progs_counts_of_runs));
	link = bpf_program__attach_xdp(skel->progs.progs_xdp, 1);
	ASSERT_OK_PTR(link, "attach by hand");
	ASSERT_OK(bpf_module__add_link(skel->modules.bm_progs, link), "add_link");
	if (ASSERT_OK(bpf_module_progs__attach(skel), "attach")) {
		module_fd = open_module(NAME);
		ASSERT_EQ(bm_links(module_fd, links), 10, "links");
		ASSERT_EQ(links[0].id, bm_link_id(bpf_link__fd(link)), "first link");
		ASSERT_OK(bpf_link__destroy(link), "destroy");
		bm_send_to_self();
		ASSERT_GT(count_of(counts_fd, BM_XDP), 0, "runs");
		close(module_fd);
	}
	bpf_module_progs__destroy(skel);
	ASSERT_TRUE(bm_wait(!bm_find(NAME)), "gone");
	close(counts_fd);
}

static char *log_of(struct bpf_module_progs *skel, int (*what)(struct bpf_module_progs *), int err)
{
	if (!ASSERT_OK(start_libbpf_log_capture(), "log"))
		return NULL;
	ASSERT_EQ(what(skel), err, "refused");
	return stop_libbpf_log_capture();
}

/* @what is refused with @err, one line says it, and nothing is attached. */
static void check_refused(struct bpf_module_progs *skel, int (*what)(struct bpf_module_progs *),
			  int err, const char *line)
{
	char *log = log_of(skel, what, err);
	int counts_fd = bpf_map__fd(skel->maps.progs_counts_of_runs);

	if (ASSERT_OK_PTR(log, "log"))
		ASSERT_HAS_SUBSTR(log, line, "line");
	free(log);
	ASSERT_EQ(bm_find(NAME), 0, "listed");
	ASSERT_FALSE(bm_tcp_has(NAME), "registered");
	if (counts_fd >= 0)
		check_runs(counts_fd, -1, false);
	bpf_module_progs__destroy(skel);
}

static void test_no_target(void)
{
	static const struct {
		const char *prog;
		const char *line;
	} needs[] = {
		{ "progs_xdp", "program 'progs_xdp' needs a device: set progs_xdp.dev=NAME" },
		{ "progs_tcx", "program 'progs_tcx' needs a device: set progs_tcx.dev=NAME" },
		{ "progs_cgroup",
		  "program 'progs_cgroup' needs a cgroup: set progs_cgroup.cgroup=PATH" },
		{ "progs_netfilter", "set progs_netfilter.hook=PF:HOOK:PRIORITY" },
		{ "progs_iter", "program 'progs_iter' needs a map: set progs_iter.map=NAME" },
	};
	struct bpf_module_progs *skel;
	struct bpf_program *prog;
	int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		skel = bpf_module_progs__open_and_load();
		if (!ASSERT_OK_PTR(skel, "open and load"))
			return;
		/* all others that need one are left out */
		bpf_object__for_each_program(prog, skel->obj) {
			const char *target = bpf_program__module_target(prog);

			if (target && *target && strcmp(bpf_program__name(prog), needs[i].prog))
				bpf_program__set_autoattach(prog, false);
		}
		check_refused(skel, bpf_module_progs__attach, -EINVAL, needs[i].line);
	}
}

static void test_bad_target(void)
{
	static const struct {
		const char *name;
		const char *value;
		int err;
		const char *line;
	} bad[] = {
		{ "progs_xdp.dev", "", -EINVAL, "'' is not a list of network devices" },
		{ "progs_xdp.dev", "lo,", -EINVAL, "is not a list of network devices" },
		{ "progs_xdp.dev", "a_name_of_16_chr", -EINVAL, "not a list of network devices" },
		{ "progs_xdp.mode", "offload", -EINVAL, "neither native nor generic" },
		{ "progs_xdp.cgroup", "/", -EINVAL, "program 'progs_xdp' takes dev, mode" },
		{ "progs_xdp.speed", "1", -ENOENT, "program 'progs_xdp' takes dev, mode" },
		{ "progs_tcx.mode", "native", -EINVAL, "program 'progs_tcx' takes dev" },
		{ "progs_kprobe.dev", "lo", -EINVAL, "program 'progs_kprobe' takes none" },
		{ "progs_cgroup.cgroup", "", -EINVAL, "'' is not a path" },
		{ "progs_netfilter.hook", "ipv4:output", -EINVAL, "PF:HOOK:PRIORITY" },
		{ "progs_netfilter.hook", "ipx:output:1", -EINVAL, "PF:HOOK:PRIORITY" },
		{ "progs_netfilter.hook", "ipv4:output:x", -EINVAL, "PF:HOOK:PRIORITY" },
		{ "progs_iter.map", "nothing", -ENOENT, "'nothing' is not a map of the object" },
		{ "progs_fentry.prog", "12", -EINVAL, "ID:FUNCTION" },
		{ "progs_fentry.prog", "x:main", -EINVAL, "ID:FUNCTION" },
		{ "progs_fentry.prog", "2147483647:main", -ENOENT, "no program that is loaded" },
		{ "progs_read.dev", "lo", -EINVAL, "program 'progs_read' belongs to no module" },
	};
	struct bpf_module_progs *skel = bpf_module_progs__open();
	char *log;
	int i;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!ASSERT_OK(start_libbpf_log_capture(), "log"))
			break;
		ASSERT_EQ(bpf_module__set_param(skel->modules.bm_progs, bad[i].name, bad[i].value),
			  bad[i].err, bad[i].name);
		log = stop_libbpf_log_capture();
		if (ASSERT_OK_PTR(log, "log"))
			ASSERT_HAS_SUBSTR(log, bad[i].line, bad[i].name);
		free(log);
	}
	bpf_module_progs__destroy(skel);
}

/* Valid parameters whose target does not exist at attach. */
static void test_gone_target(void)
{
	struct bpf_module_progs *skel = open_progs("ipv4:output:-128");

	if (!skel)
		return;
	/* the second of two devices: the first is detached again */
	if (set_param(skel, "progs_xdp.dev", "lo,bm_nowhere") &&
	    ASSERT_OK(bpf_module_progs__load(skel), "load"))
		check_refused(skel, bpf_module_progs__attach, -ENODEV,
			      "program 'progs_xdp': failed to attach to bm_nowhere");
	else
		bpf_module_progs__destroy(skel);

	skel = open_progs("ipv4:output:-128");
	if (!skel)
		return;
	if (set_param(skel, "progs_cgroup.cgroup", "/nowhere") &&
	    ASSERT_OK(bpf_module_progs__load(skel), "load"))
		check_refused(skel, bpf_module_progs__attach, -ENOENT,
			      "program 'progs_cgroup': failed to attach to /nowhere");
	else
		bpf_module_progs__destroy(skel);
}

/* Types that are refused by name, unless the user adds a link of them. */
static void test_refused_kind(void)
{
	static const struct {
		const char *prog;
		int err;
		const char *line;
	} kinds[] = {
		{ "progs_perf", -EOPNOTSUPP, "program 'progs_perf' is USDT, perf_event or" },
		{ "progs_tc", -EOPNOTSUPP, "program 'progs_tc' is USDT, perf_event or netlink tc" },
		{ "progs_uprobe", -EINVAL,
		  "program 'progs_uprobe' does not say in its section what to attach it to" },
	};
	struct bpf_module_progs *skel;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		skel = open_progs("ipv4:output:-128");
		if (!skel)
			return;
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj,
									   kinds[i].prog), true);
		if (ASSERT_OK(bpf_module_progs__load(skel), "load"))
			check_refused(skel, bpf_module_progs__attach, kinds[i].err, kinds[i].line);
		else
			bpf_module_progs__destroy(skel);
	}
}

/* The kernel refuses: attached programs are detached. */
static void test_init_refuses(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");

	if (!skel)
		return;
	skel->bss->init_ret = -EXDEV;
	check_refused(skel, bpf_module_progs__attach, -EXDEV, "init program progs_start");
}

static void test_targets(void)
{
	struct bpf_module_progs *skel = bpf_module_progs__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_xdp), "dev", "xdp");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_tcx), "dev", "tcx");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_cgroup), "cgroup", "cgroup");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_sk_lookup), "", "sk_lookup");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_netfilter), "hook", "netfilter");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_iter), "map", "iterator");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.progs_fentry), "", "fentry");
	ASSERT_NULL(bpf_program__module_target(skel->progs.progs_read), "syscall");
	ASSERT_EQ(errno, ENOENT, "errno of syscall");
	ASSERT_NULL(bpf_program__module_target(skel->progs.progs_tail), "tail call");
	ASSERT_EQ(errno, ENOENT, "errno of tail call");
	ASSERT_NULL(bpf_program__module_target(skel->progs.progs_tc), "netlink tc");
	ASSERT_EQ(errno, EOPNOTSUPP, "errno of netlink tc");

	ASSERT_EQ(bpf_program__module(skel->progs.progs_xdp), skel->modules.bm_progs, "xdp");
	ASSERT_EQ(bpf_program__module(skel->progs.progs_ssthresh), skel->modules.bm_progs, "op");
	ASSERT_EQ(bpf_program__module(skel->progs.progs_start), skel->modules.bm_progs, "init");
	ASSERT_NULL(bpf_program__module(skel->progs.progs_read), "module of syscall");
	ASSERT_NULL(bpf_program__module(skel->progs.progs_tail), "module of tail call");
	bpf_module_progs__destroy(skel);
}

static int attach_and_run(struct bpf_module_several *skel)
{
	int err = bpf_module_several__attach(skel);

	run_tracing();
	return err;
}

static void test_several(void)
{
	struct bpf_module_several *skel = bpf_module_several__open_and_load();
	struct bpf_module *first, *second;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	first = skel->modules.bm_several_1;
	second = skel->modules.bm_several_2;
	ASSERT_EQ(bpf_program__module(skel->progs.several_first), first, "first");
	ASSERT_EQ(bpf_program__module(skel->progs.several_second), second, "second");
	ASSERT_EQ(bpf_program__module(skel->progs.several_init), second, "init");

	link = bpf_module__attach(first);
	ASSERT_OK_PTR(link, "attach one");
	run_tracing();
	ASSERT_EQ(skel->bss->first, 1, "first");
	ASSERT_EQ(skel->bss->second, 0, "second");
	ASSERT_EQ(skel->bss->inits, 0, "inits");
	bpf_link__destroy(link);

	ASSERT_OK(attach_and_run(skel), "attach");
	ASSERT_EQ(skel->bss->first, 2, "first");
	ASSERT_EQ(skel->bss->second, 1, "second");
	ASSERT_EQ(skel->bss->inits, 1, "inits");
	bpf_module_several__destroy(skel);
	ASSERT_EQ(bm_find("bm_several_1"), 0, "listed");
}

/* The programs of a module that is left out are not loaded. */
static void test_module_left_out(void)
{
	struct bpf_module_several *skel = bpf_module_several__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_OK(bpf_module__set_autocreate(skel->modules.bm_several_1, false), "left out");
	ASSERT_OK(bpf_module_several__load(skel), "load");
	ASSERT_LT(bpf_program__fd(skel->progs.several_first), 0, "its program");
	ASSERT_OK(attach_and_run(skel), "attach");
	ASSERT_EQ(skel->bss->first, 0, "first");
	ASSERT_EQ(skel->bss->second, 1, "second");
	ASSERT_EQ(bm_find("bm_several_1"), 0, "listed");
	bpf_module_several__destroy(skel);
}

static void test_of_no_module(void)
{
	static const struct {
		const char *prog;
		const char *line;
	} wrong[] = {
		{ "several_none",
		  "program 'several_none': belongs to none of the object's modules" },
		{ "several_init_2",
		  "'several_init' and 'several_init_2' are both in section 'module.init'" },
	};
	struct bpf_module_several *skel;
	char *log;
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		skel = bpf_module_several__open();
		if (!ASSERT_OK_PTR(skel, "open") || !ASSERT_OK(start_libbpf_log_capture(), "log"))
			return;
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj,
									   wrong[i].prog), true);
		ASSERT_EQ(bpf_module_several__load(skel), -EINVAL, "load");
		log = stop_libbpf_log_capture();
		if (ASSERT_OK_PTR(log, "log"))
			ASSERT_HAS_SUBSTR(log, wrong[i].line, "line");
		free(log);
		bpf_module_several__destroy(skel);
	}
}

/* An object that declares no module works as before, and is one on request. */
static void test_undeclared(void)
{
	struct bpf_module_trace *skel = bpf_module_trace__open_and_load();
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_FALSE(bpf_module__autocreate(mod), "autocreate");
	ASSERT_NULL(bpf_module__attach(mod), "attach what was not asked for");
	ASSERT_OK(bpf_module_trace__attach(skel), "attach");
	ASSERT_OK_PTR(skel->links.note_register, "link of the program");
	ASSERT_EQ(bm_find("bpf_module_trace"), 0, "listed");
	bpf_module_trace__destroy(skel);

	skel = bpf_module_trace__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate");
	ASSERT_OK(bpf_module_trace__load(skel), "load");
	ASSERT_OK(bpf_module_trace__attach(skel), "attach the rest");
	ASSERT_NULL(skel->links.note_register, "link of the program");
	link = bpf_module__attach(mod);
	ASSERT_OK_PTR(link, "attach");
	ASSERT_GT(bm_find("bpf_module_trace"), 0, "listed");
	bpf_link__destroy(link);
	bpf_module_trace__destroy(skel);
}

/* A new version on top of module @fd. */
static struct bpf_module_progs *open_over(int fd, const char *hook)
{
	struct bpf_module_progs *skel = open_progs(hook);

	if (!skel)
		return NULL;
	ASSERT_OK(bpf_map__reuse_module_fd(skel->maps.progs_counts_of_state, fd), "reuse");
	ASSERT_OK(bpf_module_progs__load(skel), "load");
	ASSERT_OK(bpf_module__set_replace_fd(skel->modules.bm_progs, fd), "set_replace_fd");
	return skel;
}

static void check_in_place(int old_fd, const __u32 *ids, int fd)
{
	static const struct {
		const char *name;
		enum bpf_link_type type;
		bool in_place;
	} kinds[] = {
		{ "xdp", BPF_LINK_TYPE_XDP, true },
		{ "tcx", BPF_LINK_TYPE_TCX, true },
		{ "cgroup", BPF_LINK_TYPE_CGROUP, true },
		{ "netns", BPF_LINK_TYPE_NETNS, true },
		{ "iterator", BPF_LINK_TYPE_ITER, true },
		{ "tracing", BPF_LINK_TYPE_TRACING, false },
		{ "netfilter", BPF_LINK_TYPE_NETFILTER, false },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		ASSERT_EQ(link_id_of(fd, kinds[i].type) == ids[kinds[i].type], kinds[i].in_place,
			  kinds[i].name);
	ASSERT_NEQ(bm_state(old_fd), BPF_MODULE_STATE_LIVE, "state of the old one");
}

/* Links are switched where possible, and the state passes to the new version. */
static void test_replace(void)
{
	struct bpf_module_progs *old = open_load("ipv4:output:-128"), *skel;
	int old_fd, fd, counts_fd, iter_link, key = 0;
	struct { __u32 version; __u64 packets; } state;
	__u32 ids[__MAX_BPF_LINK_TYPE] = {};

	if (!old)
		return;
	if (!ASSERT_OK(bpf_module_progs__attach(old), "attach"))
		goto out;
	old_fd = open_module(NAME);
	for (fd = 1; fd < __MAX_BPF_LINK_TYPE; fd++)
		ids[fd] = link_id_of(old_fd, fd);

	skel = open_over(old_fd, "ipv4:output:-127");
	if (skel && ASSERT_OK(bpf_module_progs__attach(skel), "replace")) {
		fd = open_module(NAME);
		check_in_place(old_fd, ids, fd);
		counts_fd = bpf_map__fd(skel->maps.progs_counts_of_runs);
		iter_link = open_link(fd, BPF_LINK_TYPE_ITER);
		check_runs(counts_fd, iter_link, true);
		check_runs(bpf_map__fd(old->maps.progs_counts_of_runs), iter_link, false);
		ASSERT_OK(bpf_map_lookup_elem(bpf_map__fd(skel->maps.progs_counts_of_state), &key,
					      &state), "state");
		ASSERT_EQ(state.version, 1, "state of the old version");
		close(iter_link);
		close(fd);
	}
	bpf_module_progs__destroy(skel);
	close(old_fd);
out:
	bpf_module_progs__destroy(old);
	ASSERT_TRUE(bm_wait(!bm_find(NAME)), "gone");
}

/* A netfilter hook takes one program, which can't be replaced. */
static void test_replace_refused(void)
{
	struct bpf_module_progs *old = open_load("ipv4:output:-128"), *skel;
	int old_fd;

	if (!old)
		return;
	if (ASSERT_OK(bpf_module_progs__attach(old), "attach")) {
		old_fd = open_module(NAME);
		skel = open_over(old_fd, "ipv4:output:-128");
		if (skel)
			ASSERT_EQ(bpf_module_progs__attach(skel), -EOPNOTSUPP, "replace");
		bpf_module_progs__destroy(skel);
		ASSERT_EQ(bm_state(old_fd), BPF_MODULE_STATE_LIVE, "state");
		close(old_fd);
	}
	bpf_module_progs__destroy(old);
}

static void check_open_map(int fd, const char *name, __u32 id)
{
	int map_fd = bpf_module__open_map(fd, name);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (!ASSERT_OK_FD(map_fd, name))
		return;
	ASSERT_OK(bpf_map_get_info_by_fd(map_fd, &info, &len), "info");
	if (id)
		ASSERT_EQ(info.id, id, name);
	close(map_fd);
}

static __u32 map_id(const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_map_get_info_by_fd(bpf_map__fd(map), &info, &len) ? 0 : info.id;
}

static void test_open_map(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	int fd;

	if (!skel)
		return;
	if (ASSERT_OK(bpf_module_progs__attach(skel), "attach")) {
		fd = open_module(NAME);
		check_open_map(fd, COUNTS, map_id(skel->maps.progs_counts_of_runs));
		check_open_map(fd, STATE, map_id(skel->maps.progs_counts_of_state));
		check_open_map(fd, "progs_tails", map_id(skel->maps.progs_tails));
		check_open_map(fd, ".bss", map_id(skel->maps.bss));
		ASSERT_EQ(bpf_module__open_map(fd, "progs_counts_of"), -ENOENT, "a part of a name");
		ASSERT_EQ(bpf_module__open_map(fd, "progs_counts_of_x"), -ENOENT, "other end");
		ASSERT_EQ(bpf_module__open_map(fd, "nothing"), -ENOENT, "no map");
		ASSERT_EQ(bpf_module__open_map(fd, ".rodata"), -ENOENT, "no section");
		ASSERT_EQ(bpf_module__open_map(fd, NULL), -EINVAL, "no name");
		ASSERT_ERR(bpf_module__open_map(bpf_map__fd(skel->maps.bss), ".bss"), "no module");
		close(fd);
	}
	bpf_module_progs__destroy(skel);
}

static void check_reuse(struct bpf_map *map, int fd, int err, const char *line)
{
	char *log;

	if (!ASSERT_OK(start_libbpf_log_capture(), "log"))
		return;
	ASSERT_EQ(bpf_map__reuse_module_fd(map, fd), err, bpf_map__name(map));
	log = stop_libbpf_log_capture();
	if (ASSERT_OK_PTR(log, "log"))
		ASSERT_HAS_SUBSTR(log, line, bpf_map__name(map));
	free(log);
}

/* Of another layout, and of no such module. */
static void test_reuse_refused(void)
{
	struct bpf_module_progs *skel = open_load("ipv4:output:-128");
	struct bpf_module_layout *other = bpf_module_layout__open();
	int fd;

	if (!skel || !ASSERT_OK_PTR(other, "open") ||
	    !ASSERT_OK(bpf_module_progs__attach(skel), "attach"))
		goto out;
	fd = open_module(NAME);
	check_reuse(other->maps.progs_counts_of_state, fd, -EINVAL,
		    "the layout of its values differs at packets");
	check_reuse(other->maps.progs_counts_of_runs, fd, -EINVAL, "has max_entries 15, not 3");
	check_reuse(other->maps.progs_tails, fd, -EINVAL, "is of type prog_array, not array");
	check_reuse(other->maps.layout_only, fd, -ENOENT, "the module has no map of that name");
	check_reuse(other->maps.rodata, fd, -EINVAL, "it is constant");
	ASSERT_EQ(bpf_map__reuse_module_fd(skel->maps.progs_counts_of_state, fd), -EBUSY,
		  "after the load");
	close(fd);
out:
	bpf_module_layout__destroy(other);
	bpf_module_progs__destroy(skel);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "collection", test_collection },
	{ "skeleton", test_skeleton },
	{ "left_out", test_left_out },
	{ "add_link", test_add_link },
	{ "targets", test_targets },
	{ "no_target", test_no_target },
	{ "bad_target", test_bad_target },
	{ "gone_target", test_gone_target },
	{ "refused_kind", test_refused_kind },
	{ "init_refuses", test_init_refuses },
	{ "several", test_several },
	{ "module_left_out", test_module_left_out },
	{ "of_no_module", test_of_no_module },
	{ "undeclared", test_undeclared },
	{ "replace", test_replace },
	{ "replace_refused", test_replace_refused },
	{ "open_map", test_open_map },
	{ "reuse_refused", test_reuse_refused },
};

/* Its program is not attached, which a test run does not need. */
static struct bpf_module_trace *open_trigger(void)
{
	struct bpf_module_trace *skel = bpf_module_trace__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	if (ASSERT_OK(bpf_module_trace__load(skel), "load")) {
		trigger_fd = bpf_program__fd(skel->progs.note_register);
		return skel;
	}
	bpf_module_trace__destroy(skel);
	return NULL;
}

void serial_test_bpf_module_progs(void)
{
	int i, netns = bm_netns_enter();
	struct bpf_module_trace *trigger;

	if (netns < 0)
		return;
	cgroup_fd = test__join_cgroup("/bm_progs");
	trigger = open_trigger();
	if (!ASSERT_OK_FD(cgroup_fd, "cgroup") || !trigger)
		goto out;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	}
out:
	bpf_module_trace__destroy(trigger);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	bm_netns_leave(netns);
}
