// SPDX-License-Identifier: GPL-2.0
/* BPF_F_MODULE_REPLACE: a new version takes over in one step, or not at all. */
#include <linux/bpf_module.h>
#include <poll.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

#define BM_REP_OPS	3
#define BM_REP_ROUNDS	50
#define BM_READERS	3

static const char * const op_names[BM_REP_OPS] = { "bm_a", "bm_b", "bm_c" };

/* The old version and the new one, made of different programs, for all users. */
struct pair {
	struct bm_cc old;
	struct bm_cc new;
	int fd;		/* of the old one, which is loaded as "bm_rep" */
};

static bool pair_open(struct pair *p, int ops_cnt)
{
	int i;

	p->fd = -1;
	if (!bm_cc_open(&p->old))
		return false;
	if (!bm_cc_open(&p->new)) {
		bm_cc_close(&p->old);
		return false;
	}
	for (i = 0; i < ops_cnt; i++) {
		bm_cc_add(&p->old, op_names[i]);
		bm_cc_add(&p->new, op_names[i]);
		*(__u32 *)bm_cc_field(&p->old, i, "flags") = BM_NON_RESTRICTED;
		*(__u32 *)bm_cc_field(&p->new, i, "flags") = BM_NON_RESTRICTED;
	}
	p->fd = bm_cc_load(&p->old, "bm_rep");
	ASSERT_OK_FD(p->fd, "load the old one");
	return true;
}

static void pair_close(struct pair *p, int new_fd)
{
	bm_cc_cleanup(&p->new, new_fd);
	bm_cc_cleanup(&p->old, p->fd);
}

static void check_op_states(int fd, int cnt, __u32 state)
{
	struct bpf_module_ops_info ops[BM_REP_OPS];
	int i;

	ASSERT_OK(bm_ops_info(fd, ops, cnt), "info of ops");
	for (i = 0; i < cnt; i++)
		ASSERT_EQ(ops[i].state, state, "state of an op");
}

/* The old one has users, which stay with it until they end. */
static void test_one_op(void)
{
	struct bpf_module_info info;
	int fd, sock, new_sock;
	struct pair p;
	__u32 old_id;

	if (!pair_open(&p, 1))
		return;
	old_id = bm_find("bm_rep");
	sock = bm_socket(AF_INET, "bm_a");
	ASSERT_OK_FD(sock, "socket");
	fd = bm_cc_replace(&p.new, p.fd);
	if (!ASSERT_OK_FD(fd, "replace"))
		goto out;
	ASSERT_OK(bm_info(fd, &info), "info of the new one");
	ASSERT_NEQ(info.id, old_id, "id of the new one");
	ASSERT_STREQ(info.name, "bm_rep", "name of the new one");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state of the new one");
	check_op_states(fd, 1, BPF_MODULE_OPS_REGISTERED);
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GOING, "state of the old one");
	check_op_states(p.fd, 1, BPF_MODULE_OPS_UNREGISTERED);
	ASSERT_EQ(bm_revents(p.fd, 0), 0, "poll while it is going");
	ASSERT_TRUE(bm_listed(old_id), "the old one is listed");

	new_sock = bm_socket(AF_INET, "bm_a");
	ASSERT_OK_FD(new_sock, "new socket");
	ASSERT_EQ(bm_users(fd), 1, "users of the new one");
	ASSERT_EQ(bm_users(p.fd), 1, "users of the old one");
	ASSERT_TRUE(bm_tcp_uses(sock, "bm_a"), "the old user keeps it");
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EBUSY, "unload the new one");
	close(sock);
	ASSERT_EQ(bm_revents(p.fd, BM_WAIT_MS), POLLHUP, "poll when it is gone");
	ASSERT_FALSE(bm_listed(old_id), "the old one is listed");
	close(new_sock);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload the new one");
	ASSERT_FALSE(bm_tcp_has("bm_a"), "registered");
out:
	pair_close(&p, fd);
}

/* Ops are matched by name, in any order. */
static void test_several_ops(void)
{
	int i, fd, sock[BM_REP_OPS];
	struct pair p;

	if (!pair_open(&p, BM_REP_OPS))
		return;
	p.new.ops_cnt = 0;
	for (i = BM_REP_OPS; i-- > 0;)
		bm_cc_add(&p.new, op_names[i]);
	fd = bm_cc_replace(&p.new, p.fd);
	if (!ASSERT_OK_FD(fd, "replace"))
		goto out;
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state of the old one");
	check_op_states(fd, BM_REP_OPS, BPF_MODULE_OPS_REGISTERED);
	for (i = 0; i < BM_REP_OPS; i++) {
		sock[i] = bm_socket(AF_INET6, op_names[i]);
		ASSERT_OK_FD(sock[i], op_names[i]);
	}
	ASSERT_EQ(bm_users(fd), BM_REP_OPS, "users");
	for (i = 0; i < BM_REP_OPS; i++)
		close(sock[i]);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	for (i = 0; i < BM_REP_OPS; i++)
		ASSERT_FALSE(bm_tcp_has(op_names[i]), op_names[i]);
out:
	pair_close(&p, fd);
}

