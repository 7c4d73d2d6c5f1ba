// SPDX-License-Identifier: GPL-2.0
/*
 * A loaded module needs no handle: timers, work queues and tail calls of its programs
 * go on without its loader, as long as the module exists. What has no fd and no
 * module ends.
 */
#include <linux/bpf_module.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_keep.skel.h"

#define BM_IDS 8

/* A module whose init is @init, a program of an object. */
static int load(struct bm_cc *cc, struct bpf_program *init, const char *name, bool refused)
{
	if (!bm_cc_open(cc))
		return -1;
	cc->prog[BM_INIT] = dup(bpf_program__fd(init));
	bm_cc_add(cc, name);
	if (refused)
		bm_cc_add(cc, "reno");
	return bm_cc_load(cc, name);
}

/* A connection to @listener by the congestion control @name, which calls its init. */
static bool connect_by(int listener, const char *name)
{
	struct linger reset = { .l_onoff = 1 };
	int sock = bm_connect(listener, name);
	bool ok;

	if (sock < 0)
		return false;
	/* a closed socket is no user from now on */
	ok = !setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(sock);
	return ok;
}

/* The maps and programs of a module, by id, and the counters' map by fd. */
struct maps {
	__u32 id[BM_IDS];
	__u32 cnt;
	__u32 prog_id[BM_IDS];
	__u32 prog_cnt;
	int counts_fd;
};

/* Without an fd: closing the only one of a program array would empty it. */
static bool map_exists(__u32 id)
{
	__u32 next;

	return !bpf_map_get_next_id(id - 1, &next) && next == id;
}

/* But for that of the counters. */
static bool maps_gone(const struct maps *maps)
{
	int i, left = 0;

	for (i = 0; i < maps->cnt; i++)
		left += map_exists(maps->id[i]);
	return left == 1;
}

/* The fd of the map called @name, or whose name ends so, -1 if there is none. */
static int open_map(const struct maps *maps, const char *name)
{
	int i;

	for (i = 0; i < maps->cnt; i++) {
		int fd = bpf_map_get_fd_by_id(maps->id[i]);
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);

		if (fd < 0)
			continue;
		if (!bpf_map_get_info_by_fd(fd, &info, &len) &&
		    strlen(info.name) >= strlen(name) &&
		    !strcmp(info.name + strlen(info.name) - strlen(name), name))
			return fd;
		close(fd);
	}
	return -1;
}

static bool maps_open(struct maps *maps, int module_fd)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);

	info.map_ids = ptr_to_u64(maps->id);
	info.map_cnt = BM_IDS;
	info.prog_ids = ptr_to_u64(maps->prog_id);
	info.prog_cnt = BM_IDS;
	maps->counts_fd = -1;
	if (!ASSERT_OK(bpf_module_get_info_by_fd(module_fd, &info, &len), "info") ||
	    !ASSERT_EQ(info.map_cnt, 4, "maps") ||
	    !ASSERT_EQ(info.prog_cnt, BM_CC_REQUIRED + 1, "programs"))
		return false;
	maps->cnt = info.map_cnt;
	maps->prog_cnt = info.prog_cnt;
	maps->counts_fd = open_map(maps, ".bss");
	return ASSERT_OK_FD(maps->counts_fd, "map of the counters");
}

static struct bpf_module_keep__bss counts(const struct maps *maps)
{
	struct bpf_module_keep__bss val = {};
	__u32 zero = 0;

	CHECK_FAIL(bpf_map_lookup_elem(maps->counts_fd, &zero, &val));
	return val;
}

static bool ticks(const struct maps *maps, int entry)
{
	int before = counts(maps).ticks[entry];

	return bm_wait(counts(maps).ticks[entry] != before);
}

static bool works(const struct maps *maps, int entry)
{
	int before = counts(maps).works[entry];

	return bm_wait(counts(maps).works[entry] != before);
}

static bool progs_gone(const struct maps *maps)
{
	int i;

	for (i = 0; i < maps->prog_cnt; i++)
		if (bm_prog_exists(maps->prog_id[i]))
			return false;
	return true;
}

