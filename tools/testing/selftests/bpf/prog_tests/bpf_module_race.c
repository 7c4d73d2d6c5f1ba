// SPDX-License-Identifier: GPL-2.0
/* Loads, unloads and users that come and go at the same time. */
#include <linux/bpf_module.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

#define BM_USERS	3
#define BM_ROUNDS	100
#define BM_LOADERS	4

static int stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void set_stop(int val)
{
	__atomic_store_n(&stop, val, __ATOMIC_RELAXED);
}

struct user {
	pthread_t thread;
	const char *name;	/* congestion control to use */
	bool keep;		/* stop at the first success */
	int sock;
	int cnt;
	int err;		/* an errno that no user must see */
};

/*
 * Becomes a user of user->name over and over. It may be told that the name does not
 * exist, or is about to go, but once it is a user nobody takes that away. Without
 * CAP_NET_ADMIN the kernel does not call modprobe for it.
 */
static void *use(void *arg)
{
	struct user *user = arg;
	int err;

	user->sock = -1;
	user->err = cap_disable_effective(1ULL << CAP_NET_ADMIN, NULL);
	while (!user->err && !stopped()) {
		user->sock = socket(AF_INET, SOCK_STREAM, 0);
		err = bm_tcp_set(user->sock, user->name);
		if (!err) {
			user->cnt++;
			if (!bm_tcp_uses(user->sock, user->name))
				user->err = -ESTALE;
			if (user->keep)
				return NULL;
		} else if (err != -ENOENT && err != -EBUSY) {
			user->err = err;
		}
		close(user->sock);
		user->sock = -1;
	}
	return NULL;
}

static bool users_start(struct user *users, bool keep)
{
	int i;

	set_stop(0);
	for (i = 0; i < BM_USERS; i++) {
		memset(&users[i], 0, sizeof(users[i]));
		users[i].name = "bm_race";
		users[i].keep = keep;
		if (!ASSERT_OK(pthread_create(&users[i].thread, NULL, use, &users[i]), "thread"))
			break;
	}
	if (i == BM_USERS)
		return true;
	set_stop(1);
	while (i--)
		pthread_join(users[i].thread, NULL);
	return false;
}

/* Returns how often they were users. */
static int users_join(struct user *users)
{
	int i, cnt = 0;

	for (i = 0; i < BM_USERS; i++) {
		pthread_join(users[i].thread, NULL);
		ASSERT_OK(users[i].err, "user's error");
		cnt += users[i].cnt;
	}
	return cnt;
}

static int load(struct bm_cc *cc)
{
	cc->ops_cnt = 0;
	bm_cc_add(cc, "bm_race");
	*(__u32 *)bm_cc_field(cc, 0, "flags") = BM_NON_RESTRICTED;
	return bm_cc_load(cc, "bm_race");
}

/* Either the user is there, and UNLOAD returns EBUSY, or the user comes too late. */
static void test_unload_or_use(void)
{
	struct user users[BM_USERS];
	int i, fd, err, cnt, busy = 0;
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return;
	if (!users_start(users, false))
		goto out;
	for (i = 0; i < BM_ROUNDS; i++) {
		fd = load(&cc);
		if (CHECK_FAIL(fd < 0))
			break;
		/* every other time they start before the race begins */
		if (i % 2)
			CHECK_FAIL(!bm_wait(bm_users(fd)));
		do {
			err = bpf_module_unload(fd, NULL);
			busy += err == -EBUSY;
		} while (err == -EBUSY);
		CHECK_FAIL(err);
		CHECK_FAIL(bm_state(fd) != BPF_MODULE_STATE_GONE);
		close(fd);
	}
	set_stop(1);
	cnt = users_join(users);
	printf("users %d times, unload busy %d times\n", cnt, busy);
	ASSERT_EQ(i, BM_ROUNDS, "rounds");
	ASSERT_GT(cnt, 0, "users");
	ASSERT_FALSE(bm_tcp_has("bm_race"), "registered");
	ASSERT_EQ(bm_find("bm_race"), 0, "listed");
out:
	bm_cc_close(&cc);
}

/* Every user that got in is counted until it closes; then all are gone. */
static void test_drain_or_use(void)
{
	struct user users[BM_USERS];
	int i, u, fd, cnt, err, total = 0;
	__u32 prog_id, id;
	struct bm_cc cc;

	for (i = 0; i < BM_ROUNDS / 4; i++) {
		if (!bm_cc_open(&cc))
			return;
		prog_id = bm_prog_id(cc.prog[0]);
		if (!users_start(users, true))
			goto out;
		fd = load(&cc);
		id = bm_find("bm_race");
		/* every other time the race is about the second user */
		if (i % 2)
			CHECK_FAIL(!bm_wait(bm_users(fd)));
		err = bm_drain(fd);
		set_stop(1);
		/* one for each that got in */
		cnt = users_join(users);
		if (!ASSERT_OK(err, "drain"))
			goto out;
		CHECK_FAIL(bm_users(fd) != cnt);
		total += cnt;
		for (u = 0; u < BM_USERS; u++)
			if (users[u].sock >= 0)
				close(users[u].sock);
		CHECK_FAIL(!bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE));
		CHECK_FAIL(bm_listed(id));
		close(fd);
		bm_cc_close(&cc);
		CHECK_FAIL(!bm_wait(!bm_prog_exists(prog_id)));
	}
	printf("%d users got in before the drain\n", total);
	ASSERT_FALSE(bm_tcp_has("bm_race"), "registered");
	return;
