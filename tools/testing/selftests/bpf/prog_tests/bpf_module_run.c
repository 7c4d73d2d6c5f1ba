// SPDX-License-Identifier: GPL-2.0
/*
 * The init program of a module runs once, before its ops are registered, and decides
 * about the load. The exit program runs exactly once for each load that got past
 * init, after everything else of the module.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <signal.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_prog.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_extend.skel.h"
#include "bpf_module_runs.skel.h"

#define NAME "bm_run"
#define OTHER "bm_run2"

static struct bpf_module_runs *skel;
static int link_fd = -1;

/* A load of a link with both programs. */
static void init_load(struct bm_load *load, const char *name)
{
	bm_load_init(load, name);
	bm_load_add(load, link_fd, 0);
	load->attr.module_load.init_fd = bpf_program__fd(skel->progs.run_init);
	load->attr.module_load.exit_fd = bpf_program__fd(skel->progs.run_exit);
	skel->bss->init_ret = 0;
	skel->bss->inits = 0;
	skel->bss->exits = 0;
	memset(&skel->bss->exit_ctx, 0, sizeof(skel->bss->exit_ctx));
}

static void run_fentry(void)
{
	bm_test_run(skel->progs.run_fentry);
}

static void test_once(void)
{
	struct bpf_module_info info;
	int module_fd, runs;
	struct bm_load load;
	__u32 id;

	init_load(&load, NAME);
	run_fentry();
	runs = skel->bss->runs;
	module_fd = bm_load(&load);
	if (!ASSERT_OK_FD(module_fd, "load"))
		return;
	id = bm_id(module_fd);
	ASSERT_EQ(skel->bss->inits, 1, "runs of init");
	ASSERT_EQ(skel->bss->exits, 0, "runs of exit");
	ASSERT_EQ(skel->bss->init_ctx.module_id, id, "id that init was given");
	ASSERT_EQ(skel->bss->init_ctx.reason, BPF_MODULE_REASON_NONE, "reason");
	ASSERT_EQ(skel->bss->init_ctx.other_id, 0, "other");
	ASSERT_EQ(skel->bss->runs_at_init, runs, "the link ran before");

	ASSERT_OK(bm_info(module_fd, &info), "info");
	ASSERT_GT(info.init_prog_id, 0, "id of init");
	ASSERT_GT(info.exit_prog_id, 0, "id of exit");
	ASSERT_EQ(info.prog_cnt, 3, "programs");
	ASSERT_EQ(info.exit_state, BPF_MODULE_EXIT_NONE, "state of exit");

	run_fentry();
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit when UNLOAD returns");
	ASSERT_EQ(skel->bss->exit_ctx.module_id, id, "id that exit was given");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_UNLOADED, "reason");
	ASSERT_EQ(skel->bss->runs_at_exit, runs + 1, "the link ran until then");
	run_fentry();
	ASSERT_EQ(skel->bss->runs, runs + 1, "and not after");
	ASSERT_EQ(bm_state(module_fd), BPF_MODULE_STATE_GONE, "state");
	ASSERT_FALSE(bm_listed(id), "listed");
	bm_unload(&module_fd);
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit at the end");
}

static void test_drained(void)
{
	struct bm_load load;
	int module_fd;

	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_OK(bm_drain(module_fd), "drain");
	ASSERT_TRUE(bm_wait(bm_state(module_fd) == BPF_MODULE_STATE_GONE), "gone");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_DRAINED, "reason");
	bm_unload(&module_fd);
}

static void test_closed(void)
{
	struct bm_load load;
	int module_fd;

	init_load(&load, NAME);
	load.attr.module_load.flags = BPF_F_MODULE_BOUND;
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_EQ(skel->bss->init_ctx.flags, BPF_F_MODULE_BOUND, "flags");
	close(module_fd);
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->exits)), "exit runs");
	ASSERT_TRUE(bm_wait(!bm_find(NAME)), "gone");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_CLOSED, "reason");
}

