// SPDX-License-Identifier: GPL-2.0
/*
 * soak SECONDS [SEED]: load, use and unload BPF modules at random, from many
 * sides at once
 *
 * A few names are shared by all, so that threads meet at the same modules. They
 * do not agree on anything: each finds modules by id, as any process would. What
 * the kernel may answer is in the table of operations; any other errno fails the
 * run, as does an operation that never succeeds, and anything that is left when
 * all is over.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <bpf/libbpf.h>
#include "cc.h"

#define NAMES		4
#define KEPT		4	/* handles of a thread */
#define SOCKETS		4	/* connections of a thread */
#define VALUE_SIZE	1024
#define OPS_MAX		2
#define LINKS_MAX	2
#define LINKS_NAME	"soak_links_"	/* of modules without ops */
#define FUNCS_NAME	"soak_funcs_"	/* of those that export a function */
#define PROGS		4	/* programs of a thread that call functions */
#define NON_RESTRICTED	1	/* a flag of tcp_congestion_ops */
#define SETTLE_SECONDS	90
#define MODULES_MAX	1024	/* more than this program can have at once */
#define ERRNOS		160
#define PIN_DIR		"/sys/fs/bpf/soak"
#define TCP_SYSCTL	"/proc/sys/net/ipv4/tcp_"

enum op {
	LOAD, LOAD_BOUND, LOAD_TWO, UNLOAD, DRAIN, REPLACE, BOUND_CLOSE,
	PIN, PIN_OPEN, UNPIN,
	NEXT_ID, BY_ID, INFO, OBJ_INFO, DUMP, FDINFO, ITERATE, POLL,
	CONNECT, CHOOSE, SWITCH, TRANSFER, HANG_UP,
	NETNS, NETNS_DEFAULT, NETNS_CONNECT,
	KILL, KILL_HOLDER,
	ATTACH, LOAD_LINKS, ADOPT, LINK_DETACH, LINK_UPDATE, LINK_LOOK, REPLACE_LINKS,
	LOAD_FUNCS, REPLACE_FUNCS, CALLER, CALL,
	OPS,
};

/* Which errno an operation may meet; each list ends with 0. */
static const struct {
	const char *name;
	int allowed[5];
} op_table[OPS] = {
	[LOAD]		= { "load", { EEXIST } },
	[LOAD_BOUND]	= { "load bound", { EEXIST } },
	[LOAD_TWO]	= { "load two ops", { EEXIST } },
	[UNLOAD]	= { "unload", { EBUSY, EINPROGRESS, ENOENT } },
	[DRAIN]		= { "drain", { EINPROGRESS, ENOENT } },
	/* EINVAL: the number of ops is another one */
	[REPLACE]	= { "replace", { EINPROGRESS, ENOENT, EINVAL } },
	[BOUND_CLOSE]	= { "close a bound one" },
	[PIN]		= { "pin", { EEXIST } },
	[PIN_OPEN]	= { "open a pin", { ENOENT } },
	[UNPIN]		= { "unpin", { ENOENT } },
	[NEXT_ID]	= { "next id", { ENOENT } },
	[BY_ID]		= { "fd by id", { ENOENT } },
	[INFO]		= { "info" },
	[OBJ_INFO]	= { "info as an object" },
	[DUMP]		= { "dump" },
	[FDINFO]	= { "fdinfo" },
	[ITERATE]	= { "iterate" },
	[POLL]		= { "poll" },
	[CONNECT]	= { "connect" },
	[CHOOSE]	= { "choose for a listener", { ENOENT, EBUSY } },
	[SWITCH]	= { "switch a connection", { ENOENT, EBUSY } },
	[TRANSFER]	= { "transfer" },
	[HANG_UP]	= { "hang up" },
	[NETNS]		= { "new namespace" },
	[NETNS_DEFAULT]	= { "default of a namespace", { ENOENT, EBUSY } },
	[NETNS_CONNECT]	= { "connect there" },
	[KILL]		= { "kill a loader" },
	[KILL_HOLDER]	= { "kill a bound one's holder" },
	/* XDP is one for a device */
	[ATTACH]	= { "attach", { EBUSY } },
	/* Another thread may adopt a new link before its own does. */
	[LOAD_LINKS]	= { "load links", { EEXIST, EBUSY } },
	[ADOPT]		= { "adopt any links", { EEXIST, EBUSY } },
	[LINK_DETACH]	= { "detach a link" },
	[LINK_UPDATE]	= { "update a link", { EBUSY, ENOLINK } },
	[LINK_LOOK]	= { "look at a link" },
	/* EINVAL: the link is not the module's any more */
	[REPLACE_LINKS]	= { "replace links", { EINPROGRESS, ENOENT, EOPNOTSUPP, EINVAL } },
	[LOAD_FUNCS]	= { "load a function", { EEXIST } },
	[REPLACE_FUNCS]	= { "replace a function", { EBUSY, EINPROGRESS, ENOENT } },
	[CALLER]	= { "load its caller", { ENOENT } },
	[CALL]		= { "call it" },
};

