// SPDX-License-Identifier: GPL-2.0
/* Who may change a module, whatever fd he has of it. */
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_scx.h"
#include "bpf_module_token.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

#define BM_PIN "/sys/fs/bpf/bm_guard"

#define BM_CAP(cap) (1ULL << CAP_##cap)
#define BM_BPF_CAPS (BM_CAP(BPF) | BM_CAP(PERFMON))

/* Programs for an op of each subsystem that has its own needs. */
static bool add_tcp(struct bm_cc *cc)
{
	bm_cc_add(cc, "bm_guard");
	return true;
}

static bool add_scx(struct bm_cc *cc)
{
	struct bm_type type;

	if (!bm_type_open(&type, NULL, "sched_ext_ops"))
		return false;
	cc->extra_fd = bm_prog_load(&type, "init", "bm_init", 0);
	bm_scx_add(cc, &type, "bm_guard", cc->extra_fd);
	bm_type_close(&type);
	return true;
}

static bool add_testmod(struct bm_cc *cc)
{
	struct bm_type type;

	if (!bm_type_open(&type, "bpf_testmod", "bpf_testmod_ops2"))
		return false;
	cc->extra_fd = bm_prog_load(&type, "test_1", "bm_test_1", 0);
	bm_add(cc, &type, "bm_guard");
	bm_set_prog(&type, cc->value[0], "test_1", cc->extra_fd);
	/* stays open until the end of the process, the op refers to it */
	type.btf_fd = 0;
	bm_type_close(&type);
	return true;
}

static bool add_tcp_and_scx(struct bm_cc *cc)
{
	return add_tcp(cc) && add_scx(cc);
}

static const struct {
	const char *name;
	bool (*add)(struct bm_cc *cc);
	__u64 caps;		/* that the loader has */
	int err;
	const char *log;
} cap_tests[] = {
	{ "tcp_none", add_tcp, 0, -EPERM, "CAP_BPF" },
	{ "tcp_without_bpf", add_tcp, BM_CAP(PERFMON) | BM_CAP(NET_ADMIN), -EPERM, "CAP_BPF" },
	{ "tcp_without_perfmon", add_tcp, BM_CAP(BPF) | BM_CAP(NET_ADMIN), -EPERM, "CAP_PERFMON" },
	{ "tcp_without_net_admin", add_tcp, BM_BPF_CAPS, -EPERM,
	  "op bm_guard (tcp_congestion_ops): needs CAP_NET_ADMIN" },
	{ "tcp_enough", add_tcp, BM_BPF_CAPS | BM_CAP(NET_ADMIN) },
	{ "tcp_sys_admin", add_tcp, BM_CAP(SYS_ADMIN) },
	{ "scx_without_sys_admin", add_scx, BM_BPF_CAPS | BM_CAP(NET_ADMIN), -EPERM,
	  "op bm_guard (sched_ext_ops): needs CAP_SYS_ADMIN" },
	{ "scx_enough", add_scx, BM_CAP(SYS_ADMIN) },
	{ "testmod_without_perfmon", add_testmod, BM_CAP(BPF), -EPERM, "CAP_PERFMON" },
	{ "testmod_enough", add_testmod, BM_BPF_CAPS },
	{ "tcp_and_scx_without_sys_admin", add_tcp_and_scx, BM_BPF_CAPS | BM_CAP(NET_ADMIN),
	  -EPERM, "op bm_guard (sched_ext_ops): needs CAP_SYS_ADMIN" },
};

/* The same is needed to load, to unload and to drain. */
static void test_cap(int i)
{
	int fd, err = 0, drain_err = 0;
	struct bm_cc cc;
	__u64 old_caps;

	if (!bm_cc_open(&cc))
		return;
	if (!cap_tests[i].add(&cc))
		goto out;
	if (!ASSERT_OK(cap_disable_effective(~cap_tests[i].caps, &old_caps), "drop capabilities"))
		goto out;
	fd = bm_cc_load(&cc, "bm_guard");
	if (fd >= 0)
		err = bpf_module_unload(fd, NULL);
	ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
	if (!cap_tests[i].err) {
		ASSERT_OK_FD(fd, "load");
		ASSERT_OK(err, "unload");
		close(fd);
		goto out;
	}
	ASSERT_EQ(fd, cap_tests[i].err, "load");
	bm_check_log(&cc, &cap_tests[i].log, 1);
	ASSERT_EQ(bm_find("bm_guard"), 0, "listed");

	fd = bm_cc_load(&cc, "bm_guard");
	if (!ASSERT_OK_FD(fd, "load with all capabilities"))
		goto out;
	ASSERT_OK(cap_disable_effective(~cap_tests[i].caps, NULL), "drop capabilities");
	err = bpf_module_unload(fd, NULL);
	drain_err = bm_drain(fd);
	ASSERT_OK(cap_enable_effective(old_caps, NULL), "restore capabilities");
	ASSERT_EQ(err, -EPERM, "unload");
	ASSERT_EQ(drain_err, -EPERM, "drain");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload with all capabilities");
	close(fd);
out:
	bm_cc_close(&cc);
}

