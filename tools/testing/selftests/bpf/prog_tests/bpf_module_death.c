// SPDX-License-Identifier: GPL-2.0
/*
 * The loader of a module is killed at every system call that it makes, before and
 * after the call, in a run each: the module is complete once BPF_MODULE_LOAD has
 * ended, and does not exist before. The module has two ops, links, init and exit, or
 * functions and a program that calls one.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_cc.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_net.h"
#include "bpf_module_report.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"
#include "bpf_module_kinds.skel.h"
#include "bpf_module_runs.skel.h"
#include "bpf_module_sections.skel.h"

/* What is loaded, and how. */
struct way {
	const char *name;
	const char *module;
	const char *ops[2];
	int (*load)(const struct way *way);	/* in the child, 0 if it did */
	__u32 flags;
	int links;
	int funcs;
};

static int load_by_syscalls(const struct way *way)
{
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return 1;
	bm_cc_add(&cc, way->ops[0]);
	bm_cc_add(&cc, way->ops[1]);
	return bm_cc_load_flags(&cc, way->module, way->flags, 0) < 0;
}

/*
 * libbpf loads the programs first, which takes long without KVM and creates no
 * module. The child does the rest: attach, disconnect, free.
 */
static struct bpf_module_sections *skel;

static int load_by_libbpf(const struct way *way)
{
	struct bpf_link *link = bpf_module__attach(skel->modules.bm_first);

	if (!link)
		return 1;
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	bpf_module_sections__destroy(skel);
	return 0;
}

/* The programs of links, init and exit. */
static struct bpf_module_kinds *kinds;
static struct bpf_module_runs *runs;

static int load_with_links(const struct way *way)
{
	struct bm_load load;
	struct bm_cc cc;

	if (!bm_cc_open(&cc))
		return 1;
	bm_cc_add(&cc, way->ops[0]);
	bm_cc_add(&cc, way->ops[1]);
	bm_load_init(&load, way->module);
	bm_load_add(&load, bm_link_create(kinds->progs.link_xdp_generic, 1, 0), 0);
	bm_load_add(&load, bm_link_create(kinds->progs.link_tcx_egress, 1, 0), 0);
	load.attr.module_load.flags = way->flags;
	bm_load_ops(&load, &cc);
	load.attr.module_load.init_fd = bpf_program__fd(runs->progs.run_init);
	load.attr.module_load.exit_fd = bpf_program__fd(runs->progs.run_exit);
	return bm_load(&load) < 0;
}

/* The functions are loaded as programs first, which takes long. Ends as a caller. */
static int load_with_funcs(const struct way *way)
{
	struct bpf_module_func funcs[FUNCS];
	union bpf_attr attr;
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return 1;
	bm_cc_add(&cc, way->ops[0]);
	bm_cc_add(&cc, way->ops[1]);
	bm_lib_attr(&lib, way->module, &attr, funcs);
	attr.module_load.flags = way->flags;
	attr.module_load.ops = ptr_to_u64(cc.ops);
	attr.module_load.ops_cnt = cc.ops_cnt;
	attr.module_load.ops_size = sizeof(cc.ops[0]);
	lib.module_fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	if (lib.module_fd < 0)
		return 1;
	fd = load_counting(XDP, 1);
	return fd < 0 || bm_users(lib.module_fd) != 1 || bm_run(fd) <= 0;
}

static const struct way ways[] = {
	{ "syscalls", "bm_death", { "bm_death_a", "bm_death_b" }, load_by_syscalls },
	{ "bound", "bm_death", { "bm_death_a", "bm_death_b" }, load_by_syscalls,
	  BPF_F_MODULE_BOUND },
	{ "links", "bm_death", { "bm_death_a", "bm_death_b" }, load_with_links, .links = 2 },
	{ "links_bound", "bm_death", { "bm_death_a", "bm_death_b" }, load_with_links,
	  BPF_F_MODULE_BOUND, .links = 2 },
	{ "funcs", "bm_death", { "bm_death_a", "bm_death_b" }, load_with_funcs, .funcs = FUNCS },
	{ "funcs_bound", "bm_death", { "bm_death_a", "bm_death_b" }, load_with_funcs,
	  BPF_F_MODULE_BOUND, .funcs = FUNCS },
	{ "libbpf", "bm_first", { "bm_first_a", "bm_first_b" }, load_by_libbpf },
};

static int count_progs(void)
{
	__u32 id = 0;
	int cnt = 0;

	while (!bpf_prog_get_next_id(id, &id))
		cnt++;
	return cnt;
}

/* Of others, from before the test. */
static int links_before;

static int count_links(void)
{
	__u32 id = 0;
	int cnt = 0;

	while (!bpf_link_get_next_id(id, &id))
		cnt++;
	return cnt;
}

/* What the tracer knows of a loader. */
struct loader {
	pid_t pid;
	int stops;	/* at the entry or the exit of a system call */
	bool loading;	/* is in BPF_MODULE_LOAD */
	bool loaded;	/* has come out of it */
	bool ended;	/* by itself, with success */
};

static bool loader_start(struct loader *loader, const struct way *way)
{
	int status;

	memset(loader, 0, sizeof(*loader));
	fflush(stdout);
	loader->pid = fork();
	if (!loader->pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP))
			_exit(1);
		_exit(way->load(way));
	}
	return ASSERT_GT(loader->pid, 0, "fork") &&
	       ASSERT_EQ(waitpid(loader->pid, &status, 0), loader->pid, "waitpid") &&
	       ASSERT_TRUE(WIFSTOPPED(status), "the loader waits") &&
	       ASSERT_OK(ptrace(PTRACE_SETOPTIONS, loader->pid, 0,
				PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), "trace");
}