out:
	bm_cc_close(&cc);
}

struct loader {
	pthread_t thread;
	pthread_barrier_t *barrier;
	const char *name;	/* of the module */
	struct bm_cc cc;
	int fd;
};

static void *load_one(void *arg)
{
	struct loader *loader = arg;

	pthread_barrier_wait(loader->barrier);
	loader->fd = bm_cc_load(&loader->cc, loader->name);
	return NULL;
}

/* If one name is loaded concurrently, exactly one wins, the others get EEXIST. */
static void test_same_name(const char *op_names[BM_LOADERS])
{
	static struct loader loaders[BM_LOADERS];
	pthread_barrier_t barrier;
	int i, round, won;

	memset(loaders, 0, sizeof(loaders));
	pthread_barrier_init(&barrier, NULL, BM_LOADERS);
	for (i = 0; i < BM_LOADERS; i++) {
		loaders[i].barrier = &barrier;
		loaders[i].name = "bm_race";
		if (!bm_cc_open(&loaders[i].cc))
			goto out;
		bm_cc_add(&loaders[i].cc, op_names[i]);
	}
	for (round = 0; round < BM_ROUNDS / 4; round++) {
		for (i = 0; i < BM_LOADERS; i++)
			CHECK_FAIL(pthread_create(&loaders[i].thread, NULL, load_one, &loaders[i]));
		for (i = 0, won = 0; i < BM_LOADERS; i++) {
			pthread_join(loaders[i].thread, NULL);
			won += loaders[i].fd >= 0;
			CHECK_FAIL(loaders[i].fd < 0 && loaders[i].fd != -EEXIST);
		}
		if (!ASSERT_EQ(won, 1, "winners"))
			break;
		for (i = 0; i < BM_LOADERS; i++) {
			if (loaders[i].fd < 0)
				continue;
			CHECK_FAIL(bpf_module_unload(loaders[i].fd, NULL));
			close(loaders[i].fd);
		}
	}
	ASSERT_EQ(bm_find("bm_race"), 0, "listed");
	for (i = 0; i < BM_LOADERS; i++)
		ASSERT_FALSE(bm_tcp_has(op_names[i]), "registered");
out:
	while (i--)
		bm_cc_close(&loaders[i].cc);
	pthread_barrier_destroy(&barrier);
}

/* If one program is loaded concurrently, exactly one wins, the others get EBUSY. */
static void test_same_progs(void)
{
	static const char * const names[BM_LOADERS] = { "bm_r0", "bm_r1", "bm_r2", "bm_r3" };
	static struct loader loaders[BM_LOADERS];
	pthread_barrier_t barrier;
	struct bm_cc cc;
	int i, won = 0;

	if (!bm_cc_open(&cc))
		return;
	pthread_barrier_init(&barrier, NULL, BM_LOADERS);
	for (i = 0; i < BM_LOADERS; i++) {
		loaders[i].barrier = &barrier;
		loaders[i].name = names[i];
		loaders[i].cc = cc;
		bm_cc_add(&loaders[i].cc, names[i]);
		loaders[i].cc.ops[0].value = ptr_to_u64(loaders[i].cc.value[0]);
	}
	for (i = 0; i < BM_LOADERS; i++)
		CHECK_FAIL(pthread_create(&loaders[i].thread, NULL, load_one, &loaders[i]));
	for (i = 0; i < BM_LOADERS; i++) {
		pthread_join(loaders[i].thread, NULL);
		ASSERT_TRUE(loaders[i].fd >= 0 || loaders[i].fd == -EBUSY, "load");
		won += loaders[i].fd >= 0;
	}
	for (i = 0; i < BM_LOADERS; i++) {
		if (loaders[i].fd < 0)
			continue;
		bm_drain(loaders[i].fd);
		close(loaders[i].fd);
	}
	ASSERT_EQ(won, 1, "winners");
	pthread_barrier_destroy(&barrier);
	bm_cc_close(&cc);
}

static void *unload_one(void *arg)
{
	struct loader *loader = arg;

	pthread_barrier_wait(loader->barrier);
	loader->fd = bpf_module_unload(loader->fd, NULL);
	return NULL;
}