/* Init of the new one gets the id of the old one, exit of the old one that of the new. */
static void test_replaced(void)
{
	struct bm_load load, next;
	int module_fd, new_fd;
	__u32 id;

	init_load(&load, NAME);
	load.attr.module_load.init_fd = 0;
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	id = bm_id(module_fd);

	bm_load_init(&next, NULL);
	bm_load_over(&next, module_fd);
	next.attr.module_load.links_cnt = 1;
	next.links[0].link_fd = bpf_raw_tracepoint_open(NULL,
							bpf_program__fd(skel->progs.run_other));
	next.attr.module_load.init_fd = bpf_program__fd(skel->progs.run_init);
	new_fd = bm_load(&next);
	close(next.links[0].link_fd);
	ASSERT_OK_FD(new_fd, "replace");
	ASSERT_EQ(skel->bss->init_ctx.other_id, id, "whom init replaces");
	ASSERT_TRUE(bm_wait(bm_state(module_fd) == BPF_MODULE_STATE_GONE), "gone");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_REPLACED, "reason");
	ASSERT_EQ(skel->bss->exit_ctx.other_id, bm_id(new_fd), "who has replaced it");
	bm_unload(&module_fd);
	bm_unload(&new_fd);
}

/* LOAD returns what init returns, and nothing is left. */
static void test_errno(void)
{
	static const struct {
		int ret, err;
	} cases[] = {
		{ -1, -1 }, { -EIO, -EIO }, { -511, -511 },
		{ -512, -ECANCELED }, { -4095, -ECANCELED }, { 1, -ECANCELED },
	};
	struct bm_load load;
	char part[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		init_load(&load, NAME);
		skel->bss->init_ret = cases[i].ret;
		snprintf(part, sizeof(part), "returned %d", cases[i].ret);
		bm_load_refused(&load, cases[i].err, part);
		ASSERT_EQ(skel->bss->inits, 1, "runs of init");
		ASSERT_EQ(skel->bss->exits, 0, "runs of exit");
		ASSERT_EQ(bm_find(NAME), 0, "listed");
		ASSERT_EQ(bm_link_module(link_fd), 0, "link given back");
	}
}

/* A load that fails after init runs exit before it returns. */
static void test_refused(void)
{
	struct bm_load load;
	struct bm_cc cc;
	int before;

	init_load(&load, NAME);
	if (!bm_cc_open(&cc))
		return;
	/* the name is taken */
	bm_cc_add(&cc, "reno");
	bm_load_ops(&load, &cc);
	bm_load_refused(&load, -EEXIST, "reno");
	ASSERT_EQ(skel->bss->inits, 1, "runs of init");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_REFUSED, "reason");
	ASSERT_EQ(bm_find(NAME), 0, "listed");
	before = skel->bss->runs;
	run_fentry();
	ASSERT_EQ(skel->bss->runs, before, "runs of the link, which was detached before exit");
	ASSERT_EQ(bm_link_module(link_fd), 0, "module of it");
	bm_cc_close(&cc);
}

