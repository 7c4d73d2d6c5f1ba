// SPDX-License-Identifier: GPL-2.0
/*
 * Links of types whose program can be switched in place, freplace, and many types of
 * links beside an op: the programs of a module run after its loader is gone until
 * UNLOAD returns, whoever else holds the links, and are replaced without a new link.
 */
#include <linux/bpf_module.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "cap_helpers.h"
#include "cgroup_helpers.h"
#include "network_helpers.h"
#include "bpf_module_kinds.skel.h"
#include "struct_ops_module.skel.h"

#define NAME "bm_kinds"
#define CGROUP "/bm_kinds"
/* Of frames that are the test's, IEEE's for experiments. */
#define BM_ETH_P 0x88b5
#define BM_REPLACED 20

static struct bpf_module_kinds *skel;
static int cgroup_fd = -1;

static int packet_socket(const char *dev, int proto)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(proto),
		.sll_ifindex = if_nametoindex(dev),
	};
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		PRINT_FAIL("packet socket on %s: %d\n", dev, -errno);
	if (settimeo(sock, 0))
		PRINT_FAIL("timeout: %d\n", -errno);
	return sock;
}

static void send_frame(const char *dev, int proto)
{
	char frame[ETH_ZLEN] = {};
	struct ethhdr *eth = (void *)frame;
	struct iphdr *iph = (void *)(eth + 1);
	int sock = packet_socket(dev, proto);

	memset(eth->h_dest, 0xff, ETH_ALEN);
	eth->h_proto = htons(proto);
	iph->version = 4;
	iph->ihl = 5;
	iph->protocol = IPPROTO_UDP;
	iph->tot_len = htons(sizeof(frame) - sizeof(*eth));
	if (send(sock, frame, sizeof(frame), 0) != sizeof(frame))
		PRINT_FAIL("frame on %s: %d\n", dev, -errno);
	close(sock);
}

/* Sends a frame from one end to the other, and waits for it there. */
static void run_veth(void)
{
	int sock = packet_socket("bm_k1", BM_ETH_P);
	char frame[ETH_FRAME_LEN];

	send_frame("bm_k0", BM_ETH_P);
	if (recv(sock, frame, sizeof(frame), 0) <= 0)
		PRINT_FAIL("frame at the other end: %d\n", -errno);
	close(sock);
}

static void run_netkit(void)
{
	send_frame("bm_nk", BM_ETH_P);
}

/* The kernel looks for the transport header of what such a socket sends. */
static void run_flow(void)
{
	send_frame("lo", ETH_P_IP);
}

static void run_sockopt(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0), val;
	socklen_t len = sizeof(val);

	if (getsockopt(sock, SOL_SOCKET, SO_MARK, &val, &len))
		PRINT_FAIL("getsockopt: %d\n", -errno);
	close(sock);
}

/* Both ends of a connection over the loopback device. */
static bool tcp_pair(int *client, int *server)
{
	int listener = start_server(AF_INET, SOCK_STREAM, "127.0.0.1", 0, 0);

	*client = connect_to_fd(listener, 0);
	*server = accept(listener, NULL, NULL);
	close(listener);
	return ASSERT_OK_FD(*client, "connect") && ASSERT_OK_FD(*server, "accept") &&
	       ASSERT_OK(settimeo(*server, 0), "timeout");
}

static void say(int client, int server)
{
	char c = 'x';

	ASSERT_EQ(send(client, &c, 1, 0), 1, "send");
	ASSERT_EQ(recv(server, &c, 1, 0), 1, "receive");
}

static void run_tcp(void)
{
	int client, server;

	if (tcp_pair(&client, &server))
		say(client, server);
	close(client);
	close(server);
}

static bool sockmap_pair(int *client, int *server)
{
	int map = bpf_map__fd(skel->maps.socks), keys[] = { 0, 1 };

	return tcp_pair(client, server) &&
	       ASSERT_OK(bpf_map_update_elem(map, &keys[0], client, BPF_ANY), "client in map") &&
	       ASSERT_OK(bpf_map_update_elem(map, &keys[1], server, BPF_ANY), "server in map");
}

