// SPDX-License-Identifier: GPL-2.0
/*
 * Where the programs of a module are attached: several devices, other programs, maps,
 * missing targets. And what happens to these links when the module is replaced.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"
#include "network_helpers.h"
#include "bpf_module_hosts.skel.h"
#include "bpf_module_targets.skel.h"

#define NAME "bm_targets"

noinline void bm_targets_probed(void)
{
	asm volatile ("");
}

static struct bpf_module_hosts *hosts;
static int cgroup_fd = -1;

static bool set_param(struct bpf_module_targets *skel, const char *name, const char *value)
{
	return ASSERT_OK(bpf_module__set_param(skel->modules.bm_targets, name, value), name);
}

static bool set_targets(struct bpf_module_targets *skel)
{
	__u32 host = bm_prog_id(bpf_program__fd(hosts->progs.hosts_main));
	char cgroup[64], main[64], value[64];

	snprintf(cgroup, sizeof(cgroup), "/proc/self/fd/%d", cgroup_fd);
	snprintf(main, sizeof(main), "%u:hosts_main", host);
	snprintf(value, sizeof(value), "%u:hosts_value", host);
	return set_param(skel, "targets_xdp.dev", "bm_dev1,bm_dev2") &&
	       set_param(skel, "targets_fentry.prog", main) &&
	       set_param(skel, "targets_freplace.prog", value) &&
	       set_param(skel, "targets_verdict.map", "targets_socks") &&
	       set_param(skel, "targets_msg.map", "targets_socks") &&
	       set_param(skel, "targets_netkit.dev", "bm_nk") &&
	       set_param(skel, "targets_iter.cgroup", cgroup) &&
	       set_param(skel, "targets_lsm.cgroup", cgroup) &&
	       set_param(skel, "targets_connect.cgroup", cgroup);
}

static struct bpf_module_targets *open_targets(const char *version)
{
	struct bpf_module_targets *skel = bpf_module_targets__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	if (set_targets(skel) && set_param(skel, "version", version))
		return skel;
	bpf_module_targets__destroy(skel);
	return NULL;
}

static struct bpf_module_targets *open_attach(void)
{
	struct bpf_module_targets *skel = open_targets("1");

	if (!skel)
		return NULL;
	if (ASSERT_OK(bpf_module_targets__load(skel), "load") &&
	    ASSERT_OK(bpf_module_targets__attach(skel), "attach"))
		return skel;
	bpf_module_targets__destroy(skel);
	return NULL;
}

/* Loaded as the next version of @old, except for what the caller sets. */
static struct bpf_module_targets *open_next(struct bpf_module_targets *old)
{
	struct bpf_module_targets *skel = open_targets("2");
	int fd = bpf_module__fd(old->modules.bm_targets);

	if (!skel)
		return NULL;
	/* an extension cannot be replaced */
	bpf_program__set_autoattach(skel->progs.targets_freplace, false);
	ASSERT_OK(bpf_map__reuse_module_fd(skel->maps.targets_socks, fd), "reuse");
	ASSERT_OK(bpf_module__set_replace_fd(skel->modules.bm_targets, fd), "set_replace_fd");
	return skel;
}

static bool attach_next(struct bpf_module_targets *skel)
{
	return ASSERT_OK(bpf_module_targets__load(skel), "load") &&
	       ASSERT_OK(bpf_module_targets__attach(skel), "replace");
}

static int run_host(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &pkt_v4, .data_size_in = sizeof(pkt_v4));

	bpf_prog_test_run_opts(bpf_program__fd(hosts->progs.hosts_main), &opts);
	return opts.retval;
}

/* Asks for an address on bm_dev1, which comes in at bm_dev2. */
static void run_devices(void)
{
	bm_send_to("10.9.9.2");
}