/* What a test gives to user 1000, who has no capability. */
struct gift {
	struct bm_cc cc;	/* a replacement, complete but for the power */
	int fd;
	__u32 id;
};

/* Runs @as_user as that user; it returns 0 if all is as expected. */
static void run_as_user(struct gift *gift, int (*as_user)(struct gift *gift))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) || as_user(gift));
	if (!ASSERT_GT(child, 0, "fork"))
		return;
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, 0, "status of the user's process");
}

/* For a child, whose assertions nobody would see. */
static int differs(const char *what, long ret, long expected)
{
	if (ret != expected)
		dprintf(STDERR_FILENO, "%s: %ld, expected %ld\n", what, ret, expected);
	return ret != expected;
}

static int has_power(struct gift *gift)
{
	return differs("unload", bpf_module_unload(gift->fd, NULL), -EPERM) ||
	       differs("drain", bm_drain(gift->fd), -EPERM) ||
	       differs("replace", bm_cc_replace(&gift->cc, gift->fd), -EPERM) ||
	       differs("load", bm_cc_load(&gift->cc, "bm_other"), -EPERM) ||
	       differs("fd by id", bpf_module_get_fd_by_id(gift->id), -EPERM) ||
	       differs("state", bm_state(gift->fd), BPF_MODULE_STATE_LIVE) ||
	       differs("poll", bm_revents(gift->fd, 0), 0);
}

/* The pin's file mode says what the user may do with it: read. */
static int has_power_by_pin(struct gift *gift)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);

	gift->fd = bpf_obj_get_opts(BM_PIN, &opts);
	return differs("get to write", bpf_obj_get(BM_PIN), -EACCES) ||
	       differs("get to read", gift->fd < 0, false) ||
	       has_power(gift);
}

static bool gift_open(struct gift *gift, struct bm_cc *cc)
{
	gift->fd = bm_cc_open_load(cc, "bm_guard", "bm_guard");
	if (gift->fd < 0)
		return false;
	gift->id = bm_find("bm_guard");
	if (bm_cc_open(&gift->cc)) {
		bm_cc_add(&gift->cc, "bm_guard");
		return true;
	}
	bm_cc_cleanup(cc, gift->fd);
	return false;
}

static void test_user(bool rdonly)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	struct gift gift;
	struct bm_cc cc;
	int fd;

	if (!gift_open(&gift, &cc))
		return;
	fd = gift.fd;
	if (rdonly)
		gift.fd = bpf_module_get_fd_by_id_opts(gift.id, &opts);
	ASSERT_OK_FD(gift.fd, "fd for the user");
	run_as_user(&gift, has_power);
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(bm_find("bm_guard"), gift.id, "id");
	if (rdonly)
		close(gift.fd);
	bm_cc_close(&gift.cc);
	bm_cc_cleanup(&cc, fd);
}

static void test_user_pin(void)
{
	struct gift gift;
	struct bm_cc cc;
	int fd;

	if (!gift_open(&gift, &cc))
		return;
	fd = gift.fd;
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");
	ASSERT_OK(chmod("/sys/fs/bpf", 01777), "chmod bpffs");
	ASSERT_OK(chown(BM_PIN, 1000, 1000), "chown");
	ASSERT_OK(chmod(BM_PIN, 0400), "chmod");
	run_as_user(&gift, has_power_by_pin);
	ASSERT_OK(chmod("/sys/fs/bpf", 01700), "chmod bpffs back");
	ASSERT_OK(unlink(BM_PIN), "unlink");
	bm_cc_close(&gift.cc);
	bm_cc_cleanup(&cc, fd);
}