static void run_sockmap(void)
{
	int client, server;

	if (sockmap_pair(&client, &server))
		say(client, server);
	close(client);
	close(server);
}

static void run_device(void)
{
	close(open("/dev/null", O_RDONLY));
}

static void run_sysctl(void)
{
	char line[64];

	bm_read_line("/proc/sys/kernel/ostype", line, sizeof(line));
}

static int attach_generic(struct bpf_program *prog)
{
	return bm_link_create(prog, if_nametoindex("bm_k1"), XDP_FLAGS_SKB_MODE);
}

static int attach_native(struct bpf_program *prog)
{
	return bm_link_create(prog, if_nametoindex("bm_k1"), XDP_FLAGS_DRV_MODE);
}

static int attach_tcx(struct bpf_program *prog)
{
	return bm_link_create(prog, if_nametoindex("bm_k0"), 0);
}

static int attach_netkit(struct bpf_program *prog)
{
	return bm_link_create(prog, if_nametoindex("bm_nk"), 0);
}

static int attach_cgroup(struct bpf_program *prog)
{
	return bm_link_create(prog, cgroup_fd, 0);
}

static int attach_netns(struct bpf_program *prog)
{
	int netns = open("/proc/self/ns/net", O_RDONLY), fd;

	fd = bm_link_create(prog, netns, 0);
	close(netns);
	return fd;
}

static int attach_iter(struct bpf_program *prog)
{
	return bm_link_create(prog, 0, 0);
}

static int attach_sockmap(struct bpf_program *prog)
{
	return bm_link_create(prog, bpf_map__fd(skel->maps.socks), 0);
}

static const struct kind {
	const char *name;
	int (*attach)(struct bpf_program *prog);
	void (*run)(void);
} kinds[] = {
	{ "xdp_generic", attach_generic, run_veth },
	{ "xdp_native", attach_native, run_veth },
	{ "tcx_egress", attach_tcx, run_veth },
	{ "netkit", attach_netkit, run_netkit },
	{ "lsm_cgroup", attach_cgroup, bm_run_socket },
	{ "cgroup_skb", attach_cgroup, run_tcp },
	{ "sock_create", attach_cgroup, bm_run_socket },
	{ "sock_addr", attach_cgroup, run_tcp },
	{ "sockopt", attach_cgroup, run_sockopt },
	{ "sockops", attach_cgroup, run_tcp },
	{ "device", attach_cgroup, run_device },
	{ "sysctl", attach_cgroup, run_sysctl },
	{ "sk_lookup", attach_netns, run_tcp },
	{ "flow_dissector", attach_netns, run_flow },
	{ "sk_msg", attach_sockmap, run_sockmap },
	{ "sk_skb", attach_sockmap, run_sockmap },
};

static struct bpf_program *prog_of(const char *what, const char *kind)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", what, kind);
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* Do the programs run, the attached one and the one it is switched to? */
static void check_runs(void (*run)(void), bool old, bool new, const char *when)
{
	int before = skel->bss->runs, new_before = skel->bss->new_runs;

	run();
	ASSERT_EQ(skel->bss->runs > before, old, when);
	ASSERT_EQ(skel->bss->new_runs > new_before, new, when);
}

/* @link_fd, of a link that module @fd has adopted, is closed on the way. */
static void check_adopted(const struct kind *kind, int fd, int link_fd)
{
	struct bpf_program *new_prog = prog_of("new", kind->name);
	int new_prog_fd = bpf_program__fd(new_prog), new_fd, foreign;
	__u32 id = bm_link_id(link_fd);
	struct bm_load load;

	ASSERT_EQ(bpf_link_update(link_fd, new_prog_fd, NULL), -EBUSY, "update of an adopted link");
	bm_load_switch(&load, fd, link_fd, new_prog);
	check_runs(kind->run, true, false, "adopted");

	new_fd = bm_load(&load);
	close(link_fd);
	if (!ASSERT_OK_FD(new_fd, "replace")) {
		printf("%s", load.log);
		return;
	}
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state of the old module");
	check_runs(kind->run, false, true, "replaced");
	bm_check_link(new_fd, id);

	foreign = bpf_link_get_fd_by_id(id);
	ASSERT_OK_FD(foreign, "somebody else's fd");
	ASSERT_OK(bpf_module_unload(new_fd, NULL), "unload");
	check_runs(kind->run, false, false, "unloaded");
	bm_check_detached(foreign, id);
	bm_unload(&new_fd);
}