/* Shared with the loaders that are killed. */
struct tally {
	_Atomic __u64 done[OPS];
	_Atomic __u64 refused[OPS][ERRNOS];
	_Atomic int failures;
};

struct worker {
	pthread_t thread;
	void (*step)(struct worker *worker);
	__u64 random;
	int kept[KEPT];		/* fds of modules, 0 for none */
	int sockets[SOCKETS][2];	/* both ends, 0 for none */
	int listener;
	int callers[PROGS];	/* 0 for none */
	int home;		/* the namespace that it came from */
};

static struct tally *tally;
static _Atomic bool stop;
static struct ops_type type;
static struct member name_member = { "name" }, flags_member = { "flags" };
static struct member members[] = {
	{ "ssthresh" }, { "undo_cwnd" }, { "cong_avoid" }, { "init" }, { "release" },
};
static int iter_link;
static int func_btf, func_type;	/* int soak_add(int n) */

static void fail(const char *format, ...)
{
	va_list args;

	atomic_fetch_add(&tally->failures, 1);
	va_start(args, format);
	printf("soak: ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

/* Count how @op went; @ret is negative with the error in errno. */
static bool count(enum op op, long ret)
{
	int err = errno, i;

	if (ret >= 0) {
		atomic_fetch_add(&tally->done[op], 1);
		return true;
	}
	if (err < 0 || err >= ERRNOS)
		err = 0;
	if (atomic_fetch_add(&tally->refused[op][err], 1))
		return false;
	for (i = 0; op_table[op].allowed[i]; i++) {
		if (op_table[op].allowed[i] == err)
			return false;
	}
	fail("%s: %s, which it must not say", op_table[op].name, strerrorname_np(err));
	return false;
}

static void name_of(unsigned int nr, char name[16])
{
	snprintf(name, 16, "soak_%u", nr);
}

/* A congestion control named after slot @nr in @value. */
static void fill_value(char *value, unsigned int nr, const int *progs)
{
	uint32_t flags = NON_RESTRICTED;
	unsigned int i;

	memset(value, 0, VALUE_SIZE);
	for (i = 0; i < ARRAY_LEN(members); i++)
		set_member(value, &members[i], progs[i]);
	memcpy(value + flags_member.off, &flags, sizeof(flags));
	name_of(nr, value + name_member.off);
}

/* Load @ops_cnt ops with programs of their own, from slot @nr on. */
static int load(enum op op, unsigned int nr, unsigned int ops_cnt, unsigned int flags, int old)
{
	LIBBPF_OPTS(bpf_module_load_opts, opts, .flags = flags, .replace_fd = old);
	char value[OPS_MAX][VALUE_SIZE] __attribute__((aligned(8)));
	struct bpf_module_ops ops[OPS_MAX] = {};
	int progs[ARRAY_LEN(members)], fd;
	char name[16], log[512] = "";
	unsigned int i;

	if (load_progs(&type, members, progs, ARRAY_LEN(members))) {
		fail("a program cannot be loaded: %s", strerror(errno));
		return -1;
	}
	for (i = 0; i < ops_cnt; i++) {
		fill_value(value[i], (nr + i) % NAMES, progs);
		ops[i].type_id = type.id;
		ops[i].value = (uintptr_t)value[i];
		ops[i].value_size = type.size;
		ops[i].name = (uintptr_t)value[i] + name_member.off;
	}
	opts.log_buf = log;
	opts.log_size = sizeof(log);
	name_of(nr, name);
	fd = bpf_module_load(old ? NULL : name, ops, ops_cnt, &opts);
	count(op, fd);
	if (fd < 0 && !log[0])
		fail("%s: refused without a reason", op_table[op].name);
	for (i = 0; i < ARRAY_LEN(members); i++)
		close(progs[i]);
	return fd;
}

/* An fd of any module that there is, or -1. */
static int some_module(struct worker *worker)
{
	unsigned int id = 0, ids[MODULES_MAX], cnt = 0;
	int fd;

	while (cnt < MODULES_MAX && count(NEXT_ID, bpf_module_get_next_id(id, &id)))
		ids[cnt++] = id;
	if (!cnt)
		return -1;
	fd = bpf_module_get_fd_by_id(ids[pick(&worker->random, cnt)]);
	count(BY_ID, fd);
	return fd;
}

/* Keep @fd in place of one that is let go of. */
static void keep(struct worker *worker, int fd)
{
	int *slot = &worker->kept[pick(&worker->random, KEPT)];

	if (fd < 0)
		return;
	if (*slot)
		close(*slot);
	*slot = fd;
}

static void unload(enum op op, int fd)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = op == DRAIN ? BPF_F_MODULE_DRAIN : 0);

	count(op, bpf_module_unload(fd, &opts));
}