/* If an op has a user, exit waits for it. */
static void test_user(void)
{
	int module_fd, listener;
	struct bm_load load;
	struct bm_cc cc;

	init_load(&load, NAME);
	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_run_cc");
	bm_load_ops(&load, &cc);
	module_fd = bm_load(&load);
	if (!ASSERT_OK_FD(module_fd, "load"))
		goto close_cc;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_OK(bm_tcp_set(listener, "bm_run_cc"), "user");
	ASSERT_EQ(bpf_module_unload(module_fd, NULL), -EBUSY, "unload");
	ASSERT_OK(bm_drain(module_fd), "drain");
	ASSERT_EQ(bm_state(module_fd), BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(skel->bss->exits, 0, "runs of exit with a user");
	close(listener);
	ASSERT_TRUE(bm_wait(bm_state(module_fd) == BPF_MODULE_STATE_GONE), "gone");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	bm_unload(&module_fd);
close_cc:
	bm_cc_close(&cc);
}

/* Until exit has run the module is going, and info says so. */
static void test_running(void)
{
	struct bpf_module_info info;
	int module_fd, status;
	struct bm_load load;
	pid_t child;

	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	skel->bss->hold = 1;
	child = fork();
	if (!child)
		_exit(bpf_module_unload(module_fd, NULL) ? 1 : 0);
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->exits)), "exit runs");
	ASSERT_OK(bm_info(module_fd, &info), "info");
	ASSERT_EQ(info.state, BPF_MODULE_STATE_GOING, "state");
	ASSERT_EQ(info.exit_state, BPF_MODULE_EXIT_RUNNING, "state of exit");
	ASSERT_EQ(bpf_module_unload(module_fd, NULL), -EINPROGRESS, "unload again");
	/* whoever waits can be killed, exit goes on */
	kill(child, SIGKILL);
	ASSERT_EQ(waitpid(child, &status, 0), child, "killed");
	ASSERT_TRUE(WIFSIGNALED(status), "by the signal");
	skel->bss->hold = 0;
	ASSERT_TRUE(bm_wait(bm_state(module_fd) == BPF_MODULE_STATE_GONE), "gone");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	bm_unload(&module_fd);
}

/* A worker runs exit with the loader's credentials. */
static void test_creds(void)
{
	struct bm_load load;
	int module_fd;

	init_load(&load, NAME);
	ASSERT_OK(setresuid(1000, -1, -1), "uid");
	module_fd = bm_load(&load);
	ASSERT_OK(setresuid(0, -1, -1), "uid back");
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_EQ((__u32)skel->bss->exit_uid, 1000, "uid of exit");
	bm_unload(&module_fd);
}

static void test_not_for_exit(void)
{
	struct bpf_program *progs[] = {
		skel->progs.run_timer, skel->progs.run_close, skel->progs.run_copy,
	};
	struct bm_load load;
	int i;

	for (i = 0; i < ARRAY_SIZE(progs); i++) {
		init_load(&load, NAME);
		load.attr.module_load.exit_fd = bpf_program__fd(progs[i]);
		bm_load_refused(&load, -EINVAL, "calls what exit must not");
		ASSERT_EQ(skel->bss->inits, 0, "runs of init");
	}
	init_load(&load, NAME);
	load.attr.module_load.exit_fd = bpf_program__fd(skel->progs.run_beyond);
	bm_load_refused(&load, -EINVAL, "beyond struct bpf_module_ctx");
	load.attr.module_load.exit_fd = bpf_program__fd(skel->progs.run_fentry);
	bm_load_refused(&load, -EINVAL, "not a program of type syscall");
	load.attr.module_load.exit_fd = 0;
	load.attr.module_load.links_cnt = 0;
	bm_load_refused(&load, -EINVAL, "no ops, links or functions");
}

static void test_claimed(void)
{
	struct bm_load load, other;
	int module_fd, other_fd;

	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	other_fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.run_other));
	bm_load_init(&other, OTHER);
	bm_load_add(&other, other_fd, 0);
	other.attr.module_load.exit_fd = load.attr.module_load.exit_fd;
	bm_load_refused(&other, -EBUSY, "belongs to another module");
	bm_unload(&module_fd);
	ASSERT_TRUE(bm_wait(!bm_find(NAME)), "gone");
	module_fd = bm_load(&other);
	ASSERT_OK_FD(module_fd, "load with the program that is free");
	bm_unload(&module_fd);
	ASSERT_TRUE(bm_wait(!bm_find(OTHER)), "gone");
	close(other_fd);
}