static void loader_kill(struct loader *loader)
{
	int status;

	kill(loader->pid, SIGKILL);
	ASSERT_EQ(waitpid(loader->pid, &status, 0), loader->pid, "waitpid");
	ASSERT_TRUE(WIFSIGNALED(status), "the loader was killed");
}

/* Lets the loader go on to its next stop; false if there is none. */
static bool loader_step(struct loader *loader)
{
	struct __ptrace_syscall_info info = {};
	int status;

	if (!ASSERT_OK(ptrace(PTRACE_SYSCALL, loader->pid, 0, 0), "go on") ||
	    !ASSERT_EQ(waitpid(loader->pid, &status, 0), loader->pid, "waitpid"))
		return false;
	if (WIFEXITED(status)) {
		loader->ended = WEXITSTATUS(status) == 0;
		return false;
	}
	loader->stops++;
	if (!ASSERT_EQ(status >> 8, SIGTRAP | 0x80, "stop at a system call") ||
	    !ASSERT_GT(ptrace(PTRACE_GET_SYSCALL_INFO, loader->pid, sizeof(info), &info), 0,
		       "which one"))
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		loader->loading = info.entry.nr == __NR_bpf &&
				  info.entry.args[0] == BPF_MODULE_LOAD;
	} else if (loader->loading) {
		loader->loading = false;
		loader->loaded = info.exit.rval >= 0;
	}
	return true;
}

/* Is the module complete, or not there at all if @expected says so? */
static bool check_there(const struct way *way, bool expected)
{
	return ASSERT_EQ(bm_find(way->module) > 0, expected, "listed") &
	       ASSERT_EQ(bm_tcp_has(way->ops[0]), expected, "first op is registered") &
	       ASSERT_EQ(bm_tcp_has(way->ops[1]), expected, "second op is registered");
}

static bool check_unload(const struct way *way)
{
	struct bpf_module_info info;
	bool ok;
	int fd;

	fd = bpf_module_get_fd_by_id(bm_find(way->module));
	ok = ASSERT_OK(bm_info(fd, &info), "info") &&
	     ASSERT_EQ(info.state, BPF_MODULE_STATE_LIVE, "state") &&
	     ASSERT_EQ(info.ops_cnt, 2, "ops") &&
	     ASSERT_EQ(info.links_cnt, way->links, "links") &&
	     ASSERT_EQ(info.funcs_cnt, way->funcs, "functions") &&
	     ASSERT_TRUE(bm_wait(!bm_users(fd)), "no users") &&
	     ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
	close(fd);
	return ok && check_there(way, false);
}

/* Nothing is left, and each load that got past init has had its exit. */
static bool nothing_left(int progs, int links)
{
	return count_progs() == progs && count_links() == links &&
	       READ_ONCE(runs->bss->inits) == READ_ONCE(runs->bss->exits);
}

/* Nothing is left afterwards, whatever there was. */
static bool check_end(const struct way *way, const struct loader *loader, int progs)
{
	bool expected = loader->loaded && !(way->flags & BPF_F_MODULE_BOUND);

	/* a bound module is going until its exit has run */
	if (loader->loaded && !expected)
		ASSERT_TRUE(bm_wait(!bm_find(way->module)), "gone");
	return check_there(way, expected) &&
	       (!expected || check_unload(way)) &&
	       ASSERT_TRUE(bm_wait(nothing_left(progs, links_before)), "nothing is left");
}

/* In a run of its own, at stop number @stop. */
static bool kill_at(const struct way *way, int stop, int progs)
{
	struct loader loader;

	if (!loader_start(&loader, way))
		return false;
	while (loader.stops < stop && loader_step(&loader))
		;
	if (!ASSERT_EQ(loader.stops, stop, "the loader does the same again"))
		return false;
	loader_kill(&loader);
	return check_end(way, &loader, progs);
}

static void test_way(const struct way *way)
{
	int stop, progs = count_progs();
	struct loader loader;

	if (!loader_start(&loader, way))
		return;
	while (loader_step(&loader))
		;
	if (!ASSERT_TRUE(loader.ended, "a loader that is left alone ends well") ||
	    !ASSERT_TRUE(loader.loaded, "it was seen to load") ||
	    !check_end(way, &loader, progs))
		return;

	for (stop = 1; stop <= loader.stops; stop++) {
		if (!kill_at(way, stop, progs)) {
			printf("%s: killed at stop %d of %d\n", way->name, stop, loader.stops);
			return;
		}
	}
	bm_report("bpf_module_death/%s: killed at each of %d points\n", way->name, loader.stops);
}

void serial_test_bpf_module_death(void)
{
	int i, func[FUNCS + 1], netns = bm_netns_enter();

	/* read once, and not by the loaders */
	bm_vmlinux_btf();
	skel = bpf_module_sections__open_and_load();
	kinds = bpf_module_kinds__open_and_load();
	runs = bpf_module_runs__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load") || !ASSERT_OK_PTR(kinds, "open and load links") ||
	    !ASSERT_OK_PTR(runs, "open and load runs") || !bm_lib_open(&lib))
		goto out;
	if (!add_types(func, 0) || !add_functions(func))
		goto out_lib;
	links_before = count_links();
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (test__start_subtest(ways[i].name))
			test_way(&ways[i]);
out_lib:
	bm_lib_close(&lib);
out:
	bpf_module_runs__destroy(runs);
	bpf_module_kinds__destroy(kinds);
	bpf_module_sections__destroy(skel);
	bm_netns_leave(netns);
}