/*
 * A bound module whose last handle this is, unless another thread has found it:
 * then it goes with that one's.
 */
static void come_and_go(struct worker *worker)
{
	int fd = load(LOAD_BOUND, pick(&worker->random, NAMES), 1, BPF_F_MODULE_BOUND, 0);

	if (fd < 0)
		return;
	if (pick(&worker->random, 4))
		count(BOUND_CLOSE, close(fd));
	else
		keep(worker, fd);
}

/* Two names are seldom free by themselves. */
static void load_two(struct worker *worker, unsigned int nr)
{
	int tries, fd;

	for (tries = 0; tries < 4; tries++) {
		fd = load(LOAD_TWO, nr, 2, 0, 0);
		if (fd >= 0) {
			keep(worker, fd);
			return;
		}
		fd = some_module(worker);
		if (fd < 0)
			continue;
		unload(DRAIN, fd);
		close(fd);
	}
}

static void pin_path(struct worker *worker, char path[64])
{
	snprintf(path, 64, PIN_DIR "/%u", pick(&worker->random, NAMES));
}

static void change(struct worker *worker)
{
	unsigned int nr = pick(&worker->random, NAMES);
	char path[64];
	int fd, new;

	switch (pick(&worker->random, 10)) {
	case 0:
	case 1:
		keep(worker, load(LOAD, nr, 1, 0, 0));
		return;
	case 2:
		load_two(worker, nr);
		return;
	case 3:
		come_and_go(worker);
		return;
	case 4:
		pin_path(worker, path);
		count(UNPIN, unlink(path));
		return;
	case 5:
		pin_path(worker, path);
		fd = bpf_obj_get(path);
		count(PIN_OPEN, fd);
		keep(worker, fd);
		return;
	}

	fd = some_module(worker);
	if (fd < 0)
		return;
	switch (pick(&worker->random, 4)) {
	case 0:
		unload(UNLOAD, fd);
		break;
	case 1:
		unload(DRAIN, fd);
		break;
	case 2:
		/* it must register under the same name, which only the value tells */
		new = -1;
		for (nr = 0; nr < NAMES && new < 0; nr++) {
			struct bpf_module_info info = {};
			__u32 len = sizeof(info);
			char name[16];

			name_of(nr, name);
			if (!bpf_module_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name))
				new = load(REPLACE, nr, info.ops_cnt == 2 ? 2 : 1,
					   BPF_F_MODULE_REPLACE, fd);
		}
		keep(worker, new);
		break;
	case 3:
		pin_path(worker, path);
		count(PIN, bpf_obj_pin(fd, path));
		break;
	}
	keep(worker, fd);
}

/* What must hold of any module at any time. */
static void check_info(const struct bpf_module_info *info)
{
	bool links, funcs, gone = info->state == BPF_MODULE_STATE_GONE;

	if (info->state < BPF_MODULE_STATE_LIVE || info->state > BPF_MODULE_STATE_GONE)
		fail("module %s is in state %u", info->name, info->state);
	if (gone != !info->id)
		fail("module %s has id %u in state %u", info->name, info->id, info->state);
	links = !strncmp(info->name, LINKS_NAME, strlen(LINKS_NAME));
	funcs = !strncmp(info->name, FUNCS_NAME, strlen(FUNCS_NAME));
	if (info->funcs_cnt != (funcs && !gone))
		fail("module %s has %u functions in state %u", info->name, info->funcs_cnt,
		     info->state);
	/* One of links has none any more before it is gone. */
	if (gone || links ? info->users || info->ops_cnt :
	    funcs ? info->ops_cnt :
			    info->ops_cnt < 1 || info->ops_cnt > OPS_MAX)
		fail("module %s has %u ops and %llu users in state %u", info->name, info->ops_cnt,
		     info->users, info->state);
	if (info->links_cnt > (links && !gone ? LINKS_MAX : 0))
		fail("module %s has %u links in state %u", info->name, info->links_cnt,
		     info->state);
	if (strncmp(info->name, "soak_", 5))
		fail("a module is called \"%s\"", info->name);
}

static void dump(int fd)
{
	char value[OPS_MAX][VALUE_SIZE] __attribute__((aligned(8)));
	struct bpf_module_ops_info ops[OPS_MAX] = {};
	struct bpf_module_info info = {};
	__u32 i, len = sizeof(info), progs[16];

	for (i = 0; i < OPS_MAX; i++) {
		ops[i].value = (uintptr_t)value[i];
		ops[i].value_size = VALUE_SIZE;
	}
	info.ops = (uintptr_t)ops;
	info.ops_cnt = OPS_MAX;
	info.ops_size = sizeof(ops[0]);
	info.prog_ids = (uintptr_t)progs;
	info.prog_cnt = ARRAY_LEN(progs);
	if (!count(DUMP, bpf_module_get_info_by_fd(fd, &info, &len)))
		return;
	check_info(&info);
	for (i = 0; i < info.ops_cnt && i < OPS_MAX; i++) {
		if (ops[i].type_id != type.id || ops[i].value_size != type.size)
			fail("op %u of module %s has type %u", i, info.name, ops[i].type_id);
		if (strncmp(value[i] + name_member.off, "soak_", 5))
			fail("op %u of module %s has another value than was loaded", i, info.name);
	}
	if (info.state != BPF_MODULE_STATE_GONE && info.ops_cnt &&
	    info.prog_cnt != ARRAY_LEN(members))
		fail("module %s has %u programs", info.name, info.prog_cnt);
}