/* A load that is bound to be refused does not run init. */
static void test_known_refused(void)
{
	struct bm_load load;
	int module_fd;
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return;
	bm_cc_add(&cc, "bm_run_cc");
	module_fd = bpf_module_load(NAME, cc.ops, 1, NULL);
	ASSERT_OK_FD(module_fd, "load");
	init_load(&load, NULL);
	bm_load_over(&load, module_fd);
	bm_load_refused(&load, -EINVAL, "0 ops, expected 1");
	ASSERT_EQ(skel->bss->inits, 0, "runs of init");
	ASSERT_EQ(skel->bss->exits, 0, "runs of exit");
	ASSERT_EQ(bm_link_module(link_fd), 0, "link given back");
	bm_unload(&module_fd);
	bm_cc_close(&cc);
}

static struct bpf_link *extend(struct bpf_program *prog, const char *part)
{
	return bpf_program__attach_freplace(prog, bpf_program__fd(skel->progs.run_parts), part);
}

/* Nobody can run their own program with the loader's credentials. */
static void test_extended(void)
{
	struct bpf_module_extend *ext = bpf_module_extend__open();
	int target = bpf_program__fd(skel->progs.run_parts), module_fd;
	struct bpf_link *first, *second;
	struct bm_load load;

	if (!ASSERT_OK_PTR(ext, "open"))
		return;
	bpf_program__set_attach_target(ext->progs.new_first, target, "first_part");
	bpf_program__set_attach_target(ext->progs.new_second, target, "second_part");
	if (!ASSERT_OK(bpf_module_extend__load(ext), "load extensions"))
		goto destroy;

	init_load(&load, NAME);
	load.attr.module_load.exit_fd = target;
	first = extend(ext->progs.new_first, "first_part");
	second = extend(ext->progs.new_second, "second_part");
	ASSERT_OK_PTR(first, "first extension");
	ASSERT_OK_PTR(second, "second extension");
	bm_load_refused(&load, -EBUSY, "is extended by another program");
	/* one of them is left */
	bpf_link__destroy(first);
	bm_load_refused(&load, -EBUSY, "is extended by another program");
	bpf_link__destroy(second);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load with nothing extended");
	first = extend(ext->progs.new_first, "first_part");
	ASSERT_ERR_PTR(first, "extend exit of a module");
	ASSERT_EQ(errno, EBUSY, "reason");
	bm_unload(&module_fd);
destroy:
	bpf_module_extend__destroy(ext);
}

/* The loader is killed while init runs, which cannot be stopped: exit runs, nothing
 * is left.
 */
static void test_killed(void)
{
	struct bm_load load;
	int status, fd = -1;
	pid_t child;
	bool ok;

	init_load(&load, NAME);
	skel->bss->hold_init = 1;
	child = fork();
	if (!child)
		_exit(bm_load(&load) < 0);
	ASSERT_TRUE(bm_wait(READ_ONCE(skel->bss->inits)), "init runs");
	ASSERT_EQ(bm_find(NAME), 0, "listed while init runs");
	kill(child, SIGKILL);
	skel->bss->hold_init = 0;
	ASSERT_EQ(waitpid(child, &status, 0), child, "killed");
	ASSERT_TRUE(WIFSIGNALED(status), "by the signal");
	ok = bm_wait(READ_ONCE(skel->bss->exit_ctx.reason));
	ASSERT_TRUE(ok, "exit runs");
	ASSERT_EQ(skel->bss->exit_ctx.reason, BPF_MODULE_REASON_REFUSED, "reason");
	ASSERT_EQ(bm_find(NAME), 0, "listed");
	ASSERT_EQ(bm_link_module(link_fd), 0, "link given back");

	ok = bm_wait((fd = bm_load(&load)) != -EBUSY);
	ASSERT_TRUE(ok, "the programs are free");
	ASSERT_OK_FD(fd, "load again");
	ASSERT_EQ(skel->bss->inits, 2, "runs of init");
	ASSERT_EQ(skel->bss->exits, 1, "runs of exit");
	bm_unload(&fd);
}

