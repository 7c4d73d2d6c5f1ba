// SPDX-License-Identifier: GPL-2.0
/*
 * Every command about modules, by everybody who may try it. Each cell of the matrix
 * is a subtest: a child takes the role, gives one command and reports the result.
 */
#include <bpf/btf.h>
#include <linux/bpf_module.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "bpf_module_token.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "cap_helpers.h"

#define BM_NAME "bm_matrix"
#define BM_OTHER BM_NAME "_2"
#define BM_BPFFS "/sys/fs/bpf"
#define BM_PIN BM_BPFFS "/" BM_NAME

#define BM_CAP(cap) (1ULL << CAP_##cap)
#define BM_BPF_CAPS (BM_CAP(BPF) | BM_CAP(PERFMON))

/* What one cell is about. */
struct cell {
	struct bm_cc cc;	/* the module */
	struct bm_cc next;	/* another, to load or to replace it */
	struct bm_talk talk;
	__u32 id;
	int fd;			/* of the module, with all rights */
	int given;		/* the one that the command uses */
	int iter_btf_id;
	int iter_prog;
	int token_fd;		/* 0 for none */
};

static int iter_prog_load(struct cell *c)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_insn insns[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	opts.expected_attach_type = BPF_TRACE_ITER;
	opts.attach_btf_id = c->iter_btf_id;
	opts.prog_flags = c->token_fd ? BPF_F_TOKEN_FD : 0;
	opts.token_fd = c->token_fd;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "bm_iter", "GPL", insns, ARRAY_SIZE(insns),
			     &opts);
}

/* The commands return what the system call does; an fd is left to the child's end. */
static int do_load(struct cell *c)
{
	return bm_cc_load(&c->next, BM_OTHER);
}

static int do_replace(struct cell *c)
{
	return bm_cc_replace(&c->next, c->given);
}

static int do_unload(struct cell *c)
{
	return bpf_module_unload(c->given, NULL);
}

static int do_drain(struct cell *c)
{
	return bm_drain(c->given);
}

static int do_get_info(struct cell *c)
{
	struct bpf_module_info info;
	int err = bm_info(c->given, &info);

	return err ?: info.id == c->id ? 0 : -ENOENT;
}

/* BPF_OBJ_GET_INFO_BY_FD, which takes fds of any kind. */
static int do_obj_info(struct cell *c)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(c->given, &info, &len);

	return err ?: info.id == c->id ? 0 : -ENOENT;
}

static int do_next_id(struct cell *c)
{
	__u32 id;

	return bpf_module_get_next_id(c->id - 1, &id);
}

static int do_fd_by_id(struct cell *c)
{
	return bpf_module_get_fd_by_id(c->id);
}

static int do_pin(struct cell *c)
{
	return bpf_obj_pin(c->given, BM_PIN "_2");
}

static int do_get(struct cell *c)
{
	return bpf_obj_get(BM_PIN);
}

static int run_iter(int prog)
{
	int link, iter;
	char buf[16];

	link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	if (link < 0)
		return link;
	iter = bpf_iter_create(link);
	if (iter < 0)
		return iter;
	return read(iter, buf, sizeof(buf)) < 0 ? -errno : 0;
}

static int do_iter(struct cell *c)
{
	int prog = iter_prog_load(c);

	return prog < 0 ? prog : run_iter(prog);
}

static int do_iter_given(struct cell *c)
{
	return run_iter(c->iter_prog);
}

enum command {
	LOAD, REPLACE, UNLOAD, DRAIN, GET_INFO, OBJ_INFO, NEXT_ID, FD_BY_ID, PIN, GET, ITER,
	ITER_GIVEN, COMMANDS,
};

static const struct {
	const char *name;
	int (*run)(struct cell *c);
	bool ends;		/* the module, if it succeeds */
} commands[COMMANDS] = {
	[LOAD]		= { "load", do_load },
	[REPLACE]	= { "replace", do_replace, true },
	[UNLOAD]	= { "unload", do_unload, true },
	[DRAIN]		= { "drain", do_drain, true },
	[GET_INFO]	= { "get_info", do_get_info },
	[OBJ_INFO]	= { "obj_info", do_obj_info },
	[NEXT_ID]	= { "next_id", do_next_id },
	[FD_BY_ID]	= { "fd_by_id", do_fd_by_id },
	[PIN]		= { "pin", do_pin },
	[GET]		= { "get", do_get },
	[ITER]		= { "iter", do_iter },
	[ITER_GIVEN]	= { "iter_given", do_iter_given },
};