static void test_kind(const struct kind *kind)
{
	int link_fd = kind->attach(prog_of("link", kind->name));
	int module_fd;

	if (!ASSERT_OK_FD(link_fd, "attach"))
		return;
	module_fd = bm_load_link(NAME, link_fd);
	if (ASSERT_OK_FD(module_fd, "load"))
		check_adopted(kind, module_fd, link_fd);
	else
		close(link_fd);
	bm_unload(&module_fd);
}

/*
 * A socket runs the programs that its map had when it was added, until it leaves,
 * whether they were detached or not. Only sockets added later do not.
 */
static void test_sockmap_socket(void)
{
	int link_fd = attach_sockmap(skel->progs.link_sk_msg);
	int module_fd = bm_load_link(NAME, link_fd);
	int client, server, before;

	ASSERT_OK_FD(module_fd, "load");
	close(link_fd);
	if (sockmap_pair(&client, &server)) {
		ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
		before = skel->bss->runs;
		say(client, server);
		ASSERT_EQ(skel->bss->runs, before + 1, "runs for a socket that was in the map");
	}
	check_runs(run_sockmap, false, false, "unloaded");
	close(client);
	close(server);
	bm_unload(&module_fd);
}

/* The iterators of a link that was switched run the new program. */
static void test_iter(void)
{
	int link_fd = bm_link_create(skel->progs.link_iter, 0, 0);
	int module_fd = bm_load_link(NAME, link_fd), new_fd, before;
	struct bm_load load;

	ASSERT_OK_FD(module_fd, "load");
	bm_load_switch(&load, module_fd, link_fd, skel->progs.new_iter);
	new_fd = bm_load(&load);
	ASSERT_OK_FD(new_fd, "replace");
	before = skel->bss->runs;
	ASSERT_OK(bm_run_iter(link_fd), "read");
	ASSERT_EQ(skel->bss->runs, before, "runs of the old program");
	ASSERT_GT(skel->bss->new_runs, 0, "runs of the new one");
	ASSERT_OK(bpf_module_unload(new_fd, NULL), "unload");
	ASSERT_EQ(bm_run_iter(link_fd), -ENOENT, "read after it was unloaded");
	bm_unload(&module_fd);
	bm_unload(&new_fd);
	close(link_fd);
}

static int run_extended(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	char frame[ETH_ZLEN] = {};
	int err;

	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.extended_prog), &opts);
	return err ?: (int)opts.retval;
}

static struct bpf_module_kinds *open_freplace(void)
{
	struct bpf_module_kinds *ext = bpf_module_kinds__open();
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(ext, "open"))
		return NULL;
	bpf_object__for_each_program(prog, ext->obj)
		bpf_program__set_autoload(prog, prog == ext->progs.link_freplace);
	bpf_program__set_attach_target(ext->progs.link_freplace,
				       bpf_program__fd(skel->progs.extended_prog), "extended");
	if (ASSERT_OK(bpf_module_kinds__load(ext), "load extension"))
		return ext;
	bpf_module_kinds__destroy(ext);
	return NULL;
}

/* An extension is exclusive, so it can be neither switched nor doubled. */
static void test_freplace(void)
{
	struct bpf_module_kinds *ext = open_freplace();
	int link_fd, module_fd, foreign, target_fd;
	struct bm_load load;

	if (!ext)
		return;
	link_fd = bm_take_fd(bpf_program__attach(ext->progs.link_freplace));
	module_fd = bm_load_link(NAME, link_fd);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_EQ(run_extended(), 1, "extended");

	bm_load_switch(&load, module_fd, link_fd, ext->progs.link_freplace);
	bm_load_refused(&load, -EOPNOTSUPP, "extends a program");
	ASSERT_EQ(run_extended(), 1, "extended after a refused replacement");

	foreign = dup(link_fd);
	close(link_fd);
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_EQ(run_extended(), 0, "extended after it was unloaded");
	/* the target is free for another */
	target_fd = bpf_program__fd(skel->progs.extended_prog);
	link_fd = bm_take_fd(bpf_program__attach_freplace(ext->progs.link_freplace, target_fd,
							  "extended"));
	ASSERT_EQ(run_extended(), 1, "extended again");
	close(link_fd);
	close(foreign);
	bm_unload(&module_fd);
	bpf_module_kinds__destroy(ext);
}

