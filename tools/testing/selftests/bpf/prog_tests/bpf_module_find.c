// SPDX-License-Identifier: GPL-2.0
/* Ways to find a module: ids, pins; and what the fd shows in /proc. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

#define BM_PIN "/sys/fs/bpf/bm_find"

/* What the tests of this file share: one module, live at the start. */
struct fixture {
	struct bm_cc cc;
	int fd;
	__u32 id;
};

/* The last byte of the attributes is past all that these commands know. */
static void test_trailing_byte(struct fixture *f)
{
	static const enum bpf_cmd cmds[] = {
		BPF_MODULE_GET_INFO, BPF_MODULE_GET_NEXT_ID, BPF_MODULE_GET_FD_BY_ID,
	};
	struct bpf_module_info info = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		union bpf_attr attr = {};

		if (cmds[i] == BPF_MODULE_GET_INFO) {
			attr.info.bpf_fd = f->fd;
			attr.info.info = ptr_to_u64(&info);
			attr.info.info_len = sizeof(info);
		} else {
			attr.module_id = cmds[i] == BPF_MODULE_GET_FD_BY_ID ? f->id : 0;
		}
		((char *)&attr)[sizeof(attr) - 1] = 1;
		ASSERT_EQ(bm_sys_bpf(cmds[i], &attr, sizeof(attr)), -EINVAL, "command");
	}
}

static void test_ids(struct fixture *f)
{
	__u32 id = 0, next, cnt = 0, seen = 0;
	struct bm_cc other;
	int fd, by_id;

	fd = bm_cc_open_load(&other, "bm_find_2", "bm_find_2");
	if (fd < 0)
		return;
	while (!bpf_module_get_next_id(id, &next)) {
		ASSERT_GT(next, id, "ascending");
		id = next;
		seen += id == f->id || id == bm_find("bm_find_2");
		cnt++;
	}
	ASSERT_EQ(errno, ENOENT, "past the end");
	ASSERT_EQ(seen, 2, "both are seen");
	ASSERT_GE(cnt, 2, "modules");

	by_id = bpf_module_get_fd_by_id(f->id);
	ASSERT_OK_FD(by_id, "fd by id");
	ASSERT_EQ(bm_find("bm_find"), f->id, "id by name");
	close(by_id);

	id = bm_find("bm_find_2");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	ASSERT_EQ(bpf_module_get_fd_by_id(id), -ENOENT, "id of one that is gone");
	ASSERT_EQ(bpf_module_get_fd_by_id(0), -ENOENT, "id 0");
	ASSERT_EQ(bpf_module_get_fd_by_id(-1), -ENOENT, "id never given");
	ASSERT_EQ(bpf_module_get_next_id(INT_MAX - 1, &next), -ENOENT, "after the last");
	bm_cc_cleanup(&other, fd);
}

static void test_ids_need_cap(struct fixture *f)
{
	__u64 old_caps;
	__u32 next;
	int err, fd;

	err = cap_disable_effective(1ULL << CAP_SYS_ADMIN, &old_caps);
	if (!ASSERT_OK(err, "drop capabilities"))
		return;
	err = bpf_module_get_next_id(0, &next);
	fd = bpf_module_get_fd_by_id(f->id);
	ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
	ASSERT_EQ(err, -EPERM, "next id");
	ASSERT_EQ(fd, -EPERM, "fd by id");
}

static void check_fdinfo(int fd, const char *key, const char *expected)
{
	char buf[256], *val = bm_fdinfo(fd, key, buf, sizeof(buf));

	if (ASSERT_OK_PTR(val, key))
		ASSERT_STREQ(val, expected, key);
}

static void test_fdinfo(struct fixture *f)
{
	int sock = bm_socket(AF_INET, "bm_find");
	char id[16];

	ASSERT_OK_FD(sock, "socket");
	snprintf(id, sizeof(id), "%u", f->id);
	check_fdinfo(f->fd, "module_id", id);
	check_fdinfo(f->fd, "module_name", "bm_find");
	check_fdinfo(f->fd, "module_state", "live");
	check_fdinfo(f->fd, "users", "1");
	check_fdinfo(f->fd, "ops_cnt", "1");
	ASSERT_OK(bm_drain(f->fd), "drain");
	check_fdinfo(f->fd, "module_state", "going");
	close(sock);
	ASSERT_TRUE(bm_wait(bm_state(f->fd) == BPF_MODULE_STATE_GONE), "state");
	check_fdinfo(f->fd, "module_state", "gone");
	check_fdinfo(f->fd, "users", "0");
}

static void test_pin(struct fixture *f)
{
	struct bpf_module_info info;
	int fd;

	ASSERT_OK(bpf_obj_pin(f->fd, BM_PIN), "pin");
	ASSERT_EQ(bpf_obj_pin(f->fd, BM_PIN), -EEXIST, "pin again");
	fd = bpf_obj_get(BM_PIN);
	if (ASSERT_OK_FD(fd, "get")) {
		ASSERT_OK(bm_info(fd, &info), "info");
		ASSERT_EQ(info.id, f->id, "id");
		close(fd);
	}
	ASSERT_OK(unlink(BM_PIN), "unlink");
	ASSERT_EQ(bm_state(f->fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_TRUE(bm_tcp_has("bm_find"), "registered");
}

/* A pin does not keep a module, and shows that it is gone. */
static void test_pin_gone(struct fixture *f)
{
	int fd;

	ASSERT_OK(bpf_obj_pin(f->fd, BM_PIN), "pin");
	fd = bpf_obj_get(BM_PIN);
	ASSERT_OK_FD(fd, "get");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload through the pin");
	close(fd);
	fd = bpf_obj_get(BM_PIN);
	if (ASSERT_OK_FD(fd, "get when it is gone")) {
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GONE, "state");
		ASSERT_EQ(bpf_module_unload(fd, NULL), -ENOENT, "unload again");
		close(fd);
	}
	ASSERT_OK(unlink(BM_PIN), "unlink");
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "ids", test_ids },
	{ "ids_need_cap", test_ids_need_cap },
	{ "trailing_byte", test_trailing_byte },
	{ "fdinfo", test_fdinfo },
	{ "pin", test_pin },
	{ "pin_gone", test_pin_gone },
};

static void run_test(void (*run)(struct fixture *f))
{
	struct fixture f = {};

	f.fd = bm_cc_open_load(&f.cc, "bm_find", "bm_find");
	if (f.fd < 0)
		return;
	f.id = bm_find("bm_find");
	run(&f);
	bm_cc_cleanup(&f.cc, f.fd);
}

void serial_test_bpf_module_find(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
}