/* Out by bm_nk, and a call of the function with the probe. */
static void check_netkit_uprobe(struct bpf_module_targets *skel, int version)
{
	bm_send_to("10.9.8.2");
	ASSERT_EQ(skel->bss->netkit_ran, version, "netkit");
	bm_targets_probed();
	ASSERT_EQ(skel->bss->uprobe_ran, version, "uprobe");
}

static void check_devices(struct bpf_module_targets *skel, int version)
{
	skel->bss->xdp_ran = 0;
	run_devices();
	ASSERT_TRUE(bm_wait(skel->bss->xdp_ran), "device runs");
	ASSERT_EQ(skel->bss->xdp_ran, version, "version that runs");
}

/* A socket of a process in the control group is bound and connected. */
static void run_cgroup(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	bind(sock, (struct sockaddr *)&addr, sizeof(addr));
	connect(sock, (struct sockaddr *)&addr, sizeof(addr));
	close(sock);
}

static int open_links(int module_fd, struct bpf_link_info *infos, int *fds)
{
	struct bpf_module_link_info links[BM_LINKS];
	int i, cnt = bm_links(module_fd, links);

	for (i = 0; i < cnt; i++) {
		__u32 len = sizeof(infos[i]);

		memset(&infos[i], 0, sizeof(infos[i]));
		fds[i] = bpf_link_get_fd_by_id(links[i].id);
		ASSERT_OK(bpf_link_get_info_by_fd(fds[i], &infos[i], &len), "info of a link");
	}
	return cnt;
}

static void close_links(const int *fds, int cnt)
{
	while (cnt > 0)
		close(fds[--cnt]);
}

/* The ids of the links of that type of a module, in their order. */
static int ids_of(int module_fd, enum bpf_link_type type, __u32 *ids)
{
	struct bpf_link_info infos[BM_LINKS];
	int fds[BM_LINKS], i, n = 0, cnt = open_links(module_fd, infos, fds);

	for (i = 0; i < cnt; i++)
		if (infos[i].type == type)
			ids[n++] = infos[i].id;
	close_links(fds, cnt);
	return n;
}

static void run_iters(int module_fd)
{
	struct bpf_link_info infos[BM_LINKS];
	int fds[BM_LINKS], i, cnt = open_links(module_fd, infos, fds);

	for (i = 0; i < cnt; i++)
		if (infos[i].type == BPF_LINK_TYPE_ITER)
			ASSERT_OK(bm_run_iter(fds[i]), "iterator");
	close_links(fds, cnt);
}

static void test_kinds(void)
{
	struct bpf_module_targets *skel = open_attach();
	__u32 ids[BM_LINKS];
	int fd;

	if (!skel)
		return;
	fd = bpf_module__fd(skel->modules.bm_targets);
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_XDP, ids), 2, "devices");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_TRACING, ids), 2, "fentry and freplace");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_SOCKMAP, ids), 2, "sockmap");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_NETKIT, ids), 1, "netkit");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_PERF_EVENT, ids), 1, "uprobe");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_NETNS, ids), 1, "flow dissector");
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_ITER, ids), 1, "iterator");
	ASSERT_EQ(run_host(), 41, "extended program");
	ASSERT_EQ(skel->bss->fentry_ran, 1, "fentry of a program");
	run_iters(fd);
	ASSERT_EQ(skel->bss->iter_ran, 1, "iterator over a cgroup");
	check_devices(skel, 1);
	check_netkit_uprobe(skel, 1);
	ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_CGROUP, ids), 2, "LSM and connect of a cgroup");
	run_cgroup();
	ASSERT_EQ(skel->bss->lsm_ran, 1, "LSM of a cgroup");
	ASSERT_EQ(skel->bss->connect_ran, 1, "connect of a cgroup");
	skel->bss->netkit_ran = 0;
	skel->bss->uprobe_ran = 0;
	ASSERT_OK(bpf_module__unload(skel->modules.bm_targets), "unload");
	check_netkit_uprobe(skel, 0);
	bpf_module_targets__destroy(skel);
	ASSERT_EQ(run_host(), 1, "program as it was");
	ASSERT_EQ(bm_find(NAME), 0, "listed");
}