/* If a module is unloaded concurrently, exactly one succeeds. */
static void test_unloads(void)
{
	static struct loader loaders[BM_LOADERS];
	pthread_barrier_t barrier;
	struct bm_cc cc;
	int fd, i, round, won;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_race");
	pthread_barrier_init(&barrier, NULL, BM_LOADERS);
	for (round = 0; round < BM_ROUNDS / 4; round++) {
		fd = bm_cc_load(&cc, "bm_race");
		if (!ASSERT_OK_FD(fd, "load"))
			break;
		for (i = 0; i < BM_LOADERS; i++) {
			loaders[i].barrier = &barrier;
			loaders[i].fd = fd;
			CHECK_FAIL(pthread_create(&loaders[i].thread, NULL, unload_one,
						  &loaders[i]));
		}
		for (i = 0, won = 0; i < BM_LOADERS; i++) {
			pthread_join(loaders[i].thread, NULL);
			won += !loaders[i].fd;
			CHECK_FAIL(loaders[i].fd && loaders[i].fd != -ENOENT &&
				   loaders[i].fd != -EINPROGRESS);
		}
		ASSERT_EQ(won, 1, "winners");
		close(fd);
	}
	ASSERT_EQ(bm_find("bm_race"), 0, "listed");
	pthread_barrier_destroy(&barrier);
	bm_cc_close(&cc);
}

struct looker {
	pthread_t thread;
	const char *name;
	int seen;
};

/* Counts how often a module called looker->name is listed. */
static void *look(void *arg)
{
	struct looker *looker = arg;
	struct bpf_module_info info;
	__u32 id;

	while (!stopped()) {
		id = 0;
		while (!bpf_module_get_next_id(id, &id)) {
			int fd = bpf_module_get_fd_by_id(id);

			if (fd < 0)
				continue;
			if (!bm_info(fd, &info) && !strcmp(info.name, looker->name))
				looker->seen++;
			close(fd);
		}
	}
	return NULL;
}

static void lookers_start(struct looker *lookers, const char *name)
{
	int i;

	set_stop(0);
	for (i = 0; i < BM_USERS; i++) {
		lookers[i].name = name;
		lookers[i].seen = 0;
		CHECK_FAIL(pthread_create(&lookers[i].thread, NULL, look, &lookers[i]));
	}
}

/* Returns how often they saw it. */
static int lookers_join(struct looker *lookers)
{
	int i, seen = 0;

	set_stop(1);
	for (i = 0; i < BM_USERS; i++) {
		pthread_join(lookers[i].thread, NULL);
		seen += lookers[i].seen;
	}
	return seen;
}

/* Listing modules while they come and go keeps none of them. */
static void test_look(void)
{
	struct looker lookers[BM_USERS];
	struct bm_cc cc;
	__u32 prog_id;
	int i, fd;

	if (!bm_cc_open(&cc))
		return;
	prog_id = bm_prog_id(cc.prog[0]);
	lookers_start(lookers, "bm_race");
	for (i = 0; i < BM_ROUNDS; i++) {
		fd = load(&cc);
		if (CHECK_FAIL(fd < 0))
			break;
		CHECK_FAIL(bpf_module_unload(fd, NULL));
		close(fd);
	}
	printf("seen %d times\n", lookers_join(lookers));
	ASSERT_EQ(bm_find("bm_race"), 0, "listed");
	bm_cc_close(&cc);
	ASSERT_TRUE(bm_wait(!bm_prog_exists(prog_id)), "program is gone");
}

/* A module whose second op is refused is never listed, not even for a moment. */
static void test_never_listed(void)
{
	struct looker lookers[BM_USERS];
	struct bm_cc cc;
	int i;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_never");
	bm_cc_add(&cc, "reno");
	lookers_start(lookers, "bm_never");
	for (i = 0; i < BM_ROUNDS; i++)
		CHECK_FAIL(bm_cc_load(&cc, "bm_never") != -EEXIST);
	ASSERT_EQ(lookers_join(lookers), 0, "seen");
	bm_cc_close(&cc);
}

void serial_test_bpf_module_race(void)
{
	static const char *same[BM_LOADERS] = { "bm_r", "bm_r", "bm_r", "bm_r" };
	static const char *other[BM_LOADERS] = { "bm_r0", "bm_r1", "bm_r2", "bm_r3" };
	int netns = bm_netns_enter();

	if (test__start_subtest("unload_or_use"))
		test_unload_or_use();
	if (test__start_subtest("drain_or_use"))
		test_drain_or_use();
	if (test__start_subtest("same_name"))
		test_same_name(other);
	if (test__start_subtest("same_name_and_op"))
		test_same_name(same);
	if (test__start_subtest("same_progs"))
		test_same_progs();
	if (test__start_subtest("unloads"))
		test_unloads();
	if (test__start_subtest("look"))
		test_look();
	if (test__start_subtest("never_listed"))
		test_never_listed();
	bm_netns_leave(netns);
}