/* Gone at one look is gone at the next, and the fd says so. */
static void look_twice(int fd)
{
	struct pollfd pollfd = { .fd = fd };
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	bool gone;

	if (!count(OBJ_INFO, bpf_obj_get_info_by_fd(fd, &info, &len)))
		return;
	check_info(&info);
	gone = info.state == BPF_MODULE_STATE_GONE;
	count(POLL, poll(&pollfd, 1, 0));
	if (gone && !(pollfd.revents & POLLHUP))
		fail("module %s is gone, and its fd polls 0x%x", info.name, pollfd.revents);

	memset(&info, 0, sizeof(info));
	len = sizeof(info);
	if (!count(INFO, bpf_module_get_info_by_fd(fd, &info, &len)))
		return;
	check_info(&info);
	if ((gone || pollfd.revents & POLLHUP) && info.state != BPF_MODULE_STATE_GONE)
		fail("module %s is in state %u after it was gone", info.name, info.state);
}

/* Read all of @fd into @buf and close it. */
static long read_all(int fd, char *buf, long size)
{
	long len = 0, ret = fd;

	while (ret >= 0 && len < size - 1) {
		ret = read(fd, buf + len, size - 1 - len);
		if (ret <= 0)
			break;
		len += ret;
	}
	if (fd >= 0)
		close(fd);
	buf[len] = 0;
	return ret < 0 ? ret : len;
}

static void iterate(void)
{
	int fd = bpf_iter_create(iter_link);
	char buf[16384];
	long len;

	len = read_all(fd, buf, sizeof(buf));
	/* as with other targets, one that is loaded after the end may follow it */
	if (count(ITERATE, len) && !strstr(buf, "end\n"))
		fail("the iterator does not come to its end: \"%s\"", buf);
}

static void show_fdinfo(int fd)
{
	char path[64], buf[1024];

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	if (count(FDINFO, read_all(open(path, O_RDONLY | O_CLOEXEC), buf, sizeof(buf))) &&
	    !strstr(buf, "module_name:\tsoak_"))
		fail("fdinfo of a module says \"%s\"", buf);
}

static void look(struct worker *worker)
{
	int fd, kept = worker->kept[pick(&worker->random, KEPT)];

	if (!pick(&worker->random, 8))
		iterate();
	fd = kept && pick(&worker->random, 2) ? dup(kept) : some_module(worker);
	if (fd < 0)
		return;
	switch (pick(&worker->random, 3)) {
	case 0:
		look_twice(fd);
		break;
	case 1:
		dump(fd);
		break;
	case 2:
		show_fdinfo(fd);
		break;
	}
	keep(worker, fd);
}

static int choose(struct worker *worker, int sock)
{
	char name[16];

	/* not all: else a module would never be without users */
	if (!pick(&worker->random, 3))
		snprintf(name, sizeof(name), "reno");
	else
		name_of(pick(&worker->random, NAMES), name);
	return setsockopt(sock, SOL_TCP, TCP_CONGESTION, name, strlen(name));
}

static int listen_anywhere(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || listen(sock, 16))
		err(1, "listening socket");
	return sock;
}

/* Both ends of a connection to @listener, of which the far one inherits all. */
static int open_connection(struct worker *worker, enum op op, int listener, int ends[2])
{
	struct timeval patience = { .tv_sec = 20 };
	struct linger reset = { .l_onoff = 1 };
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int ret;

	ret = getsockname(listener, (struct sockaddr *)&addr, &len);
	/* many addresses, so that ports in TIME_WAIT do not run out */
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK + pick(&worker->random, 200));
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ret = ret ?: ends[0] < 0 ? -1 : connect(ends[0], (struct sockaddr *)&addr, len);
	ends[1] = ret ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (!count(op, ret ?: ends[1])) {
		close(ends[0]);
		ends[0] = ends[1] = 0;
		return -1;
	}
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (pick(&worker->random, 4))
		setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return 0;
}

static void hang_up(int ends[2])
{
	if (!ends[0])
		return;
	/* the far end first: a reset leaves nothing in TIME_WAIT */
	count(HANG_UP, close(ends[1]) ?: close(ends[0]));
	ends[0] = ends[1] = 0;
}

