// SPDX-License-Identifier: GPL-2.0
/* Replacements that are refused leave the old module unchanged, and say why. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"

/* A good replacement of a module of two ops, with a fault. */
struct request {
	struct bm_cc cc;
	const char *name;
	__u32 flags;
	int fd;
	int old_fd;
	struct bm_type type;
};

static void flag_missing(struct request *r)
{
	r->name = "bm_other";
	r->flags = 0;
}

static void flag_unknown(struct request *r)
{
	r->flags |= 1U << 31;
}

/* An fd that is 0 is an fd like any other. */
static void fd_missing(struct request *r)
{
	r->fd = 0;
}

static void fd_not_open(struct request *r)
{
	r->fd = 1000000;
}

static void fd_of_program(struct request *r)
{
	r->fd = r->cc.prog[0];
}

static void fd_read_only(struct request *r)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);

	r->cc.extra_fd = bpf_module_get_fd_by_id_opts(bm_find("bm_rep"), &opts);
	ASSERT_OK_FD(r->cc.extra_fd, "read-only fd");
	r->fd = r->cc.extra_fd;
}

static void name_other(struct request *r)
{
	r->name = "bm_other";
}

static void name_bad(struct request *r)
{
	r->name = "bm rep";
}

static void ops_fewer(struct request *r)
{
	r->cc.ops_cnt = 1;
}

static void ops_more(struct request *r)
{
	bm_cc_add(&r->cc, "bm_c");
}

static void op_other_name(struct request *r)
{
	r->cc.ops[1].name = ptr_to_u64("bm_c");
}

/* Two for one: both of them are called bm_a. */
static void op_name_twice(struct request *r)
{
	r->cc.ops[1].name = ptr_to_u64("bm_a");
}

static void op_other_type(struct request *r)
{
	if (!bm_type_open(&r->type, NULL, "sched_ext_ops"))
		return;
	r->cc.extra_fd = bm_prog_load(&r->type, "init", "bm_init", 0);
	r->cc.ops_cnt = 1;
	bm_scx_add(&r->cc, &r->type, "bm_b", r->cc.extra_fd);
}

static void op_invalid(struct request *r)
{
	bm_cc_set_prog(&r->cc, 1, "ssthresh", 0);
}

static void progs_of_old(struct request *r)
{
	struct bpf_module_info info = {};
	__u32 ids[BM_CC_REQUIRED] = {}, len = sizeof(info);

	info.prog_ids = ptr_to_u64(ids);
	info.prog_cnt = BM_CC_REQUIRED;
	ASSERT_OK(bpf_module_get_info_by_fd(r->old_fd, &info, &len), "info");
	r->cc.extra_fd = bpf_prog_get_fd_by_id(ids[0]);
	bm_cc_set_prog(&r->cc, 0, "ssthresh", r->cc.extra_fd);
}

static const struct {
	const char *name;
	void (*spoil)(struct request *r);
	int err;
	const char *log[4];
} refusals[] = {
	{ "flag_missing", flag_missing, -EINVAL, { "replace_fd", "BPF_F_MODULE_REPLACE" } },
	{ "flag_unknown", flag_unknown, -EINVAL, { "unknown flags" } },
	{ "fd_missing", fd_missing, -EINVAL, { "replace_fd 0", "not a module" } },
	{ "fd_not_open", fd_not_open, -EBADF, { "replace_fd 1000000" } },
	{ "fd_of_program", fd_of_program, -EINVAL, { "replace_fd", "not a module" } },
	{ "fd_read_only", fd_read_only, -EPERM, { "replace_fd", "may change" } },
	{ "name_other", name_other, -EINVAL, { "\"bm_other\"", "expected \"bm_rep\"" } },
	{ "name_bad", name_bad, -EINVAL, { "bad module name" } },
	{ "ops_fewer", ops_fewer, -EINVAL, { "1 ops, expected 2", "\"bm_rep\"" } },
	{ "ops_more", ops_more, -EINVAL, { "3 ops, expected 2", "\"bm_rep\"" } },
	{ "op_other_name", op_other_name, -EINVAL,
	  { "op bm_c (tcp_congestion_ops)", "\"bm_rep\" has no op of that name and type" } },
	{ "op_name_twice", op_name_twice, -EINVAL,
	  { "op bm_a (tcp_congestion_ops)", "\"bm_rep\" has no op of that name and type" } },
	{ "op_other_type", op_other_type, -EINVAL,
	  { "op bm_b (sched_ext_ops)", "\"bm_rep\" has no op of that name and type" } },
	{ "op_invalid", op_invalid, -EINVAL, { "op bm_b", "required member", "ssthresh" } },
	{ "progs_of_old", progs_of_old, -EBUSY,
	  { "op bm_a", "member ssthresh", "belongs to module bm_rep" } },
};

static void check_old(int fd, __u32 id)
{
	ASSERT_EQ(bm_find("bm_rep"), id, "id of the name");
	ASSERT_EQ(bm_find("bm_other"), 0, "listed by another name");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the old one");
	ASSERT_TRUE(bm_tcp_has("bm_a") && bm_tcp_has("bm_b"), "registered");
	ASSERT_FALSE(bm_tcp_has("bm_c"), "registered by the new one");
}