/* Attachments that are not links which a module can hold. */
static void refused_fd(int fd, int err, const char *part)
{
	struct bm_load load;

	bm_load_init(&load, NAME);
	bm_load_add(&load, fd, 0);
	bm_load_refused(&load, err, part);
}

static void test_no_link(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};
	int fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);

	if (ASSERT_OK_FD(fd, "perf event")) {
		refused_fd(fd, -EINVAL, "is not a link");
		close(fd);
	}
	refused_fd(bpf_map__fd(skel->maps.socks), -EINVAL, "is not a link");
	refused_fd(bpf_program__fd(skel->progs.link_tcx_egress), -EINVAL, "is not a link");
	refused_fd(-1, -EBADF, "is not a link");
}

/* The link of a struct_ops map is refused, and stays. */
static void test_map_link(void)
{
	struct struct_ops_module *ops = struct_ops_module__open();
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(ops, "open"))
		return;
	/* It has a member that the kernel does not know. */
	bpf_map__set_autocreate(ops->maps.testmod_zeroed, false);
	if (!ASSERT_OK(struct_ops_module__load(ops), "load"))
		goto out;
	link = bpf_map__attach_struct_ops(ops->maps.testmod_1);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	refused_fd(bpf_link__fd(link), -EINVAL, "is that of a struct_ops map");
	ASSERT_EQ(bm_link_module(bpf_link__fd(link)), 0, "module of the link");
	bpf_link__destroy(link);
out:
	struct_ops_module__destroy(ops);
}

static void run_fentry(void)
{
	bm_test_run(skel->progs.link_fentry);
}

/* An op, and links of many kinds: all in one step. */
static void test_together(void)
{
	static void (* const runs[])(void) = { run_veth, run_tcp, run_fentry };
	int links[6], module_fd = -1, i;
	struct bpf_module_info info;
	struct bm_load load;
	struct bm_cc cc;
	__u32 iter_id;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, NAME);
	links[0] = attach_native(skel->progs.link_xdp_native);
	links[1] = attach_tcx(skel->progs.link_tcx_egress);
	links[2] = attach_cgroup(skel->progs.link_sockops);
	links[3] = bm_take_fd(bpf_program__attach(skel->progs.link_fentry));
	links[4] = bm_take_fd(bpf_program__attach(skel->progs.link_kprobe));
	links[5] = bm_link_create(skel->progs.link_iter, 0, 0);
	iter_id = bm_link_id(links[5]);

	bm_load_init(&load, NAME);
	bm_load_add_all(&load, links, ARRAY_SIZE(links));
	bm_load_ops(&load, &cc);
	module_fd = bm_load(&load);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		close(links[i]);
	if (!ASSERT_OK_FD(module_fd, "load"))
		goto out;

	ASSERT_OK(bm_info(module_fd, &info), "info");
	ASSERT_EQ(info.ops_cnt, 1, "ops");
	ASSERT_EQ(info.links_cnt, ARRAY_SIZE(links), "links");
	ASSERT_EQ(info.prog_cnt, ARRAY_SIZE(links) + BM_CC_REQUIRED, "programs");
	ASSERT_TRUE(bm_tcp_has(NAME), "op is registered");
	for (i = 0; i < ARRAY_SIZE(runs); i++)
		check_runs(runs[i], true, false, "loaded");

	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_FALSE(bm_tcp_has(NAME), "op is registered after it was unloaded");
	for (i = 0; i < ARRAY_SIZE(runs); i++)
		check_runs(runs[i], false, false, "unloaded");
	ASSERT_EQ(bpf_link_get_fd_by_id(iter_id), -ENOENT, "link of the iterator");
