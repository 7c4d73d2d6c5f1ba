// SPDX-License-Identifier: GPL-2.0
/*
 * A program belongs to a module or to struct_ops maps, never both; and what a map
 * reports while its updates are refused.
 */
#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

/* A congestion control for a struct_ops map. */
struct st_map {
	struct bm_type type;	/* of the value, which has the ops struct in it */
	int fd;
	char value[BM_VALUE_SIZE] __aligned(8);
};

static void map_close(struct st_map *map)
{
	if (map->fd >= 0)
		close(map->fd);
	map->fd = -1;
	bm_type_close(&map->type);
}

static bool map_open(struct st_map *map, bool link)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = link ? BPF_F_LINK : 0);
	struct btf *btf;

	map->fd = -1;
	if (!bm_type_open(&map->type, NULL, "bpf_struct_ops_tcp_congestion_ops"))
		return false;
	opts.btf_vmlinux_value_type_id = map->type.id;
	/* the kernel wants BTF of an object, too, whatever its contents */
	btf = btf__new_empty();
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	ASSERT_OK(btf__load_into_kernel(btf), "load btf");
	opts.btf_fd = btf__fd(btf);
	map->fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "bm_map", 4, map->type.size, 1, &opts);
	btf__free(btf);
	if (ASSERT_OK_FD(map->fd, "map"))
		return true;
	bm_type_close(&map->type);
	return false;
}

/* Gives @map the programs of op @i of @cc; a BPF_F_LINK one is not registered by that. */
static int map_update(struct st_map *map, struct bm_cc *cc, int i)
{
	__u32 zero = 0;

	memset(map->value, 0, sizeof(map->value));
	memcpy(bm_field(&map->type, map->value, "data"), cc->value[i], cc->type.size);
	return bpf_map_update_elem(map->fd, &zero, map->value, 0);
}

/* Loads and unloads the first op of @cc. */
static int load_unload(struct bm_cc *cc)
{
	int err, fd;

	cc->ops_cnt = 1;
	fd = bm_cc_load(cc, "bm_claim");
	if (fd < 0)
		return fd;
	err = bpf_module_unload(fd, NULL);
	close(fd);
	return err;
}

static void check_load_refused(struct bm_cc *cc)
{
	const char *first = bm_cc_member[bm_cc_first(cc)], *log[4];
	char member[32], program[32];

	snprintf(member, sizeof(member), "member %s", first);
	snprintf(program, sizeof(program), "program %s", first);
	log[0] = "op bm_claim";
	log[1] = member;
	log[2] = program;
	log[3] = "is used by a struct_ops map";
	ASSERT_EQ(load_unload(cc), -EBUSY, "load");
	bm_check_log(cc, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_claim"), "registered");
}

/* A map frees its programs some time after its last handle is closed. */
static void check_load_later(struct bm_cc *cc)
{
	int err;

	ASSERT_TRUE(bm_wait((err = load_unload(cc)) != -EBUSY), "the programs are free");
	ASSERT_OK(err, "load and unload");
}

static void test_map_refuses(struct bm_cc *cc, struct st_map *map)
{
	int sock, fd = bm_cc_load(cc, "bm_claim");

	if (!ASSERT_OK_FD(fd, "load"))
		return;
	ASSERT_EQ(map_update(map, cc, 0), -EBUSY, "update with a module's programs");
	sock = bm_socket(AF_INET, "bm_claim");
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(map_update(map, cc, 0), -EBUSY, "update while the module has a user");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "state");
	ASSERT_OK(map_update(map, cc, 0), "update with the same programs");
	close(fd);
}

static void test_load_refuses(struct bm_cc *cc, struct st_map *map)
{
	ASSERT_OK(map_update(map, cc, 0), "update");
	check_load_refused(cc);
	map_close(map);
	check_load_later(cc);
}

/* A map that is registered without a link, and unregistered again. */
static void test_registered(struct bm_cc *cc, struct st_map *map)
{
	struct st_map other;
	__u32 zero = 0;

	if (!map_open(&other, false))
		return;
	ASSERT_OK(map_update(&other, cc, 0), "update");
	ASSERT_TRUE(bm_tcp_has("bm_claim"), "registered");
	ASSERT_EQ(load_unload(cc), -EBUSY, "load");
	ASSERT_OK(bpf_map_delete_elem(other.fd, &zero), "delete");
	ASSERT_EQ(load_unload(cc), -EBUSY, "load while there is the map");
	map_close(&other);
	check_load_later(cc);
}

/* As before, a program can be used by several maps: it is free after the last one. */
static void test_maps_share(struct bm_cc *cc, struct st_map *map)
{
	struct st_map other;

	if (!map_open(&other, true))
		return;
	ASSERT_OK(map_update(map, cc, 0), "update");
	ASSERT_OK(map_update(&other, cc, 0), "update of another map");
	check_load_refused(cc);
	map_close(&other);
	kern_sync_rcu();
	check_load_refused(cc);
	map_close(map);
	check_load_later(cc);
}

/* validate() misses a member. */
static void test_invalid_releases(struct bm_cc *cc, struct st_map *map)
{
	bm_cc_add(cc, "bm_bad");
	bm_cc_set_prog(cc, 1, "undo_cwnd", 0);
	ASSERT_EQ(map_update(map, cc, 1), -EINVAL, "update");
	ASSERT_OK(load_unload(cc), "load");
	ASSERT_OK(map_update(map, cc, 0), "update without the fault");
	check_load_refused(cc);
}