/* Nothing counts once the maps are gone. */
static void check_end(struct maps *maps)
{
	struct bpf_module_keep__bss before, after;

	ASSERT_TRUE(bm_wait(maps_gone(maps)), "maps are gone");
	before = counts(maps);
	usleep(20000);
	after = counts(maps);
	ASSERT_OK(memcmp(&before, &after, sizeof(before)), "counters stand still");
	close(maps->counts_fd);
	ASSERT_TRUE(bm_wait(progs_gone(maps)), "programs are gone");
}

/* Arms what the first connection arms, and leaves only the module. */
static int loader(int listener, int ready)
{
	struct bpf_module_keep *skel = bpf_module_keep__open_and_load();
	struct bm_cc cc;

	if (!skel || load(&cc, skel->progs.keep_init, "bm_keep", false) < 0 ||
	    !connect_by(listener, "bm_keep") || write(ready, "", 1) != 1)
		return 1;
	return 0;
}

/* The loader is gone: the next connection finds everything that the first one did. */
static void check_kept(struct maps *maps, int listener)
{
	ASSERT_EQ(counts(maps).tails, 1, "tail calls before");
	ASSERT_TRUE(ticks(maps, 0), "the timer ticks");
	ASSERT_TRUE(works(maps, 0), "the work queue runs");
	ASSERT_TRUE(connect_by(listener, "bm_keep"), "connect");
	ASSERT_EQ(counts(maps).inits, 2, "calls of init");
	ASSERT_EQ(counts(maps).tails, 2, "tail calls");
	ASSERT_OK(counts(maps).arm_err, "error of timer and work queue");
	ASSERT_TRUE(ticks(maps, 1), "the new timer ticks");
	ASSERT_TRUE(works(maps, 1), "the new work queue runs");
}

/* The loader ends, by itself or by a signal. */
static void test_loader_ends(bool killed)
{
	int ready[2], listener, status, fd;
	struct maps maps;
	pid_t child;
	char c;

	listener = bm_listen(AF_INET, "reno");
	if (!ASSERT_OK_FD(listener, "listen") || !ASSERT_OK(pipe(ready), "pipe"))
		return;
	fflush(stdout);
	child = fork();
	if (!child) {
		status = loader(listener, ready[1]);
		while (killed && !status)
			pause();
		_exit(status);
	}
	close(ready[1]);
	if (!ASSERT_GT(child, 0, "fork"))
		goto out;
	ASSERT_EQ(read(ready[0], &c, 1), 1, "the child has loaded");
	if (killed)
		kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, killed ? SIGKILL : 0, "status of the child");

	fd = bpf_module_get_fd_by_id(bm_find("bm_keep"));
	if (ASSERT_OK_FD(fd, "module") && maps_open(&maps, fd)) {
		check_kept(&maps, listener);
		ASSERT_TRUE(bm_wait(!bm_users(fd)), "users");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		check_end(&maps);
	}
	bm_drain(fd);
	close(fd);
out:
	close(ready[0]);
	close(listener);
}

static void test_exit(void)
{
	test_loader_ends(false);
}

static void test_killed(void)
{
	test_loader_ends(true);
}

/* While a drained module has a user, that user has everything of it. */
static void test_drained(void)
{
	struct bpf_module_keep *skel = bpf_module_keep__open_and_load();
	int fd, listener, user = -1;
	struct maps maps;
	struct bm_cc cc;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	listener = bm_listen(AF_INET, "reno");
	ASSERT_OK_FD(listener, "listen");
	fd = load(&cc, skel->progs.keep_init, "bm_keep", false);
	bpf_module_keep__destroy(skel);
	if (ASSERT_OK_FD(fd, "load") && maps_open(&maps, fd)) {
		bm_cc_close_progs(&cc);
		user = bm_socket(AF_INET, "bm_keep");
		ASSERT_OK_FD(user, "user");
		ASSERT_OK(bm_drain(fd), "drain");
		ASSERT_OK(connect_fd_to_fd(user, listener, 0), "connect");
		ASSERT_EQ(counts(&maps).tails, 1, "tail calls");
		ASSERT_TRUE(ticks(&maps, 0), "the timer ticks");
		ASSERT_TRUE(works(&maps, 0), "the work queue runs");
		close(user);
		check_end(&maps);
	}
	close(listener);
	bm_cc_cleanup(&cc, fd);
}