/* The subsystem refuses op @bad: those before it belong to the old module again. */
static void test_rolled_back(int bad)
{
	const char * const log[] = { op_names[bad], "name \"bm_x\", expected", op_names[bad] };
	int i, fd, sock[BM_REP_OPS];
	__u32 id, prog_id;
	struct pair p;

	if (!pair_open(&p, BM_REP_OPS))
		return;
	id = bm_find("bm_rep");
	bm_cc_rename(&p.new, bad, "bm_x");
	fd = bm_cc_replace(&p.new, p.fd);
	ASSERT_EQ(fd, -EINVAL, "replace");
	bm_check_log(&p.new, log, ARRAY_SIZE(log));
	ASSERT_EQ(bm_find("bm_rep"), id, "id of the name");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	check_op_states(p.fd, BM_REP_OPS, BPF_MODULE_OPS_REGISTERED);
	ASSERT_FALSE(bm_tcp_has("bm_x"), "registered");
	for (i = 0; i < BM_REP_OPS; i++) {
		sock[i] = bm_socket(AF_INET, op_names[i]);
		ASSERT_OK_FD(sock[i], op_names[i]);
	}
	ASSERT_EQ(bm_users(p.fd), BM_REP_OPS, "users of the old one");

	/* the refused programs are free at once, and the old one can be replaced */
	bm_cc_rename(&p.new, bad, op_names[bad]);
	fd = bm_cc_replace(&p.new, p.fd);
	ASSERT_OK_FD(fd, "replace without the fault");
	for (i = 0; i < BM_REP_OPS; i++)
		close(sock[i]);
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state of the old one at the end");
	prog_id = bm_prog_id(p.new.prog[0]);
	pair_close(&p, fd);
	ASSERT_TRUE(bm_wait(!bm_prog_exists(prog_id)), "the new one's program is gone");
}

/* The name may be given again, but must be the old one's. */
static void test_same_name(void)
{
	struct bpf_module_info info;
	struct pair p;
	int fd;

	if (!pair_open(&p, 1))
		return;
	fd = bm_cc_load_flags(&p.new, "bm_rep", BPF_F_MODULE_REPLACE, p.fd);
	if (ASSERT_OK_FD(fd, "replace")) {
		ASSERT_OK(bm_info(fd, &info), "info");
		ASSERT_STREQ(info.name, "bm_rep", "name");
		ASSERT_EQ(info.flags, 0, "flags");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_EQ(bm_find("bm_rep"), 0, "listed");
		close(fd);
		/* nobody has the name any more */
		fd = bm_cc_load(&p.old, "bm_rep");
		ASSERT_OK_FD(fd, "load with that name");
	}
	pair_close(&p, fd);
}

/* The new version is itself replaced; a handle stays with its module. */
static void test_chain(void)
{
	int fd, third_fd, by_pin;
	struct bm_cc third;
	struct pair p;

	if (!pair_open(&p, 1))
		return;
	ASSERT_OK(bpf_obj_pin(p.fd, "/sys/fs/bpf/bm_replace"), "pin");
	fd = bm_cc_replace(&p.new, p.fd);
	if (!ASSERT_OK_FD(fd, "replace") || !bm_cc_open(&third))
		goto out;
	bm_cc_add(&third, op_names[0]);
	third_fd = bm_cc_replace(&third, fd);
	ASSERT_OK_FD(third_fd, "replace the new one");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state of the second");
	ASSERT_EQ(bm_state(third_fd), BPF_MODULE_STATE_LIVE, "state of the third");
	by_pin = bpf_obj_get("/sys/fs/bpf/bm_replace");
	ASSERT_EQ(bm_state(by_pin), BPF_MODULE_STATE_GONE, "state through the first's pin");
	close(by_pin);
	bm_cc_cleanup(&third, third_fd);
out:
	unlink("/sys/fs/bpf/bm_replace");
	pair_close(&p, fd);
}

/* A namespace whose default the old one is has the new one for it. */
static void test_namespace_default(void)
{
	int fd = -1, sock;
	struct pair p;

	if (!pair_open(&p, 1))
		return;
	ASSERT_OK(bm_netns_set_default("bm_a"), "default");
	fd = bm_cc_replace(&p.new, p.fd);
	if (!ASSERT_OK_FD(fd, "replace"))
		goto out;
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state of the old one");
	ASSERT_EQ(bm_users(fd), 1, "users of the new one");
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_TRUE(bm_tcp_uses(sock, "bm_a"), "a new socket has the default");
	ASSERT_EQ(bm_users(fd), 2, "users of the new one with a socket");
	close(sock);
	ASSERT_OK(bm_netns_set_default("reno"), "default back");
	ASSERT_EQ(bm_users(fd), 0, "users of the new one at the end");
out:
	pair_close(&p, fd);
}

