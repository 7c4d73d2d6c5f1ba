// SPDX-License-Identifier: GPL-2.0
/* Whatever a subsystem returns, user space gets an errno that it has a name for. */
#include <limits.h>
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"

#define BM_RESTARTSYS 512	/* the kernel's own, as all that follow */
#define BM_NOTSUPP 524

static const struct {
	int ret;	/* what the subsystem returns */
	int err;	/* what user space gets */
} cases[] = {
	{ -ENODEV, -ENODEV },
	{ -BM_RESTARTSYS + 1, -BM_RESTARTSYS + 1 },
	{ -BM_RESTARTSYS, -EINTR },
	{ -BM_NOTSUPP, -EOPNOTSUPP },
	{ -BM_NOTSUPP - 1, -EINVAL },
	{ -100000, -EINVAL },
	/* these pass for fds */
	{ 1000, -EINVAL },
	{ INT_MAX, -EINVAL },
};

struct fixture {
	struct bm_type type;	/* bpf_testmod_errno_ops */
	struct bm_cc cc;
	struct bm_cc old;
	int old_fd;
};

static void add_ops(struct fixture *f, struct bm_cc *cc)
{
	cc->ops_cnt = 0;
	bm_cc_add(cc, "bm_before");
	bm_add(cc, &f->type, "bm_errno");
}

/* One line that names the op, and no number that user space does not know. */
static void check_log(const struct bm_cc *cc, int err)
{
	static const char * const parts[] = { "op bm_errno (bpf_testmod_errno_ops)" };
	const char *number = strstr(cc->log, "error ");

	bm_check_log(cc, parts, ARRAY_SIZE(parts));
	if (number)
		ASSERT_EQ(atoi(number + strlen("error ")), -err, "error in the log");
}

/* The subsystem returns @ret from the step that @member selects. */
static void check_load(struct fixture *f, const char *member, int ret, int err)
{
	int fd;

	add_ops(f, &f->cc);
	*(int *)bm_field(&f->type, f->cc.value[1], member) = ret;
	fd = bm_cc_load(&f->cc, "bm_errno");
	if (!ASSERT_EQ(fd, err, "load"))
		printf("%s returns %d\n", member, ret);
	check_log(&f->cc, err);
	ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
	ASSERT_EQ(bm_find("bm_errno"), 0, "listed");
	bm_drain_name("bm_errno");
}

static void test_init_member(struct fixture *f)
{
	int i;

	/* a positive number means there that the member was handled */
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].ret < 0)
			check_load(f, "init_member_ret", cases[i].ret, cases[i].err);
}

static void test_validate(struct fixture *f)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check_load(f, "validate_ret", cases[i].ret, cases[i].err);
}

static void test_reg(struct fixture *f)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check_load(f, "reg_ret", cases[i].ret, cases[i].err);
}

/* The op before it is switched back, and the old module goes on. */
static void check_replace(struct fixture *f, int ret, int err)
{
	int fd, sock;

	add_ops(f, &f->cc);
	*(int *)bm_field(&f->type, f->cc.value[1], "update_ret") = ret;
	fd = bm_cc_replace(&f->cc, f->old_fd);
	if (!ASSERT_EQ(fd, err, "replace"))
		printf("update() returns %d\n", ret);
	check_log(&f->cc, err);
	ASSERT_EQ(bm_state(f->old_fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	sock = bm_socket(AF_INET, "bm_before");
	ASSERT_EQ(bm_users(f->old_fd), 1, "users of the old one");
	close(sock);
}

static void test_update(struct fixture *f)
{
	int i, fd;

	if (!bm_cc_open(&f->old))
		return;
	add_ops(f, &f->old);
	f->old_fd = bm_cc_load(&f->old, "bm_errno");
	if (ASSERT_OK_FD(f->old_fd, "load")) {
		for (i = 0; i < ARRAY_SIZE(cases); i++)
			check_replace(f, cases[i].ret, cases[i].err);
		add_ops(f, &f->cc);
		fd = bm_cc_replace(&f->cc, f->old_fd);
		if (ASSERT_OK_FD(fd, "replace at last")) {
			ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
			close(fd);
		}
	}
	bm_cc_cleanup(&f->old, f->old_fd);
}

/* A function that no trampoline can be made for. */
static void test_arguments(struct fixture *f)
{
	int fd, prog = bm_prog_load(&f->type, "test_many", "bm_many", 0);
	static const char * const parts[] = { "bm_errno", "test_many" };

	add_ops(f, &f->cc);
	bm_set_prog(&f->type, f->cc.value[1], "test_many", prog);
	fd = bm_cc_load(&f->cc, "bm_errno");
	ASSERT_EQ(fd, -EOPNOTSUPP, "load");
	bm_check_log(&f->cc, parts, ARRAY_SIZE(parts));
	ASSERT_FALSE(bm_tcp_has("bm_before"), "registered");
	bm_drain_name("bm_errno");
	close(prog);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "init_member", test_init_member },
	{ "validate", test_validate },
	{ "reg", test_reg },
	{ "update", test_update },
	{ "arguments", test_arguments },
};

static void run_test(void (*run)(struct fixture *f))
{
	static struct fixture f;

	f.old_fd = -1;
	if (!bm_type_open(&f.type, "bpf_testmod", "bpf_testmod_errno_ops"))
		return;
	if (bm_cc_open(&f.cc)) {
		run(&f);
		bm_cc_close(&f.cc);
	}
	bm_type_close(&f.type);
}

void serial_test_bpf_module_errno(void)
{
	int i;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
}