static void transfer(const int ends[2])
{
	static const char data[8192];
	char buf[sizeof(data)];
	long len = 0, ret;

	ret = send(ends[0], data, sizeof(data), MSG_NOSIGNAL);
	while (ret > 0 && len < (long)sizeof(data)) {
		ret = recv(ends[1], buf, sizeof(buf), 0);
		len += ret;
	}
	if (!ret)
		errno = EPIPE;
	count(TRANSFER, ret > 0 ? 0 : -1);
}

static void use(struct worker *worker)
{
	int *ends = worker->sockets[pick(&worker->random, SOCKETS)];

	if (!worker->listener)
		worker->listener = listen_anywhere();
	if (!ends[0]) {
		count(CHOOSE, choose(worker, worker->listener));
		open_connection(worker, CONNECT, worker->listener, ends);
		return;
	}
	switch (pick(&worker->random, 4)) {
	case 0:
		count(SWITCH, choose(worker, ends[pick(&worker->random, 2)]));
		return;
	case 1:
		transfer(ends);
		return;
	default:
		hang_up(ends);
	}
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &ifr))
		fail("loopback of a namespace: %s", strerror(errno));
	close(sock);
}

static long write_default(const char *name)
{
	int fd = open(TCP_SYSCTL "congestion_control", O_WRONLY | O_CLOEXEC);
	long ret;
	int err;

	if (fd < 0)
		return fd;
	ret = write(fd, name, strlen(name));
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

/* A namespace goes with the next one, or with its last socket. */
static void live_apart(struct worker *worker)
{
	int listener, i, *ends;
	char name[16];

	if (!count(NETNS, unshare(CLONE_NEWNET)))
		return;
	loopback_up();
	for (i = 0; i < 4; i++) {
		name_of(pick(&worker->random, NAMES), name);
		count(NETNS_DEFAULT, write_default(name));
	}
	listener = listen_anywhere();
	ends = worker->sockets[pick(&worker->random, SOCKETS)];
	hang_up(ends);
	if (!open_connection(worker, NETNS_CONNECT, listener, ends))
		transfer(ends);
	close(listener);
	if (setns(worker->home, CLONE_NEWNET))
		err(1, "back to the first namespace");
}

enum { XDP, TCX, LINK_KINDS };

static const struct {
	enum bpf_prog_type prog;
	enum bpf_attach_type type;
	int ret;		/* that lets everything pass */
} link_kinds[LINK_KINDS] = {
	[XDP] = { BPF_PROG_TYPE_XDP, BPF_XDP, 2 },
	[TCX] = { BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, -1 },
};

static int link_prog(int kind)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = link_kinds[kind].type);
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = link_kinds[kind].ret },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(link_kinds[kind].prog, "soak_link", "GPL", insns,
			       ARRAY_LEN(insns), &opts);

	if (fd < 0)
		fail("the program of a link cannot be loaded: %s", strerror(errno));
	return fd;
}

/* A link of its own, to the loopback device. */
static int attach(int kind)
{
	int prog = link_prog(kind), fd;

	if (prog < 0)
		return -1;
	fd = bpf_link_create(prog, 1, link_kinds[kind].type, NULL);
	count(ATTACH, fd);
	close(prog);
	return fd;
}