static void check_same(int module_fd, const __u32 *ids, int cnt, enum bpf_link_type type,
		       const char *what)
{
	__u32 new_ids[BM_LINKS] = {};
	int i;

	ASSERT_EQ(ids_of(module_fd, type, new_ids), cnt, what);
	for (i = 0; i < cnt; i++)
		ASSERT_EQ(new_ids[i], ids[i], what);
}

static void test_replace(void)
{
	static const struct {
		enum bpf_link_type type;
		const char *name;
	} kinds[] = {
		{ BPF_LINK_TYPE_XDP, "devices" },
		{ BPF_LINK_TYPE_SOCKMAP, "sockmap" },
		{ BPF_LINK_TYPE_NETKIT, "netkit" },
		{ BPF_LINK_TYPE_NETNS, "flow dissector" },
		{ BPF_LINK_TYPE_ITER, "iterator" },
		{ BPF_LINK_TYPE_CGROUP, "cgroup" },
	};
	struct bpf_module_targets *skel = open_attach(), *next;
	__u32 ids[ARRAY_SIZE(kinds)][BM_LINKS];
	int i, cnt[ARRAY_SIZE(kinds)], fd;

	if (!skel)
		return;
	fd = bpf_module__fd(skel->modules.bm_targets);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		cnt[i] = ids_of(fd, kinds[i].type, ids[i]);
	next = open_next(skel);
	if (next && attach_next(next)) {
		fd = bpf_module__fd(next->modules.bm_targets);
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			check_same(fd, ids[i], cnt[i], kinds[i].type, kinds[i].name);
		check_devices(next, 2);
		check_netkit_uprobe(next, 2);
		run_iters(fd);
		ASSERT_EQ(next->bss->iter_ran, 2, "iterator");
		ASSERT_EQ(run_host(), 1, "extension that is gone");
		ASSERT_EQ(next->bss->fentry_ran, 2, "fentry");
		run_cgroup();
		ASSERT_EQ(next->bss->lsm_ran, 2, "LSM of a cgroup");
		ASSERT_EQ(next->bss->connect_ran, 2, "connect of a cgroup");
	}
	bpf_module_targets__destroy(next);
	bpf_module_targets__destroy(skel);
	ASSERT_EQ(bm_find(NAME), 0, "listed");
}

/* A device has one XDP program, whatever its name. */
static void test_replace_renamed(void)
{
	struct bpf_module_targets *skel = open_attach(), *next;
	__u32 ids[BM_LINKS];
	int cnt;

	if (!skel)
		return;
	cnt = ids_of(bpf_module__fd(skel->modules.bm_targets), BPF_LINK_TYPE_XDP, ids);
	next = open_next(skel);
	if (next) {
		bpf_program__set_autoload(next->progs.targets_xdp, false);
		bpf_program__set_autoload(next->progs.targets_xdp_renamed, true);
		if (set_param(next, "targets_xdp_renamed.dev", "bm_dev1,bm_dev2") &&
		    attach_next(next)) {
			check_same(bpf_module__fd(next->modules.bm_targets), ids, cnt,
				   BPF_LINK_TYPE_XDP, "devices");
			check_devices(next, 12);
		}
	}
	bpf_module_targets__destroy(next);
	bpf_module_targets__destroy(skel);
}

static void test_replace_freplace(void)
{
	struct bpf_module_targets *skel = open_attach(), *next;

	if (!skel)
		return;
	next = open_next(skel);
	if (next) {
		bpf_program__set_autoattach(next->progs.targets_freplace, true);
		ASSERT_OK(bpf_module_targets__load(next), "load");
		ASSERT_EQ(bpf_module_targets__attach(next), -EOPNOTSUPP, "replace");
		ASSERT_EQ(run_host(), 41, "extended program");
		ASSERT_EQ(bm_state(bpf_module__fd(skel->modules.bm_targets)),
			  BPF_MODULE_STATE_LIVE, "state");
		check_devices(skel, 1);
	}
	bpf_module_targets__destroy(next);
	bpf_module_targets__destroy(skel);
}

