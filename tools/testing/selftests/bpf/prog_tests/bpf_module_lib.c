// SPDX-License-Identifier: GPL-2.0
/*
 * BPF libraries in C: functions that a module exports, and programs of many types that
 * call them by name, each with a skeleton.
 */
#include <dirent.h>
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_func.h"
#include "bpf_module_info.h"
#include "bpf_module_lib.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_bare.skel.h"
#include "bpf_module_chain.skel.h"
#include "bpf_module_funcs.skel.h"
#include "bpf_module_lib_call.skel.h"
#include "bpf_module_lib_weak.skel.h"

#define BM_PIN "/sys/fs/bpf/bm_lib"

static int cgroup_fd = -1;

static struct bpf_module_lib_call *load_callers(void)
{
	struct bpf_module_lib_call *skel = bpf_module_lib_call__open();

	if (!ASSERT_OK_PTR(skel, "open callers"))
		return NULL;
	skel->bss->pid = getpid();
	if (ASSERT_OK(bpf_module_lib_call__load(skel), "load callers"))
		return skel;
	bpf_module_lib_call__destroy(skel);
	return NULL;
}

static bool attach_callers(struct bpf_module_lib_call *skel)
{
	LIBBPF_OPTS(bpf_tcx_opts, tcx);

	skel->links.call_xdp = bpf_program__attach_xdp(skel->progs.call_xdp, 1);
	skel->links.call_tcx = bpf_program__attach_tcx(skel->progs.call_tcx, 1, &tcx);
	skel->links.call_cgroup = bpf_program__attach_cgroup(skel->progs.call_cgroup, cgroup_fd);
	return ASSERT_OK_PTR(skel->links.call_xdp, "xdp") &&
	       ASSERT_OK_PTR(skel->links.call_tcx, "tcx") &&
	       ASSERT_OK_PTR(skel->links.call_cgroup, "cgroup") &&
	       ASSERT_OK(bpf_module_lib_call__attach(skel), "attach");
}

/* XDP, tcx, cgroup and LSM; and the congestion control. */
static void run_net(void)
{
	int listener = bm_listen(AF_INET, "reno"), sock;

	sock = bm_connect(listener, "bm_lib_call");
	ASSERT_OK_FD(sock, "connect");
	close(sock);
	close(listener);
}

/* A test run of a tracing program calls bpf_fentry_test1(). */
static void run_tracing(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), bpf_program__name(prog));
}

static const char * const callers[LIB_WHO] = {
	[LIB_XDP]	= "xdp",
	[LIB_TCX]	= "tcx",
	[LIB_CGROUP]	= "cgroup",
	[LIB_KPROBE]	= "kprobe",
	[LIB_FENTRY]	= "fentry",
	[LIB_LSM]	= "lsm",
	[LIB_OPS]	= "struct_ops",
	[LIB_SYSCALL]	= "syscall",
	[LIB_NAP]	= "sleepable function",
};

/* Programs of all types run one copy of a function, with one map. */
static void test_callers(void)
{
	struct bpf_module_lib_call *skel = NULL;
	struct bpf_module_lib *lib = bm_library();
	struct bpf_module_func_info funcs[5] = {};
	struct bpf_module_info info;
	__u64 cnt;
	int i;

	if (!lib)
		return;
	ASSERT_EQ(lib->bss->step, LIB_STEP, "init has run");
	skel = load_callers();
	if (!skel || !attach_callers(skel))
		goto out;
	/* all except the three members that call the kernel, and the one that is not loaded */
	ASSERT_EQ(bm_users(bm_library_fd(lib)), 8, "users");
	ASSERT_OK(bm_func_info(bm_library_fd(lib), &info, funcs, 5), "info");
	ASSERT_EQ(info.funcs_cnt, 5, "functions");
	ASSERT_STREQ(funcs[0].name, "lib_count", "first function");
	ASSERT_EQ(funcs[0].callers_cnt, 8, "callers");
	ASSERT_EQ(funcs[1].callers_cnt, 0, "callers of another function");

	run_net();
	run_tracing(skel->progs.call_fentry);
	run_tracing(skel->progs.call_syscall);
	for (i = 0; i <= LIB_NAP; i++) {
		cnt = bm_library_count(lib, i);
		ASSERT_GT(cnt, 0, callers[i]);
		ASSERT_EQ(cnt % LIB_STEP, 0, callers[i]);
	}
	ASSERT_EQ(bm_library_count(lib, LIB_FENTRY), LIB_STEP, "runs of fentry");
	ASSERT_EQ(bpf_module__unload(lib->modules.bm_lib), -EBUSY, "unload");
out:
	bpf_module_lib_call__destroy(skel);
	ASSERT_TRUE(bm_wait(bm_users(bm_library_fd(lib)) == 0), "users at the end");
	ASSERT_OK(bpf_module__unload(lib->modules.bm_lib), "unload without callers");
	bpf_module_lib__destroy(lib);
}