/* An fd of any link to a device, or -1. */
static int some_link(struct worker *worker, struct bpf_link_info *info)
{
	unsigned int id = 0, ids[MODULES_MAX], cnt = 0;
	__u32 len = sizeof(*info);
	int fd;

	while (cnt < MODULES_MAX && !bpf_link_get_next_id(id, &id))
		ids[cnt++] = id;
	if (!cnt)
		return -1;
	fd = bpf_link_get_fd_by_id(ids[pick(&worker->random, cnt)]);
	if (fd < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	if (count(LINK_LOOK, bpf_link_get_info_by_fd(fd, info, &len)) &&
	    (info->type == BPF_LINK_TYPE_XDP || info->type == BPF_LINK_TYPE_TCX))
		return fd;
	close(fd);
	return -1;
}

static int load_links(enum op op, unsigned int nr, const struct bpf_module_link *links,
		      unsigned int cnt, int old)
{
	union bpf_attr attr = {};
	char name[32], log[512] = "";
	int fd;

	snprintf(name, sizeof(name), LINKS_NAME "%u", nr);
	attr.module_load.name = old ? 0 : (uintptr_t)name;
	attr.module_load.flags = old ? BPF_F_MODULE_REPLACE : 0;
	attr.module_load.replace_fd = old;
	attr.module_load.links = (uintptr_t)links;
	attr.module_load.links_cnt = cnt;
	attr.module_load.links_size = sizeof(links[0]);
	attr.module_load.log_buf = (uintptr_t)log;
	attr.module_load.log_size = sizeof(log);
	fd = syscall(__NR_bpf, BPF_MODULE_LOAD, &attr, sizeof(attr));
	count(op, fd);
	if (fd < 0 && !log[0])
		fail("%s: refused without a reason", op_table[op].name);
	return fd;
}

static void load_new_links(struct worker *worker)
{
	struct bpf_module_link links[LINKS_MAX] = {};
	unsigned int cnt = 0;
	int kind, fd;

	for (kind = 0; kind < LINK_KINDS; kind++) {
		fd = attach(kind);
		if (fd >= 0)
			links[cnt++].link_fd = fd;
	}
	if (cnt)
		keep(worker, load_links(LOAD_LINKS, pick(&worker->random, NAMES), links, cnt, 0));
	while (cnt--)
		close(links[cnt].link_fd);
}

/* Switches a link to a program of its own, as its module's successor or by itself. */
static void switch_link(struct worker *worker, int link_fd, const struct bpf_link_info *info)
{
	struct bpf_module_link link = { .link_fd = link_fd };
	int prog = link_prog(info->type == BPF_LINK_TYPE_XDP ? XDP : TCX), fd;

	if (prog < 0)
		return;
	link.prog_fd = prog;
	if (!info->module_id || !pick(&worker->random, 4)) {
		count(LINK_UPDATE, bpf_link_update(link_fd, prog, NULL));
		close(prog);
		return;
	}
	fd = bpf_module_get_fd_by_id(info->module_id);
	if (fd >= 0) {
		keep(worker, load_links(REPLACE_LINKS, 0, &link, 1, fd));
		close(fd);
	}
	close(prog);
}

static void link_up(struct worker *worker)
{
	struct bpf_link_info info = { .type = BPF_LINK_TYPE_TCX };
	struct bpf_module_link link = {};
	int fd;

	if (pick(&worker->random, 2)) {
		load_new_links(worker);
		return;
	}
	/* one of its own is free, until another thread finds it */
	fd = pick(&worker->random, 3) ? some_link(worker, &info) : attach(TCX);
	if (fd < 0)
		return;
	switch (pick(&worker->random, 4)) {
	case 0:
		link.link_fd = fd;
		keep(worker, load_links(ADOPT, NAMES + pick(&worker->random, NAMES), &link, 1, 0));
		break;
	case 1:
		count(LINK_DETACH, bpf_link_detach(fd));
		break;
	default:
		switch_link(worker, fd, &info);
	}
	close(fd);
}

/* A library with a program of its own, or what takes over from @old. */
static int load_funcs(enum op op, unsigned int nr, int old)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_func_info info = { .type_id = func_type };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = func_btf, .func_info = &info,
		    .func_info_cnt = 1, .func_info_rec_size = sizeof(info));
	struct bpf_module_func func = {};
	union bpf_attr attr = {};
	char name[32], log[512] = "";
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_MODULE_FUNC, "soak_add", "GPL", insns, ARRAY_LEN(insns),
			   &opts);
	if (fd < 0) {
		fail("a function cannot be loaded: %s", strerror(errno));
		return -1;
	}
	func.prog_fd = fd;
	snprintf(name, sizeof(name), FUNCS_NAME "%u", nr);
	attr.module_load.name = old ? 0 : (uintptr_t)name;
	attr.module_load.flags = old ? BPF_F_MODULE_REPLACE : 0;
	attr.module_load.replace_fd = old;
	attr.module_load.btf_fd = func_btf;
	attr.module_load.funcs = (uintptr_t)&func;
	attr.module_load.funcs_cnt = 1;
	attr.module_load.funcs_size = sizeof(func);
	attr.module_load.log_buf = (uintptr_t)log;
	attr.module_load.log_size = sizeof(log);
	fd = syscall(__NR_bpf, BPF_MODULE_LOAD, &attr, sizeof(attr));
	count(op, fd);
	if (fd < 0 && !log[0])
		fail("%s: refused without a reason", op_table[op].name);
	close(func.prog_fd);
	return fd;
}

/* An fd of any library, or -1. */
static int some_library(struct worker *worker)
{
	int tries, fd;

	for (tries = 0; tries < 4; tries++) {
		struct bpf_module_info info = {};
		__u32 len = sizeof(info);

		fd = some_module(worker);
		if (fd < 0)
			return -1;
		if (!bpf_module_get_info_by_fd(fd, &info, &len) &&
		    !strncmp(info.name, FUNCS_NAME, strlen(FUNCS_NAME)))
			return fd;
		close(fd);
	}
	return -1;
}

static int load_caller(int library)
{
	const int fds[] = { 0, library };
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 40 },
		{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .off = 1, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "soak_caller", "GPL", insns, ARRAY_LEN(insns),
			       &opts);

	count(CALLER, fd);
	return fd;
}

/* What a caller was linked with is there as long as the caller. */
static void call(int fd)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);

	if (count(CALL, bpf_prog_test_run_opts(fd, &opts)) && opts.retval != 42)
		fail("a function returns %u", opts.retval);
}