out:
	bm_unload(&module_fd);
	bm_cc_close(&cc);
}

struct flood {
	pthread_t thread;
	int sock;
	bool stop;
	long sent;
};

static void *flood(void *arg)
{
	char frame[ETH_ZLEN] = {};
	struct ethhdr *eth = (void *)frame;
	struct flood *flood = arg;

	memset(eth->h_dest, 0xff, ETH_ALEN);
	eth->h_proto = htons(BM_ETH_P);
	while (!__atomic_load_n(&flood->stop, __ATOMIC_RELAXED))
		flood->sent += send(flood->sock, frame, sizeof(frame), 0) == sizeof(frame);
	return NULL;
}

/* Replaces one filter by another, over and over. */
static void replace_filters(int (*attach)(struct bpf_program *prog))
{
	struct bpf_program *progs[] = { skel->progs.new_filter, skel->progs.link_filter };
	int link_fd = attach(skel->progs.link_filter), fd = bm_load_link(NAME, link_fd);
	struct flood f = { .sock = packet_socket("bm_k0", BM_ETH_P) };
	int i, new_fd, err, sock = packet_socket("bm_k1", BM_ETH_P);
	int runs = skel->bss->runs, new_runs = skel->bss->new_runs;
	struct bm_load load;
	char frame[ETH_ZLEN];

	ASSERT_OK_FD(fd, "load");
	err = pthread_create(&f.thread, NULL, flood, &f);
	ASSERT_OK(err, "thread");
	for (i = 0; i < BM_REPLACED; i++) {
		bm_load_switch(&load, fd, link_fd, progs[i % 2]);
		new_fd = bm_load(&load);
		if (!ASSERT_OK_FD(new_fd, "replace"))
			break;
		bm_unload(&fd);
		fd = new_fd;
	}
	__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
	if (!err)
		pthread_join(f.thread, NULL);
	printf("%ld frames, %d to the one filter, %d to the other\n", f.sent,
	       skel->bss->runs - runs, skel->bss->new_runs - new_runs);
	ASSERT_GT(skel->bss->runs, runs, "frames to the one filter");
	ASSERT_GT(skel->bss->new_runs, new_runs, "frames to the other");
	ASSERT_EQ(recv(sock, frame, sizeof(frame), MSG_DONTWAIT), -1, "unfiltered frame");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	run_veth();
	ASSERT_GT(recv(sock, frame, sizeof(frame), 0), 0, "frame without a filter");
	bm_unload(&fd);
	close(link_fd);
	close(sock);
	close(f.sock);
}

static void test_filter_generic(void)
{
	replace_filters(attach_generic);
}

static void test_filter_native(void)
{
	replace_filters(attach_native);
}

#define BM_CAP(cap) (1ULL << CAP_##cap)

/* Who may load, replace and unload a module of such a link. */
static const struct who {
	const char *name;
	__u64 caps;
} whos[] = {
	{ "none", 0 },
	{ "bpf", BM_CAP(BPF) },
	{ "net_admin", BM_CAP(NET_ADMIN) },
	{ "perfmon", BM_CAP(PERFMON) },
	{ "bpf+net_admin", BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "bpf+perfmon", BM_CAP(BPF) | BM_CAP(PERFMON) },
	{ "bpf+both", BM_CAP(BPF) | BM_CAP(NET_ADMIN) | BM_CAP(PERFMON) },
	{ "all but bpf", ~(BM_CAP(BPF) | BM_CAP(SYS_ADMIN)) },
	{ "sys_admin", BM_CAP(SYS_ADMIN) },
};

static int as(const struct who *who, int (*fn)(struct bm_load *load, int fd),
	      struct bm_load *load, int fd)
{
	__u64 old;
	int ret;

	if (!ASSERT_OK(cap_disable_effective(~who->caps, &old), "capabilities"))
		return 0;
	ret = fn(load, fd);
	ASSERT_OK(cap_enable_effective(old, NULL), "capabilities back");
	return ret;
}

static int do_load(struct bm_load *load, int fd)
{
	return bm_load(load);
}

static int do_unload(struct bm_load *load, int fd)
{
	return bpf_module_unload(fd, NULL);
}