static void run_test(int i)
{
	struct request r = { .flags = BPF_F_MODULE_REPLACE };
	struct bm_cc old;
	int fd;
	__u32 id;

	if (!bm_cc_open(&old))
		return;
	bm_cc_add(&old, "bm_a");
	bm_cc_add(&old, "bm_b");
	r.old_fd = bm_cc_load(&old, "bm_rep");
	if (!ASSERT_OK_FD(r.old_fd, "load") || !bm_cc_open(&r.cc))
		goto out;
	id = bm_find("bm_rep");
	r.fd = r.old_fd;
	bm_cc_add(&r.cc, "bm_a");
	bm_cc_add(&r.cc, "bm_b");
	refusals[i].spoil(&r);
	fd = bm_cc_load_flags(&r.cc, r.name, r.flags, r.fd);
	ASSERT_EQ(fd, refusals[i].err, "replace");
	bm_check_log(&r.cc, refusals[i].log, ARRAY_SIZE(refusals[i].log));
	check_old(r.old_fd, id);

	r.cc.ops_cnt = 0;
	bm_cc_add(&r.cc, "bm_a");
	bm_cc_add(&r.cc, "bm_b");
	fd = bm_cc_replace(&r.cc, r.old_fd);
	ASSERT_OK_FD(fd, "replace without the fault");
	ASSERT_EQ(bm_state(r.old_fd), BPF_MODULE_STATE_GONE, "state of the old one");
	if (r.type.id)
		bm_type_close(&r.type);
	bm_cc_cleanup(&r.cc, fd);
out:
	bm_cc_cleanup(&old, r.old_fd);
}

/* A type that cannot be replaced keeps the whole module, including the other ops. */
static void test_no_update(const char *module, const char *type_name, const char *member)
{
	const char * const log[] = { type_name, "cannot replace ops of this type" };
	struct bm_cc old, new;
	struct bm_type type;
	int i, fd = -1, old_fd = -1;

	if (!bm_type_open(&type, module, type_name))
		return;
	if (!bm_cc_open(&old))
		goto out;
	if (!bm_cc_open(&new))
		goto out_old;
	for (i = 0; i < 2; i++) {
		struct bm_cc *cc = i ? &new : &old;

		bm_cc_add(cc, "bm_a");
		cc->extra_fd = bm_prog_load(&type, member, "bm_prog", 0);
		if (module) {
			bm_add(cc, &type, "bm_b");
			bm_set_prog(&type, cc->value[1], member, cc->extra_fd);
		} else {
			bm_scx_add(cc, &type, "bm_b", cc->extra_fd);
		}
	}
	old_fd = bm_cc_load(&old, "bm_rep");
	if (ASSERT_OK_FD(old_fd, "load")) {
		fd = bm_cc_replace(&new, old_fd);
		ASSERT_EQ(fd, -EOPNOTSUPP, "replace");
		bm_check_log(&new, log, ARRAY_SIZE(log));
		ASSERT_EQ(bm_state(old_fd), BPF_MODULE_STATE_LIVE, "state");
		i = bm_socket(AF_INET, "bm_a");
		ASSERT_EQ(bm_users(old_fd), 1, "users of the old one");
		close(i);
		ASSERT_OK(bpf_module_unload(old_fd, NULL), "unload");
	}
	bm_cc_cleanup(&new, fd);
out_old:
	bm_cc_cleanup(&old, old_fd);
out:
	bm_type_close(&type);
}

/* A module that has already ended has nothing to hand over. */
static void test_ended(bool user)
{
	static const char * const log[] = { "\"bm_rep\"", "already unloaded" };
	int fd, old_fd, sock = -1;
	struct bm_cc old, new;

	old_fd = bm_cc_open_load(&old, "bm_rep", "bm_a");
	if (old_fd < 0)
		return;
	if (!bm_cc_open(&new))
		goto out;
	bm_cc_add(&new, "bm_a");
	if (user) {
		sock = bm_socket(AF_INET, "bm_a");
		ASSERT_OK_FD(sock, "socket");
	}
	ASSERT_OK(bm_drain(old_fd), "drain");
	fd = bm_cc_replace(&new, old_fd);
	ASSERT_EQ(fd, user ? -EINPROGRESS : -ENOENT, "replace");
	bm_check_log(&new, log, ARRAY_SIZE(log));
	ASSERT_FALSE(bm_tcp_has("bm_a"), "registered");
	ASSERT_EQ(bm_find("bm_rep") != 0, user, "listed");
	if (sock >= 0)
		close(sock);
	bm_cc_cleanup(&new, fd);
out:
	bm_cc_cleanup(&old, old_fd);
}

void serial_test_bpf_module_replace_refused(void)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		if (test__start_subtest(refusals[i].name))
			run_test(i);
	if (env.has_testmod && test__start_subtest("type_without_update"))
		test_no_update("bpf_testmod", "bpf_testmod_ops2", "test_1");
	if (test__start_subtest("type_refuses_update"))
		test_no_update(NULL, "sched_ext_ops", "init");
	if (test__start_subtest("old_going"))
		test_ended(true);
	if (test__start_subtest("old_gone"))
		test_ended(false);
	bm_netns_leave(netns);
}