/* How the child takes the role of the row; 0 if it did. */
static int be_user(struct cell *c)
{
	return setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000);
}

static int be_user_with_pin(struct cell *c)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);

	if (be_user(c))
		return -1;
	c->given = bpf_obj_get_opts(BM_PIN, &opts);
	return c->given < 0;
}

static int be_in_userns(struct cell *c)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

/* It has all capabilities there, and everything that can be delegated. */
static int be_with_token(struct cell *c)
{
	if (be_in_userns(c))
		return -1;
	c->token_fd = bm_token_ask(&c->talk);
	return c->token_fd < 0;
}

/* A module's fd is for reading it only. */
static bool give_read_only(struct cell *c)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);

	c->given = bpf_module_get_fd_by_id_opts(c->id, &opts);
	return ASSERT_OK_FD(c->given, "read-only fd");
}

static bool give_by_id(struct cell *c)
{
	c->given = bpf_module_get_fd_by_id(c->id);
	return ASSERT_OK_FD(c->given, "fd by id");
}

static bool give_pin(struct cell *c)
{
	return ASSERT_OK(chown(BM_PIN, 1000, 1000) || chmod(BM_PIN, 0400), "a pin to read");
}

/* Nobody changes a module without all of its capabilities. */
#define NO_CHANGE \
	[LOAD] = -EPERM, [REPLACE] = -EPERM, [UNLOAD] = -EPERM, [DRAIN] = -EPERM
/* Ids are, as those of other objects, for CAP_SYS_ADMIN. */
#define NO_IDS [NEXT_ID] = -EPERM, [FD_BY_ID] = -EPERM
#define NO_PROG [ITER] = -EPERM

/* Everything that is not named is allowed: 0. */
static const struct {
	const char *name;
	bool (*give)(struct cell *c);
	int (*become)(struct cell *c);	/* NULL: root with only @caps */
	__u64 caps;
	bool token;
	int ret[COMMANDS];
} rows[] = {
	{ "all", .caps = ~0ULL },
	{ "none", .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "without_bpf", .caps = BM_CAP(PERFMON) | BM_CAP(NET_ADMIN),
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "without_perfmon", .caps = BM_CAP(BPF) | BM_CAP(NET_ADMIN),
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "without_net_admin", .caps = BM_BPF_CAPS, .ret = { NO_CHANGE, NO_IDS } },
	{ "without_sys_admin", .caps = BM_BPF_CAPS | BM_CAP(NET_ADMIN), .ret = { NO_IDS } },
	{ "only_bpf", .caps = BM_CAP(BPF), .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "only_perfmon", .caps = BM_CAP(PERFMON), .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "only_net_admin", .caps = BM_CAP(NET_ADMIN), .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "only_sys_admin", .caps = BM_CAP(SYS_ADMIN) },
	{ "all_but_sys_admin_and_bpf", .caps = ~(BM_CAP(SYS_ADMIN) | BM_CAP(BPF)),
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "userns", NULL, be_in_userns, .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	/* a token gives the program of an iterator, and nothing of a module */
	{ "token", NULL, be_with_token, .token = true, .ret = { NO_CHANGE, NO_IDS } },
	{ "user_fd", NULL, be_user, .ret = { NO_CHANGE, NO_IDS, NO_PROG, [GET] = -EACCES } },
	{ "user_fd_by_id", give_by_id, be_user,
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG, [GET] = -EACCES } },
	{ "user_read_only_fd", give_read_only, be_user,
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG, [PIN] = -EPERM, [GET] = -EACCES } },
	{ "user_pin_0400", give_pin, be_user_with_pin,
	  .ret = { NO_CHANGE, NO_IDS, NO_PROG, [PIN] = -EPERM, [GET] = -EACCES } },
	{ "by_id_none", give_by_id, .ret = { NO_CHANGE, NO_IDS, NO_PROG } },
	{ "read_only_fd_all", give_read_only, .caps = ~0ULL,
	  .ret = { [REPLACE] = -EPERM, [UNLOAD] = -EPERM, [DRAIN] = -EPERM, [PIN] = -EPERM } },
};