/* Maps that two modules share stay until both are gone. */
static void test_shared(void)
{
	struct bpf_module_keep *skel = bpf_module_keep__open_and_load();
	int fd[2] = { -1, -1 }, listener;
	struct bm_cc cc[2];
	struct maps maps;
	__u32 prog_id;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	listener = bm_listen(AF_INET, "reno");
	ASSERT_OK_FD(listener, "listen");
	fd[0] = load(&cc[0], skel->progs.keep_init, "bm_keep", false);
	fd[1] = load(&cc[1], skel->progs.other_init, "bm_other", false);
	bpf_module_keep__destroy(skel);
	if (!ASSERT_OK_FD(fd[0], "load") || !ASSERT_OK_FD(fd[1], "load another") ||
	    !maps_open(&maps, fd[0]))
		goto out;
	prog_id = bm_prog_id(cc[0].prog[BM_SSTHRESH]);
	bm_cc_close_progs(&cc[0]);
	bm_cc_close_progs(&cc[1]);
	ASSERT_TRUE(connect_by(listener, "bm_keep"), "connect by the first");
	ASSERT_TRUE(bm_wait(!bm_users(fd[0])), "users of the first");
	ASSERT_OK(bpf_module_unload(fd[0], NULL), "unload the first");
	/* its programs go after its maps; init stays for its timer */
	ASSERT_TRUE(bm_wait(!bm_prog_exists(prog_id)), "the first is freed");

	ASSERT_TRUE(ticks(&maps, 0), "the first one's timer ticks");
	ASSERT_TRUE(connect_by(listener, "bm_other"), "connect by the second");
	ASSERT_EQ(counts(&maps).tails, 2, "tail calls");
	ASSERT_TRUE(ticks(&maps, 1), "the second one's timer ticks");
	ASSERT_TRUE(works(&maps, 1), "the second one's work queue runs");
	ASSERT_TRUE(bm_wait(!bm_users(fd[1])), "users of the second");
	ASSERT_OK(bpf_module_unload(fd[1], NULL), "unload the second");
	check_end(&maps);
out:
	close(listener);
	bm_cc_cleanup(&cc[0], fd[0]);
	bm_cc_cleanup(&cc[1], fd[1]);
}

/* A refused load keeps nothing: without an fd a program array is emptied. */
static void test_refused(void)
{
	struct bpf_module_keep *skel = bpf_module_keep__open_and_load();
	struct bpf_map_info info = {};
	__u32 tail_id, len = sizeof(info);
	struct bm_cc cc;
	int fd;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	ASSERT_OK(bpf_map_get_info_by_fd(bpf_map__fd(skel->maps.bm_jumps), &info, &len), "map");
	tail_id = bm_prog_id(bpf_program__fd(skel->progs.keep_tail));
	fd = load(&cc, skel->progs.keep_init, "bm_keep", true);
	ASSERT_EQ(fd, -EEXIST, "load");
	ASSERT_TRUE(bm_prog_exists(tail_id), "target of a jump");
	bpf_module_keep__destroy(skel);
	/* the program that tail-calls, which is still open, has the map */
	ASSERT_TRUE(bm_wait(!bm_prog_exists(tail_id)), "the target is gone");
	ASSERT_TRUE(map_exists(info.id), "map of jumps");

	cc.ops_cnt = 1;
	fd = bm_cc_load(&cc, "bm_keep");
	ASSERT_OK_FD(fd, "load with the programs alone");
	bm_cc_cleanup(&cc, fd);
	ASSERT_TRUE(bm_wait(!map_exists(info.id)), "map is gone");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "loader_exits", test_exit },
	{ "loader_killed", test_killed },
	{ "drained", test_drained },
	{ "shared", test_shared },
	{ "refused", test_refused },
};

void serial_test_bpf_module_keep(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	bm_netns_leave(netns);
}