/* The callers run on when the library's loader is gone, and the library waits for them. */
static void test_drain(void)
{
	struct bpf_module_lib_call *skel = NULL;
	struct bpf_module_lib *lib = bm_library();
	int fd, counts_fd;

	if (!lib)
		return;
	fd = dup(bm_library_fd(lib));
	counts_fd = dup(bpf_map__fd(lib->maps.lib_counts));
	skel = load_callers();
	bpf_module_lib__destroy(lib);
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
	if (skel) {
		int who = LIB_TCX;
		__u64 cnt = 0;

		bm_run_tc(skel->progs.call_tcx);
		ASSERT_OK(bpf_map_lookup_elem(counts_fd, &who, &cnt), "lookup");
		ASSERT_EQ(cnt, LIB_STEP, "count");
	}
	bpf_module_lib_call__destroy(skel);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "gone");
	close(counts_fd);
	close(fd);
}

/* A library that calls a library, and a caller of it. */
static void test_chain(void)
{
	struct bpf_module_lib_call *skel = NULL;
	struct bpf_module_lib *lib = bm_library();
	struct bpf_module_chain *chain = NULL;
	struct bpf_module_info info;
	struct bpf_program *prog;

	if (!lib)
		return;
	chain = bpf_module_chain__open_and_load();
	if (!ASSERT_OK_PTR(chain, "open and load") ||
	    !ASSERT_OK(bpf_module_chain__attach(chain), "attach"))
		goto out;
	skel = bpf_module_lib_call__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		goto out;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.call_chain);
	bpf_map__set_autocreate(skel->maps.call_ops, false);
	if (ASSERT_OK(bpf_module_lib_call__load(skel), "load")) {
		ASSERT_EQ(bm_run_tc(skel->progs.call_chain), LIB_STEP + 1, "returned");
		ASSERT_EQ(bm_library_count(lib, LIB_CHAIN), LIB_STEP, "count");
		ASSERT_EQ(bm_users(bm_library_fd(lib)), 1, "users");
		ASSERT_EQ(bm_users(bpf_module__fd(chain->modules.bm_chain)), 1, "users");
		ASSERT_OK(bm_info(bpf_module__fd(chain->modules.bm_chain), &info), "info");
		ASSERT_EQ(info.deps_cnt, 1, "depends on");
	}
out:
	bpf_module_lib_call__destroy(skel);
	bpf_module_chain__destroy(chain);
	bm_library_end(lib);
}

/* Modules of functions alone, and which function is in which. */
static void test_funcs_only(void)
{
	struct bpf_module_funcs *skel = bpf_module_funcs__open();
	struct bpf_module_func_info funcs[2] = {};
	struct bpf_module_info info;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_EQ(bpf_program__type(skel->progs.funcs_half), BPF_PROG_TYPE_MODULE_FUNC, "type");
	ASSERT_EQ(bpf_program__module(skel->progs.funcs_half), skel->modules.bm_funcs_1, "module");
	ASSERT_EQ(bpf_program__module(skel->progs.funcs_twice_2), skel->modules.bm_funcs_2,
		  "module");
	ASSERT_NULL(bpf_program__module(skel->progs.funcs_none), "module of none");
	if (!ASSERT_OK(bpf_module_funcs__load(skel), "load") ||
	    !ASSERT_OK(bpf_module_funcs__attach(skel), "attach"))
		goto out;
	ASSERT_NULL(skel->links.funcs_half, "link of a function");
	ASSERT_OK(bm_func_info(bpf_module__fd(skel->modules.bm_funcs_1), &info, funcs, 2), "info");
	ASSERT_EQ(info.funcs_cnt, 2, "functions");
	ASSERT_EQ(info.links_cnt + info.ops_cnt, 0, "other than functions");
	ASSERT_STREQ(funcs[0].name, "funcs_half", "first");
	ASSERT_STREQ(funcs[1].name, "funcs_twice", "second");
	ASSERT_OK(bm_func_info(bpf_module__fd(skel->modules.bm_funcs_2), &info, funcs, 2), "info");
	ASSERT_EQ(info.funcs_cnt, 1, "functions");
	ASSERT_STREQ(funcs[0].name, "funcs_twice_2", "only");
out:
	bpf_module_funcs__destroy(skel);
	ASSERT_EQ(bm_find("bm_funcs_1"), 0, "listed");
}