/* Exit may use the maps of the module. */
static void test_exit_map(void)
{
	int module_fd, map_fd = bpf_map__fd(skel->maps.exited);
	__u32 id, key = 0, exited = 0;
	struct bm_load load;

	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	id = bm_id(module_fd);
	ASSERT_OK(bpf_map_lookup_elem(map_fd, &key, &exited), "before");
	ASSERT_NEQ(exited, id, "what was there");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	ASSERT_OK(bpf_map_lookup_elem(map_fd, &key, &exited), "after");
	ASSERT_EQ(exited, id, "what exit has put there");
	bm_unload(&module_fd);
}

/* The maps of both are those that LOAD has seen, as long as the module may run them. */
static void test_bind_map(void)
{
	int init_fd = bpf_program__fd(skel->progs.run_init);
	int exit_fd = bpf_program__fd(skel->progs.run_exit);
	int module_fd, map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bm_bound", 4, 4, 1, NULL);
	struct bm_load load;

	ASSERT_OK_FD(map_fd, "map");
	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	ASSERT_EQ(bpf_prog_bind_map(init_fd, map_fd, NULL), -EBUSY, "bind to init");
	ASSERT_EQ(bpf_prog_bind_map(exit_fd, map_fd, NULL), -EBUSY, "bind to exit");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	bm_unload(&module_fd);
	ASSERT_OK(bpf_prog_bind_map(exit_fd, map_fd, NULL), "bind to a program of no module");
	close(map_fd);
}

static struct bpf_module_runs *extension_load(void)
{
	struct bpf_module_runs *ext = bpf_module_runs__open();
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(ext, "open"))
		return NULL;
	bpf_object__for_each_program(prog, ext->obj)
		bpf_program__set_autoload(prog, prog == ext->progs.run_extension);
	bpf_program__set_attach_target(ext->progs.run_extension,
				       bpf_program__fd(skel->progs.run_init), "run_global");
	if (ASSERT_OK(bpf_module_runs__load(ext), "load extension"))
		return ext;
	bpf_module_runs__destroy(ext);
	return NULL;
}

/* Nobody can run with the loader's credentials by extending its programs. */
static void test_extension(void)
{
	struct bpf_module_runs *ext = extension_load();
	struct bpf_link *link;
	struct bm_load load;
	int module_fd;

	if (!ext)
		return;
	init_load(&load, NAME);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load");
	link = bpf_program__attach(ext->progs.run_extension);
	ASSERT_EQ(libbpf_get_error(link), -EBUSY, "extend init of a module");
	ASSERT_OK(bpf_module_unload(module_fd, NULL), "unload");
	bm_unload(&module_fd);

	link = bpf_program__attach(ext->progs.run_extension);
	ASSERT_OK_PTR(link, "extend a program of no module");
	bm_load_refused(&load, -EBUSY, "is extended by another program");
	bpf_link__destroy(link);
	module_fd = bm_load(&load);
	ASSERT_OK_FD(module_fd, "load what is no longer extended");
	bm_unload(&module_fd);
	bpf_module_runs__destroy(ext);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "once", test_once },
	{ "drained", test_drained },
	{ "closed", test_closed },
	{ "replaced", test_replaced },
	{ "errno", test_errno },
	{ "refused", test_refused },
	{ "user", test_user },
	{ "running", test_running },
	{ "creds", test_creds },
	{ "not_for_exit", test_not_for_exit },
	{ "claimed", test_claimed },
	{ "known_refused", test_known_refused },
	{ "extended", test_extended },
	{ "killed", test_killed },
	{ "exit_map", test_exit_map },
	{ "bind_map", test_bind_map },
	{ "extension", test_extension },
};

void serial_test_bpf_module_run(void)
{
	int i;

	skel = bpf_module_runs__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	skel->bss->pid = getpid();
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		link_fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.run_fentry));
		if (ASSERT_OK_FD(link_fd, "attach"))
			tests[i].run();
		close(link_fd);
		/* cleans up after a test that failed half way */
		bm_drain_name(NAME);
		/* whoever drains does not wait for exit */
		ASSERT_TRUE(bm_wait(!bm_find(NAME) && !bm_find(OTHER)), "exit has run");
	}
	bpf_module_runs__destroy(skel);
}