struct reader {
	pthread_t thread;
	int cnt;
	int err;
};

static int stop;

/* Without CAP_NET_ADMIN the kernel does not call modprobe for a name. */
static void *read_subsystem(void *arg)
{
	struct reader *reader = arg;
	int fd;

	reader->err = cap_disable_effective(1ULL << CAP_NET_ADMIN, NULL);
	while (!reader->err && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		fd = bm_socket(AF_INET, "bm_a");
		if (fd < 0)
			reader->err = fd;
		else if (!bm_tcp_uses(fd, "bm_a"))
			reader->err = -ESTALE;
		close(fd);
		reader->cnt++;
	}
	return NULL;
}

/* Replaces @p's old one, and waits until its programs can be used again. */
static bool replace_once(struct pair *p, int i)
{
	int fd = bm_cc_replace(i % 2 ? &p->old : &p->new, p->fd);

	if (CHECK_FAIL(fd < 0))
		return false;
	CHECK_FAIL(bm_revents(p->fd, BM_WAIT_MS) != POLLHUP);
	close(p->fd);
	p->fd = fd;
	return true;
}

/* At any moment either the old one or the new one can be found. */
static void test_readers(void)
{
	struct reader readers[BM_READERS] = {};
	struct pair p;
	int i, r;

	if (!pair_open(&p, 1))
		return;
	__atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
	for (r = 0; r < BM_READERS; r++)
		CHECK_FAIL(pthread_create(&readers[r].thread, NULL, read_subsystem, &readers[r]));
	for (i = 0; i < BM_REP_ROUNDS; i++)
		if (!replace_once(&p, i))
			break;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(i, BM_REP_ROUNDS, "replacements");
	for (r = 0; r < BM_READERS; r++) {
		pthread_join(readers[r].thread, NULL);
		ASSERT_OK(readers[r].err, "reader's error");
		ASSERT_GT(readers[r].cnt, 0, "times that a reader found it");
	}
	ASSERT_OK(bpf_module_unload(p.fd, NULL), "unload the last one");
	pair_close(&p, -1);
}

struct racer {
	pthread_t thread;
	struct bm_cc cc;
	int old_fd;
	int fd;
};

static void *replace_one(void *arg)
{
	struct racer *racer = arg;

	racer->fd = bm_cc_replace(&racer->cc, racer->old_fd);
	return NULL;
}

/* If two replace one module, one wins. */
static void test_two_at_once(void)
{
	static struct racer racers[2];
	struct pair p;
	int i, won = 0;

	if (!pair_open(&p, 1))
		return;
	for (i = 0; i < 2; i++) {
		racers[i].old_fd = p.fd;
		if (CHECK_FAIL(!bm_cc_open(&racers[i].cc)))
			return;
		bm_cc_add(&racers[i].cc, op_names[0]);
	}
	for (i = 0; i < 2; i++)
		CHECK_FAIL(pthread_create(&racers[i].thread, NULL, replace_one, &racers[i]));
	for (i = 0; i < 2; i++) {
		pthread_join(racers[i].thread, NULL);
		won += racers[i].fd >= 0;
		if (racers[i].fd < 0)
			ASSERT_TRUE(racers[i].fd == -EINPROGRESS || racers[i].fd == -ENOENT,
				    "the loser's error");
	}
	ASSERT_EQ(won, 1, "winners");
	ASSERT_EQ(bm_state(p.fd), BPF_MODULE_STATE_GONE, "state of the old one");
	for (i = 0; i < 2; i++)
		bm_cc_cleanup(&racers[i].cc, racers[i].fd);
	ASSERT_FALSE(bm_tcp_has("bm_a"), "registered");
	pair_close(&p, -1);
}

void serial_test_bpf_module_replace(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("one_op"))
		test_one_op();
	if (test__start_subtest("several_ops"))
		test_several_ops();
	if (test__start_subtest("rolled_back_first"))
		test_rolled_back(0);
	if (test__start_subtest("rolled_back_second"))
		test_rolled_back(1);
	if (test__start_subtest("rolled_back_last"))
		test_rolled_back(2);
	if (test__start_subtest("same_name"))
		test_same_name();
	if (test__start_subtest("chain"))
		test_chain();
	if (test__start_subtest("namespace_default"))
		test_namespace_default();
	if (test__start_subtest("readers"))
		test_readers();
	if (test__start_subtest("two_at_once"))
		test_two_at_once();
	bm_netns_leave(netns);
}