/* Functions that the user leaves out, like other programs of a module. */
static void test_left_out(void)
{
	struct bpf_module_funcs *skel = bpf_module_funcs__open();
	struct bpf_module_func_info func = {};
	struct bpf_module_info info;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.funcs_half, false);
	bpf_program__set_autoload(skel->progs.funcs_twice_2, false);
	if (ASSERT_OK(bpf_module_funcs__load(skel), "load") &&
	    ASSERT_OK(bpf_module_funcs__attach(skel), "attach")) {
		ASSERT_OK(bm_func_info(bpf_module__fd(skel->modules.bm_funcs_1), &info, &func, 1),
			  "info");
		ASSERT_EQ(info.funcs_cnt, 1, "functions");
		ASSERT_STREQ(func.name, "funcs_twice", "the other");
		ASSERT_EQ(bm_find("bm_funcs_2"), 0, "a module of nothing");
	}
	bpf_module_funcs__destroy(skel);

	skel = bpf_module_funcs__open();
	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	ASSERT_OK(bpf_module__set_autocreate(skel->modules.bm_funcs_1, false), "left out");
	ASSERT_OK(bpf_module_funcs__load(skel), "load");
	ASSERT_LT(bpf_program__fd(skel->progs.funcs_half), 0, "its function");
	ASSERT_OK_FD(bpf_program__fd(skel->progs.funcs_twice_2), "the other's");
	bpf_module_funcs__destroy(skel);
}

/* If an object declares no module, functions are exported on request. */
static void test_undeclared(void)
{
	struct bpf_module_bare *skel = bpf_module_bare__open();
	struct bpf_module_func_info func = {};
	struct bpf_module_info info;
	struct bpf_module *mod;
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	mod = bpf_object__next_module(skel->obj, NULL);
	ASSERT_EQ(bpf_program__module(skel->progs.bare_twice), mod, "module");
	ASSERT_OK(bpf_module__set_autocreate(mod, true), "set_autocreate");
	if (ASSERT_OK(bpf_module_bare__load(skel), "load")) {
		link = bpf_module__attach(mod);
		ASSERT_OK_PTR(link, "attach");
		ASSERT_OK(bm_func_info(bpf_module__fd(mod), &info, &func, 1), "info");
		ASSERT_EQ(info.funcs_cnt, 1, "functions");
		ASSERT_STREQ(func.name, "bare_twice", "function");
		bpf_link__destroy(link);
	}
	bpf_module_bare__destroy(skel);
}

/* The needs of an object are known once it is open. */
static void test_deps(void)
{
	static const char * const needs[][2] = {
		{ "bm_chain", "chain_count" },
		{ LIB_NAME, "lib_count" },
		{ LIB_NAME, "lib_nap" },
	};
	struct bpf_module_lib_call *skel = bpf_module_lib_call__open();
	struct bpf_module_lib_weak *weak = bpf_module_lib_weak__open();
	struct bpf_module_lib *lib = bpf_module_lib__open();
	const struct bpf_module_dep *dep;
	int i = 0;

	if (!ASSERT_OK_PTR(skel, "open") || !ASSERT_OK_PTR(weak, "open") ||
	    !ASSERT_OK_PTR(lib, "open"))
		goto out;
	bpf_object__for_each_module_dep(dep, skel->obj) {
		if (!ASSERT_LT(i, ARRAY_SIZE(needs), "functions"))
			break;
		ASSERT_STREQ(bpf_module_dep__module(dep), needs[i][0], "module");
		ASSERT_STREQ(bpf_module_dep__func(dep), needs[i][1], "function");
		ASSERT_FALSE(bpf_module_dep__is_weak(dep), "weak");
		i++;
	}
	ASSERT_EQ(i, ARRAY_SIZE(needs), "functions");
	bpf_object__for_each_module_dep(dep, weak->obj) {
		ASSERT_TRUE(bpf_module_dep__is_weak(dep), "weak");
		ASSERT_NULL(strstr(bpf_module_dep__func(dep), "___"), "flavor");
	}
	ASSERT_NULL(bpf_object__next_module_dep(lib->obj, NULL), "what calls none");
out:
	bpf_module_lib__destroy(lib);
	bpf_module_lib_weak__destroy(weak);
	bpf_module_lib_call__destroy(skel);
}