static int attach_without_admin(struct bpf_module_targets *skel)
{
	__u64 caps = 0;
	int err;

	ASSERT_OK(cap_disable_effective(1ULL << CAP_SYS_ADMIN, &caps), "no SYS_ADMIN");
	err = bpf_module_targets__attach(skel);
	cap_enable_effective(caps, NULL);
	return err;
}

/* Switching links takes CAP_SYS_ADMIN, attaching again does not. */
static void test_replace_caps(void)
{
	struct bpf_module_targets *skel = open_attach(), *next;
	struct bpf_program *prog;

	if (!skel)
		return;
	next = open_next(skel);
	if (next && ASSERT_OK(bpf_module_targets__load(next), "load")) {
		ASSERT_EQ(attach_without_admin(next), -EPERM, "switch");
		bpf_object__for_each_program(prog, next->obj)
			if (prog != next->progs.targets_fentry)
				bpf_program__set_autoattach(prog, false);
		ASSERT_OK(attach_without_admin(next), "attach anew");
		run_host();
		ASSERT_EQ(next->bss->fentry_ran, 2, "fentry");
	}
	bpf_module_targets__destroy(next);
	bpf_module_targets__destroy(skel);
}

/* This includes global variables: the new version continues with them. */
static void test_reuse_data(void)
{
	struct bpf_module_targets *skel = open_attach(), *next;
	int fd;

	if (!skel)
		return;
	fd = bpf_module__fd(skel->modules.bm_targets);
	run_host();
	ASSERT_EQ(skel->data_kept->kept, 6, "variable");
	next = open_next(skel);
	if (next) {
		ASSERT_OK(bpf_map__reuse_module_fd(next->maps.data_kept, fd), "reuse");
		next->data_kept->kept = 10;
		if (attach_next(next)) {
			ASSERT_EQ(next->data_kept->kept, 6, "variable in the new version");
			run_host();
			ASSERT_EQ(next->data_kept->kept, 7, "new version goes on");
			ASSERT_EQ(skel->data_kept->kept, 7, "one variable");
		}
	}
	bpf_module_targets__destroy(next);
	bpf_module_targets__destroy(skel);
}

static bool add_netkit(void)
{
	return ASSERT_OK(system("ip link add bm_nk type netkit"), "netkit") &&
	       ASSERT_OK(system("ip addr add 10.9.8.1/24 dev bm_nk"), "netkit address") &&
	       ASSERT_OK(system("ip link set bm_nk up && ip link set nk0 up"), "netkit up");
}

static bool add_devices(void)
{
	return ASSERT_OK(system("ip link add bm_dev1 type veth peer name bm_dev2"), "devices") &&
	       ASSERT_OK(system("ip addr add 10.9.9.1/24 dev bm_dev1"), "address") &&
	       ASSERT_OK(system("ip link set bm_dev1 up"), "first up") &&
	       ASSERT_OK(system("ip link set bm_dev2 up"), "second up");
}

/* A link whose device is gone is created again when the module is replaced. */
static void test_device_again(void)
{
	struct bpf_module_targets *skel = open_attach(), *next;
	struct bpf_module_link_info links[BM_LINKS];
	__u32 ids[BM_LINKS], new_ids[BM_LINKS];
	int i, cnt, fd;

	if (!skel)
		return;
	ASSERT_EQ(ids_of(bpf_module__fd(skel->modules.bm_targets), BPF_LINK_TYPE_XDP, ids), 2,
		  "devices");
	ASSERT_OK(system("ip link del bm_dev1"), "delete");
	if (!add_devices())
		goto out;
	next = open_next(skel);
	if (next && attach_next(next)) {
		fd = bpf_module__fd(next->modules.bm_targets);
		ASSERT_EQ(ids_of(fd, BPF_LINK_TYPE_XDP, new_ids), 2, "devices");
		ASSERT_NEQ(new_ids[0], ids[0], "new link");
		cnt = bm_links(fd, links);
		for (i = 0; i < cnt; i++)
			ASSERT_EQ(links[i].flags, 0, "attached");
		check_devices(next, 2);
	}
	bpf_module_targets__destroy(next);
out:
	bpf_module_targets__destroy(skel);
}