/* reg() says that the name is taken. */
static void test_refused_releases(struct bm_cc *cc, struct st_map *map)
{
	struct st_map other;

	if (!map_open(&other, false))
		return;
	bm_cc_add(cc, "reno");
	ASSERT_EQ(map_update(&other, cc, 1), -EEXIST, "update");
	ASSERT_OK(load_unload(cc), "load");
	map_close(&other);
}

/* A program of another module comes after a free one. */
static void test_busy_releases(struct bm_cc *cc, struct st_map *map)
{
	struct bm_cc other;
	int fd;

	fd = bm_cc_open_load(&other, "bm_other", "bm_other");
	if (fd < 0)
		return;
	bm_cc_add(cc, "bm_bad");
	bm_cc_set_prog(cc, 1, "cong_avoid", other.prog[BM_CONG_AVOID]);
	ASSERT_EQ(map_update(map, cc, 1), -EBUSY, "update");
	ASSERT_OK(load_unload(cc), "load with the programs that are free");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the other module");
	bm_cc_cleanup(&other, fd);
}

/* If a load is refused because of a program of a map, it frees those already claimed. */
static void test_load_releases(struct bm_cc *cc, struct st_map *map)
{
	struct bm_cc other;

	if (!bm_cc_open(&other))
		return;
	bm_cc_add(&other, "bm_claim");
	ASSERT_OK(map_update(map, &other, 0), "update");
	bm_cc_set_prog(cc, 0, "cong_avoid", other.prog[BM_CONG_AVOID]);
	ASSERT_EQ(load_unload(cc), -EBUSY, "load");
	bm_cc_set_prog(cc, 0, "cong_avoid", cc->prog[BM_CONG_AVOID]);
	ASSERT_OK(load_unload(cc), "load without it");
	bm_cc_close(&other);
}

struct updates {
	struct st_map *map;
	struct bm_cc *cc;
	int cnt;	/* of those that were refused */
	int err;	/* of one that was refused for another reason */
	bool stop;
};

static void *update_refused(void *arg)
{
	struct updates *u = arg;

	while (!u->err && !__atomic_load_n(&u->stop, __ATOMIC_RELAXED)) {
		int err = map_update(u->map, u->cc, 1);

		if (err != -EINVAL)
			u->err = err ?: -ECHILD;
		__atomic_add_fetch(&u->cnt, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static long map_bytes(int map_fd)
{
	char buf[256], *val = bm_fdinfo(map_fd, "memlock", buf, sizeof(buf));

	return val ? strtol(val, NULL, 10) : -1;
}

/* Reads a few times; false if it has read enough, or garbage. */
static bool look_at(struct updates *u, long least, long most, int *wrong)
{
	int i;

	for (i = 0; i < 20; i++) {
		long bytes = map_bytes(u->map->fd);

		*wrong += bytes < least || bytes > most;
	}
	return !*wrong && __atomic_load_n(&u->cnt, __ATOMIC_RELAXED) < 300;
}

/* What is read belongs to a map with or without programs, and not to freed memory. */
static void test_refused_updates(struct bm_cc *cc, struct st_map *map)
{
	struct updates u = { .map = map, .cc = cc };
	long least = map_bytes(map->fd), most;
	struct st_map full;
	pthread_t thread;
	int wrong = 0;

	if (!map_open(&full, true))
		return;
	ASSERT_OK(map_update(&full, cc, 0), "update of another map");
	most = map_bytes(full.fd);
	map_close(&full);
	ASSERT_GT(least, 0, "bytes without programs");
	ASSERT_GT(most, least, "bytes with programs");

	bm_cc_add(cc, "bm_bad");
	bm_cc_set_prog(cc, 1, "undo_cwnd", 0);
	if (!ASSERT_OK(pthread_create(&thread, NULL, update_refused, &u), "thread"))
		return;
	ASSERT_TRUE(bm_wait(!look_at(&u, least, most, &wrong)), "updates and looks");
	__atomic_store_n(&u.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ASSERT_EQ(wrong, 0, "wrong sizes");
	ASSERT_OK(u.err, "error of the updates");
	ASSERT_EQ(map_bytes(map->fd), least, "bytes after the updates");
	ASSERT_OK(map_update(map, cc, 0), "update without the fault");
}

static const struct {
	const char *name;
	void (*run)(struct bm_cc *cc, struct st_map *map);
} tests[] = {
	{ "map_refuses", test_map_refuses },
	{ "load_refuses", test_load_refuses },
	{ "registered", test_registered },
	{ "maps_share", test_maps_share },
	{ "invalid_releases", test_invalid_releases },
	{ "refused_releases", test_refused_releases },
	{ "busy_releases", test_busy_releases },
	{ "load_releases", test_load_releases },
	{ "refused_updates", test_refused_updates },
};

/* An op for a module or a map, which is empty. */
static void run_test(void (*run)(struct bm_cc *cc, struct st_map *map))
{
	static struct st_map map;
	static struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return;
	if (map_open(&map, true)) {
		bm_cc_add(&cc, "bm_claim");
		run(&cc, &map);
		map_close(&map);
	}
	bm_drain_name("bm_claim");
	bm_cc_close(&cc);
}

void serial_test_bpf_module_claim(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
	bm_netns_leave(netns);
}