static int do_drain(struct bm_load *load, int fd)
{
	return bm_drain(fd);
}

static void expect(int ret, bool may, const struct who *who, const char *kind, const char *what)
{
	if (may ? ret < 0 : ret != -EPERM)
		PRINT_FAIL("%s, %s by %s: %d\n", kind, what, who->name, ret);
}

/* A module with the link @link_fd; a replacement has the other one. */
static void check_who(const struct who *who, const char *kind, __u64 needed, int link_fd,
		      int other_fd)
{
	bool may = who->caps & BM_CAP(SYS_ADMIN) || !(needed & ~who->caps);
	struct bm_load load, over;
	int fd, new_fd, ret;

	bm_load_init(&load, NAME);
	bm_load_add(&load, link_fd, 0);
	fd = as(who, do_load, &load, -1);
	expect(fd, may, who, kind, "load");
	if (fd < 0)
		fd = bm_load(&load);

	bm_load_init(&over, NULL);
	bm_load_over(&over, fd);
	bm_load_add(&over, other_fd, 0);
	new_fd = as(who, do_load, &over, -1);
	expect(new_fd, may, who, kind, "replace");
	if (new_fd < 0)
		new_fd = bm_load(&over);

	ret = as(who, do_unload, NULL, new_fd);
	expect(ret, may, who, kind, "unload");
	ret = as(who, do_drain, NULL, new_fd);
	if (!may)
		expect(ret, false, who, kind, "drain");
	bm_unload(&fd);
	bm_unload(&new_fd);
}

static const struct {
	const char *kind;
	int (*attach)(struct bpf_program *prog);
	__u64 needed;
} needs[] = {
	{ "tcx_egress", attach_tcx, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "cgroup_skb", attach_cgroup, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "sock_addr", attach_cgroup, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "sockopt", attach_cgroup, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "device", attach_cgroup, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "sysctl", attach_cgroup, BM_CAP(BPF) | BM_CAP(NET_ADMIN) },
	{ "lsm_cgroup", attach_cgroup, BM_CAP(BPF) | BM_CAP(PERFMON) },
	{ "iter", attach_iter, BM_CAP(BPF) | BM_CAP(PERFMON) },
};

static void test_caps(void)
{
	int i, w, link_fd, other_fd;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		for (w = 0; w < ARRAY_SIZE(whos); w++) {
			link_fd = needs[i].attach(prog_of("link", needs[i].kind));
			other_fd = needs[i].attach(prog_of("new", needs[i].kind));
			check_who(&whos[w], needs[i].kind, needs[i].needed, link_fd, other_fd);
			close(link_fd);
			close(other_fd);
		}
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "caps", test_caps },
	{ "filter_generic", test_filter_generic },
	{ "filter_native", test_filter_native },
	{ "iter", test_iter },
	{ "sockmap_socket", test_sockmap_socket },
	{ "freplace", test_freplace },
	{ "no_link", test_no_link },
	{ "map_link", test_map_link },
	{ "together", test_together },
};

static bool add_devices(void)
{
	return ASSERT_OK(system("ip link add bm_k0 type veth peer name bm_k1"), "veth") &&
	       ASSERT_OK(system("ip link set bm_k0 up && ip link set bm_k1 up"), "veth up") &&
	       ASSERT_OK(system("ip link add bm_nk type netkit"), "netkit") &&
	       ASSERT_OK(system("ip link set bm_nk up && ip link set nk0 up"), "netkit up");
}

void serial_test_bpf_module_kinds(void)
{
	int i, netns = bm_netns_enter();

	if (netns < 0)
		return;
	cgroup_fd = test__join_cgroup(CGROUP);
	skel = bpf_module_kinds__open_and_load();
	if (!ASSERT_OK_FD(cgroup_fd, "cgroup") || !ASSERT_OK_PTR(skel, "open and load") ||
	    !add_devices())
		goto out;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (test__start_subtest(kinds[i].name))
			test_kind(&kinds[i]);
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (tests[i].run == test_map_link && !env.has_testmod)
			continue;
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	}
out:
	bpf_module_kinds__destroy(skel);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	bm_netns_leave(netns);
}