static bool cell_open(struct cell *c, int command)
{
	memset(c, 0, sizeof(*c));
	c->fd = bm_cc_open_load(&c->cc, BM_NAME, BM_NAME);
	if (c->fd < 0)
		return false;
	if (!bm_cc_open(&c->next)) {
		bm_cc_cleanup(&c->cc, c->fd);
		return false;
	}
	/* the replacement registers under the same name, another module does not */
	bm_cc_add(&c->next, command == LOAD ? BM_OTHER : BM_NAME);
	c->given = c->fd;
	c->id = bm_find(BM_NAME);
	c->iter_btf_id = btf__find_by_name_kind(bm_vmlinux_btf(), "bpf_iter_bpf_module",
						BTF_KIND_FUNC);
	c->iter_prog = iter_prog_load(c);
	ASSERT_OK_FD(c->iter_prog, "program of an iterator");
	ASSERT_OK(bpf_obj_pin(c->fd, BM_PIN), "pin");
	return true;
}

static void cell_close(struct cell *c)
{
	bm_drain_name(BM_OTHER);
	bm_drain_name(BM_NAME);
	unlink(BM_PIN);
	unlink(BM_PIN "_2");
	if (c->iter_prog >= 0)
		close(c->iter_prog);
	if (c->given >= 0 && c->given != c->fd)
		close(c->given);
	close(c->fd);
	bm_cc_close(&c->next);
	bm_cc_close(&c->cc);
}

/* In the child: writes what the command returned, or nothing if it did not get there. */
static void try_command(struct cell *c, int row, int command, int result)
{
	int ret;

	if (rows[row].become ? rows[row].become(c) : cap_disable_effective(~rows[row].caps, NULL))
		return;
	ret = commands[command].run(c);
	ret = ret < 0 ? ret : 0;
	if (write(result, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
}

static bool command_returns(struct cell *c, int row, int command, int *ret)
{
	int result[2], status;
	pid_t child;
	bool ok;

	if (!ASSERT_OK(pipe(result), "pipe"))
		return false;
	if (rows[row].token && !bm_talk_open(&c->talk)) {
		close(result[0]);
		close(result[1]);
		return false;
	}
	fflush(stdout);
	child = fork();
	if (!child) {
		try_command(c, row, command, result[1]);
		_exit(0);
	}
	close(result[1]);
	ok = ASSERT_GT(child, 0, "fork");
	if (ok && rows[row].token)
		bm_token_give(&c->talk, child);
	ok = ok && ASSERT_EQ(read(result[0], ret, sizeof(*ret)), sizeof(*ret), "child's answer");
	if (child > 0)
		ok = ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid") && ok;
	close(result[0]);
	return ok;
}

static void test_cell(int row, int command)
{
	int ret, expected = rows[row].ret[command];
	bool ends = commands[command].ends && !expected;
	struct cell c;

	if (!cell_open(&c, command))
		return;
	if (rows[row].give && !rows[row].give(&c))
		goto out;
	if (!command_returns(&c, row, command, &ret))
		goto out;
	ASSERT_EQ(ret, expected, commands[command].name);
	ASSERT_EQ(bm_state(c.fd), ends ? BPF_MODULE_STATE_GONE : BPF_MODULE_STATE_LIVE, "state");
	ASSERT_EQ(bm_listed(c.id), !ends, "listed");
	/* its op stays, or is that of the replacement */
	ASSERT_EQ(bm_tcp_has(BM_NAME), !ends || command == REPLACE, "op is registered");
	ASSERT_EQ(bm_tcp_has(BM_OTHER), command == LOAD && !expected, "other op is registered");
out:
	cell_close(&c);
}

void serial_test_bpf_module_matrix(void)
{
	int row, command;
	char name[64];

	/* everybody may look for names there, and pin */
	if (!ASSERT_OK(chmod(BM_BPFFS, 01777), "chmod bpffs"))
		return;
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		for (command = 0; command < COMMANDS; command++) {
			snprintf(name, sizeof(name), "%s_%s", rows[row].name,
				 commands[command].name);
			if (test__start_subtest(name))
				test_cell(row, command);
		}
	}
	ASSERT_OK(chmod(BM_BPFFS, 01700), "chmod bpffs back");
}