/* A read-only fd gives root no more than it says. */
static void check_read_only(struct gift *gift, int fd)
{
	ASSERT_EQ(bpf_module_unload(fd, NULL), -EPERM, "unload");
	ASSERT_EQ(bm_drain(fd), -EPERM, "drain");
	ASSERT_EQ(bm_cc_replace(&gift->cc, fd), -EPERM, "replace");
	/* it could be opened to write */
	ASSERT_EQ(bpf_obj_pin(fd, BM_PIN "_2"), -EPERM, "pin");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(bm_revents(fd, 0), 0, "poll");
	ASSERT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "access mode");
}

static void test_read_only(void)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	LIBBPF_OPTS(bpf_obj_get_opts, pin_opts, .file_flags = BPF_F_RDONLY);
	struct gift gift;
	struct bm_cc cc;
	int fd;

	if (!gift_open(&gift, &cc))
		return;
	ASSERT_EQ(fcntl(gift.fd, F_GETFL) & O_ACCMODE, O_RDWR, "access mode of LOAD's fd");
	fd = bpf_module_get_fd_by_id_opts(gift.id, &opts);
	if (ASSERT_OK_FD(fd, "fd by id")) {
		check_read_only(&gift, fd);
		close(fd);
	}
	ASSERT_OK(bpf_obj_pin(gift.fd, BM_PIN), "pin");
	fd = bpf_obj_get_opts(BM_PIN, &pin_opts);
	if (ASSERT_OK_FD(fd, "fd by pin")) {
		check_read_only(&gift, fd);
		close(fd);
	}

	opts.open_flags = BPF_F_WRONLY;
	ASSERT_EQ(bpf_module_get_fd_by_id_opts(gift.id, &opts), -EINVAL, "write-only by id");
	opts.open_flags = BPF_F_RDONLY | BPF_F_WRONLY;
	ASSERT_EQ(bpf_module_get_fd_by_id_opts(gift.id, &opts), -EINVAL, "both by id");
	opts.open_flags = 1U << 31;
	ASSERT_EQ(bpf_module_get_fd_by_id_opts(gift.id, &opts), -EINVAL, "unknown flag by id");
	pin_opts.file_flags = BPF_F_WRONLY;
	ASSERT_EQ(bpf_obj_get_opts(BM_PIN, &pin_opts), -EINVAL, "write-only by pin");
	unlink(BM_PIN);
	bm_cc_close(&gift.cc);
	bm_cc_cleanup(&cc, gift.fd);
}

static int xdp_load(int token_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	opts.token_fd = token_fd;
	opts.prog_flags = token_fd ? BPF_F_TOKEN_FD : 0;
	return bpf_prog_load(BPF_PROG_TYPE_XDP, "bm_xdp", "GPL", insns, ARRAY_SIZE(insns), &opts);
}

/*
 * In a user namespace, with all capabilities there and a token for everything:
 * that is good for a program, and no good for a module.
 */
static int with_token(struct gift *gift, const struct bm_talk *talk)
{
	int token_fd;

	if (differs("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS), 0))
		return 1;
	token_fd = bm_token_ask(talk);
	return differs("token", token_fd < 0, false) ||
	       differs("program without token", xdp_load(0), -EPERM) ||
	       differs("program with token", xdp_load(token_fd) < 0, false) ||
	       has_power(gift) ||
	       differs("log", !!strstr(gift->cc.log, "which no BPF token gives"), true);
}

static void test_token(void)
{
	struct bm_talk talk;
	struct gift gift;
	struct bm_cc cc;
	pid_t child;
	int status;

	if (!gift_open(&gift, &cc))
		return;
	if (!bm_talk_open(&talk))
		goto out;
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(with_token(&gift, &talk));
	if (ASSERT_GT(child, 0, "fork")) {
		bm_token_give(&talk, child);
		ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
		ASSERT_EQ(status, 0, "status of the child");
	}
	ASSERT_EQ(bm_find("bm_guard"), gift.id, "id");
out:
	bm_cc_close(&gift.cc);
	bm_cc_cleanup(&cc, gift.fd);
}

void serial_test_bpf_module_guard(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cap_tests); i++)
		if ((cap_tests[i].add != add_testmod || env.has_testmod) &&
		    test__start_subtest(cap_tests[i].name))
			test_cap(i);
	if (test__start_subtest("user_rw_fd"))
		test_user(false);
	if (test__start_subtest("user_ro_fd"))
		test_user(true);
	if (test__start_subtest("user_pin"))
		test_user_pin();
	if (test__start_subtest("read_only"))
		test_read_only();
	if (test__start_subtest("token"))
		test_token();
}