static void link_to(struct worker *worker)
{
	int *slot = &worker->callers[pick(&worker->random, PROGS)], fd;

	/* it is soon done, and others want their turn */
	usleep(pick(&worker->random, 4000));
	if (*slot)
		call(*slot);
	if (!pick(&worker->random, 3)) {
		/* few, as one thread in three ends any module, and is to meet ops */
		keep(worker, load_funcs(LOAD_FUNCS, pick(&worker->random, NAMES / 2), 0));
		return;
	}
	if (*slot)
		close(*slot);
	*slot = 0;
	fd = some_library(worker);
	if (fd < 0)
		return;
	if (!pick(&worker->random, 4)) {
		keep(worker, load_funcs(REPLACE_FUNCS, 0, fd));
	} else {
		*slot = load_caller(fd);
		if (*slot < 0)
			*slot = 0;
		else
			call(*slot);
	}
	close(fd);
}

/* What the child does until it is killed. */
static void load_till_killed(struct worker *worker, bool bound)
{
	/* the parent's end is enough; its handles would keep bound modules */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (bound)
		load(LOAD_BOUND, pick(&worker->random, NAMES), 1, BPF_F_MODULE_BOUND, 0);
	for (;;) {
		if (bound)
			pause();
		else if (pick(&worker->random, 2))
			change(worker);
		else if (pick(&worker->random, 2))
			link_up(worker);
		else
			link_to(worker);
	}
}

static void kill_loader(struct worker *worker)
{
	bool bound = pick(&worker->random, 2);
	int status;
	pid_t pid;

	next_random(&worker->random);
	pid = fork();
	if (!pid)
		load_till_killed(worker, bound);
	if (pid < 0)
		err(1, "fork");
	usleep(pick(&worker->random, 60000));
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		fail("a loader ended by itself, status 0x%x", status);
	count(bound ? KILL_HOLDER : KILL, 0);
}

static void let_go(struct worker *worker)
{
	int i;

	for (i = 0; i < SOCKETS; i++)
		hang_up(worker->sockets[i]);
	for (i = 0; i < KEPT; i++) {
		if (worker->kept[i])
			close(worker->kept[i]);
	}
	for (i = 0; i < PROGS; i++) {
		if (worker->callers[i])
			close(worker->callers[i]);
	}
	if (worker->listener)
		close(worker->listener);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!stop)
		worker->step(worker);
	let_go(worker);
	return NULL;
}

/* What must be as before when all is over. */
struct state {
	unsigned int modules, progs, maps, links;
	char available[1024];
};

static unsigned int count_ids(int (*next)(__u32, __u32 *))
{
	__u32 id = 0, cnt = 0;

	while (!next(id, &id))
		cnt++;
	return cnt;
}

static void read_state(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->modules = count_ids(bpf_module_get_next_id);
	state->progs = count_ids(bpf_prog_get_next_id);
	state->maps = count_ids(bpf_map_get_next_id);
	state->links = count_ids(bpf_link_get_next_id);
	read_all(open(TCP_SYSCTL "available_congestion_control", O_RDONLY | O_CLOEXEC),
		 state->available, sizeof(state->available));
}

/* libbpf's probes leave, too, but not at once */
static void read_steady_state(struct state *state)
{
	struct state last;

	read_state(state);
	do {
		last = *state;
		sleep(1);
		read_state(state);
	} while (memcmp(&last, state, sizeof(last)));
}

static void drain_all(void)
{
	unsigned int id = 0, nr;
	char path[64];
	int fd;

	for (nr = 0; nr < NAMES; nr++) {
		snprintf(path, sizeof(path), PIN_DIR "/%u", nr);
		unlink(path);
	}
	while (!bpf_module_get_next_id(id, &id)) {
		fd = bpf_module_get_fd_by_id(id);
		if (fd < 0)
			continue;
		unload(DRAIN, fd);
		close(fd);
	}
}

static void show_left(void)
{
	struct bpf_module_info info;
	unsigned int id = 0;
	__u32 len;
	int fd;

	while (!bpf_module_get_next_id(id, &id)) {
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		fd = bpf_module_get_fd_by_id(id);
		if (fd < 0)
			continue;
		if (!bpf_module_get_info_by_fd(fd, &info, &len))
			printf("soak: left: module %u, %s, state %u, %llu users\n", id, info.name,
			       info.state, info.users);
		close(fd);
	}
}