static void check_weak(int found)
{
	struct bpf_module_lib_weak *skel = bpf_module_lib_weak__open_and_load();

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	bm_run_tc(skel->progs.weak_guarded);
	ASSERT_EQ(skel->bss->found, found, "found");
	bpf_module_lib_weak__destroy(skel);
}

/* Weak externs exist or not; one with another prototype does not, and a warning says so. */
static void test_weak(void)
{
	struct bpf_module_lib *lib;
	char *log;

	check_weak(0);
	lib = bm_library();
	ASSERT_OK(start_libbpf_log_capture(), "log");
	check_weak(1);
	log = stop_libbpf_log_capture();
	if (ASSERT_OK_PTR(log, "log"))
		ASSERT_HAS_SUBSTR(log, "declares 'int lib_count(long)', but module bm_lib has 'int lib_count(int)': argument 1 differs; as it is weak, it counts as missing",
				  "line");
	free(log);
	bm_library_end(lib);
	check_weak(0);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int cnt = 0;

	while (dir && readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}

static bool has_module_fd(void)
{
	struct bpf_module_info info;
	int fd;

	for (fd = 0; fd < 256; fd++)
		if (!bm_info(fd, &info))
			return true;
	return false;
}

/* The library's fd is closed whether loading its caller succeeds or fails. */
static void test_fds(void)
{
	struct bpf_module_lib_weak *skel = NULL;
	struct bpf_module_lib *lib = bm_library();
	int fd, fds;

	if (!lib)
		return;
	fd = dup(bm_library_fd(lib));
	bpf_link__disconnect(lib->links.bm_lib);
	bpf_module_lib__destroy(lib);
	ASSERT_OK(bpf_obj_pin(fd, BM_PIN), "pin");
	close(fd);

	fds = count_fds();
	skel = bpf_module_lib_weak__open_and_load();
	ASSERT_OK_PTR(skel, "open and load");
	ASSERT_FALSE(has_module_fd(), "module fd while it is loaded");
	bpf_module_lib_weak__destroy(skel);
	skel = bpf_module_lib_weak__open();
	if (ASSERT_OK_PTR(skel, "open")) {
		bpf_program__set_autoload(skel->progs.weak_unguarded, true);
		ASSERT_ERR(bpf_module_lib_weak__load(skel), "load");
	}
	bpf_module_lib_weak__destroy(skel);
	ASSERT_EQ(count_fds(), fds, "fds");

	fd = bpf_obj_get(BM_PIN);
	unlink(BM_PIN);
	bm_drain(fd);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "gone");
	close(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "callers", test_callers },
	{ "drain", test_drain },
	{ "chain", test_chain },
	{ "funcs_only", test_funcs_only },
	{ "left_out", test_left_out },
	{ "undeclared", test_undeclared },
	{ "deps", test_deps },
	{ "weak", test_weak },
	{ "fds", test_fds },
};

void serial_test_bpf_module_lib(void)
{
	int i, netns = bm_netns_enter();

	if (netns < 0)
		return;
	cgroup_fd = test__join_cgroup("/bm_lib");
	if (ASSERT_OK_FD(cgroup_fd, "cgroup")) {
		for (i = 0; i < ARRAY_SIZE(tests); i++)
			if (test__start_subtest(tests[i].name))
				tests[i].run();
		close(cgroup_fd);
	}
	bm_netns_leave(netns);
}