static void test_prog_missing(void)
{
	struct bpf_module_targets *skel = bpf_module_targets__open();
	char *log;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_STREQ(bpf_program__module_target(skel->progs.targets_fentry), "prog", "fentry");
	ASSERT_STREQ(bpf_program__module_target(skel->progs.targets_freplace), "prog", "freplace");
	if (ASSERT_OK(start_libbpf_log_capture(), "log")) {
		ASSERT_EQ(bpf_module_targets__load(skel), -EINVAL, "load");
		log = stop_libbpf_log_capture();
		ASSERT_HAS_SUBSTR(log ?: "", "needs a program: set targets_fentry.prog=ID:FUNCTION",
				  "line");
		free(log);
	}
	bpf_module_targets__destroy(skel);
}

static int open_clock(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 10000,
		.size = sizeof(attr),
	};

	return syscall(__NR_perf_event_open, &attr, -1, 0, -1, 0);
}

/* The user's own link of a type that is not attached by name; its event stays enabled. */
static void test_perf_event(void)
{
	struct bpf_module_targets *skel = open_targets("1");
	struct bpf_link *link;
	__u32 ids[BM_LINKS];
	int clock;

	if (!skel)
		return;
	bpf_program__set_autoload(skel->progs.targets_perf, true);
	if (!ASSERT_OK(bpf_module_targets__load(skel), "load"))
		goto out;
	/* the kernel attaches it only once */
	bpf_program__set_autoattach(skel->progs.targets_fentry, false);
	ASSERT_EQ(bpf_module_targets__attach(skel), -EOPNOTSUPP, "attach without the link");

	clock = open_clock();
	link = bpf_program__attach_perf_event(skel->progs.targets_perf, clock);
	if (!ASSERT_OK_PTR(link, "attach by hand"))
		goto out;
	ASSERT_OK(bpf_module__add_link(skel->modules.bm_targets, link), "add_link");
	bpf_link__disconnect(link);
	close(bpf_link__fd(link));
	close(clock);
	bpf_link__destroy(link);
	if (ASSERT_OK(bpf_module_targets__attach(skel), "attach")) {
		ASSERT_EQ(ids_of(bpf_module__fd(skel->modules.bm_targets),
				 BPF_LINK_TYPE_PERF_EVENT, ids), 2, "perf event and uprobe");
		skel->bss->perf_ran = 0;
		ASSERT_TRUE(bm_wait(skel->bss->perf_ran), "runs");
	}
out:
	bpf_module_targets__destroy(skel);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "kinds", test_kinds },
	{ "replace", test_replace },
	{ "replace_renamed", test_replace_renamed },
	{ "replace_freplace", test_replace_freplace },
	{ "replace_caps", test_replace_caps },
	{ "device_again", test_device_again },
	{ "reuse_data", test_reuse_data },
	{ "prog_missing", test_prog_missing },
	{ "perf_event", test_perf_event },
};

void serial_test_bpf_module_targets(void)
{
	int i, netns = bm_netns_enter();

	if (netns < 0)
		return;
	cgroup_fd = test__join_cgroup("/bm_targets");
	hosts = bpf_module_hosts__open_and_load();
	if (!ASSERT_OK_FD(cgroup_fd, "cgroup") || !ASSERT_OK_PTR(hosts, "hosts") ||
	    !add_devices() || !add_netkit())
		goto out;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	}
out:
	bpf_module_hosts__destroy(hosts);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	bm_netns_leave(netns);
}