/* Connections close and memory is freed some time after. */
static void check_settled(const struct state *before)
{
	long long start = monotonic(), spent;
	struct state now;

	do {
		read_state(&now);
		spent = monotonic() - start;
		if (!memcmp(&now, before, sizeof(now))) {
			printf("all is as before, %lld.%lld s after the end\n", spent / 1000,
			       spent % 1000 / 100);
			return;
		}
		usleep(100000);
	} while (spent < SETTLE_SECONDS * 1000LL);
	show_left();
	fail("not as before after %d s: %u modules (before: %u), %u programs (%u), %u maps (%u), "
	     "%u links (%u), congestion controls %s(before: %s)", SETTLE_SECONDS, now.modules,
	     before->modules, now.progs, before->progs, now.maps, before->maps, now.links,
	     before->links, now.available, before->available);
}

static void show_table(void)
{
	int op, err;

	printf("%-26s %10s  refused\n", "operation", "done");
	for (op = 0; op < OPS; op++) {
		printf("%-26s %10llu ", op_table[op].name, tally->done[op]);
		for (err = 0; err < ERRNOS; err++) {
			if (tally->refused[op][err])
				printf(" %s %llu", strerrorname_np(err), tally->refused[op][err]);
		}
		printf("\n");
		if (!tally->done[op])
			fail("%s: never succeeded", op_table[op].name);
	}
}

static __u64 total(void)
{
	__u64 sum = 0;
	int op;

	for (op = 0; op < OPS; op++)
		sum += tally->done[op];
	return sum;
}

static void set_up_funcs(void)
{
	struct btf *btf = btf__new_empty();
	int id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), proto;
	const void *raw;
	__u32 size;

	proto = btf__add_func_proto(btf, id);
	btf__add_func_param(btf, "n", id);
	func_type = btf__add_func(btf, "soak_add", BTF_FUNC_GLOBAL, proto);
	raw = btf__raw_data(btf, &size);
	func_btf = bpf_btf_load(raw, size, NULL);
	if (func_btf < 0)
		err(1, "BTF of a function");
	btf__free(btf);
}

static void set_up(struct bpf_object **iter)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	struct bpf_link *link;
	unsigned int i;
	int fd;

	if (!btf)
		err(1, "BTF of vmlinux");
	find_type(btf, &type, "tcp_congestion_ops");
	if (type.size > VALUE_SIZE)
		errx(1, "struct tcp_congestion_ops has %u bytes", type.size);
	for (i = 0; i < ARRAY_LEN(members); i++)
		find_member(btf, &type, &members[i]);
	find_member(btf, &type, &name_member);
	find_member(btf, &type, &flags_member);
	btf__free(btf);

	*iter = bpf_object__open_file("/objs/bpf_module_iter.bpf.o", NULL);
	if (!*iter || bpf_object__load(*iter))
		errx(1, "/objs/bpf_module_iter.bpf.o cannot be loaded");
	prog = bpf_object__next_program(*iter, NULL);
	link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		err(1, "iterator");
	iter_link = bpf_link__fd(link);

	/* a name that is not there must not start modprobe */
	fd = open("/proc/sys/kernel/modprobe", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "\n", 1) != 1)
		err(1, "/proc/sys/kernel/modprobe");
	close(fd);
	if (mkdir(PIN_DIR, 0700) && errno != EEXIST)
		err(1, PIN_DIR);
	set_up_funcs();
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (tally == MAP_FAILED)
		err(1, "mmap");
}

static void (* const steps[])(struct worker *worker) = {
	change, change, change, look, use, use, live_apart, kill_loader, link_up, link_up, link_to,
	link_to,
};

static void start_workers(struct worker *workers, __u64 *random)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		workers[i].step = steps[i];
		workers[i].random = next_random(random);
		workers[i].home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		errno = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		if (errno)
			err(1, "thread");
	}
}

int main(int argc, char **argv)
{
	static struct worker workers[ARRAY_LEN(steps)];
	long long end, said, now;
	struct bpf_object *iter;
	struct state before;
	__u64 random, seed;
	unsigned int i;

	if (argc < 2 || atoi(argv[1]) < 1)
		errx(1, "usage: soak SECONDS [SEED]");
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (__u64)time(NULL);
	random = seed;
	printf("soak: %s seconds, SEED=%llu\n", argv[1], seed);
	setvbuf(stdout, NULL, _IOLBF, 0);

	set_up(&iter);
	read_steady_state(&before);
	if (before.modules)
		errx(1, "there are modules already; start without any");
	now = monotonic();
	said = now;
	end = now + atoi(argv[1]) * 1000LL;
	start_workers(workers, &random);
	while (now < end) {
		usleep(200000);
		now = monotonic();
		if (now - said < 5000)
			continue;
		said = now;
		printf("%llu operations, %lld s left\n", total(), (end - now) / 1000);
	}
	stop = true;
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		pthread_join(workers[i].thread, NULL);
		close(workers[i].home);
	}
	drain_all();
	rmdir(PIN_DIR);
	check_settled(&before);
	show_table();
	bpf_object__close(iter);
	if (tally->failures) {
		printf("soak: %d failures, SEED=%llu\n", tally->failures, seed);
		return 1;
	}
	return 0;
}
