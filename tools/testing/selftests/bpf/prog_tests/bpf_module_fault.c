// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy from and to user space that a command makes
 * fails once: the n-th of them is made to fail, for n from 1 until there are no
 * more. After each the command has worked or not, and nothing lies between.
 *
 * Needs a kernel with fault injection; on others it is skipped.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/filter.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_func.h"
#include "bpf_module_func_lib.h"
#include "bpf_module_info.h"
#include "bpf_module_link.h"
#include "bpf_module_prog.h"
#include "bpf_module_report.h"
#include "bpf_module_syscall.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "bpf_module_iter.skel.h"
#include "bpf_module_kinds.skel.h"
#include "bpf_module_runs.skel.h"
#include "struct_ops_module.skel.h"

#define FAULT_MAX 5000
#define FAULT_LINKS 3
#define FAULT_PIN "/sys/fs/bpf/bm_fault"

struct fault {
	struct bm_cc cc;
	struct bm_cc next;	/* what replaces it */
	int fd;			/* the module that the command is about, -1 for none */
	int next_fd;
	__u32 id;
	int link_fd;		/* of an iterator, -1 for none */
	struct struct_ops_module *testmod;
	struct bm_type testmod_type;
	struct bpf_module_kinds *kinds;
	struct bpf_module_runs *runs;
	int links[FAULT_LINKS];	/* that are adopted, 0 for none */
	struct bm_load load;
	int caller_fd;		/* a program that calls functions, 0 for none */
};

static const char * const op_names[] = { "bm_a", "bm_b", "bm_c", "bm_d" };

/* Waiting allocations fail as well as others, of every order. */
static bool injection_on(void)
{
	return bm_write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       bm_write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") &&
	       bm_write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N") &&
	       bm_write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       bm_write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       bm_write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

/* Only kernels with fault injection have both files. */
static int fail_nth_open(void)
{
	if (access("/proc/self/make-it-fail", F_OK))
		return -1;
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

static void fail_nth_set(int fd, int nth)
{
	char buf[16];
	int len = snprintf(buf, sizeof(buf), "%d", nth);

	/* A leftover fault can be hit here: then it is gone. */
	if (pwrite(fd, buf, len, 0) != len && (nth || errno != EFAULT))
		PRINT_FAIL("fail-nth %d: %d\n", nth, -errno);
}

/* Whether the command has hit the fault, which is gone then. */
static bool fail_nth_fired(int fd)
{
	char buf[16] = "";

	if (pread(fd, buf, sizeof(buf) - 1, 0) < 0) {
		/* Hit by this very read. */
		if (errno != EFAULT)
			PRINT_FAIL("fail-nth: %d\n", -errno);
		return false;
	}
	fail_nth_set(fd, 0);
	return !atoi(buf);
}

/* What others see: the modules, the congestion controls, and the links. */
struct seen {
	char tcp[1024];
	char modules[1024];
	char links[1024];
};

static void look_at_links(struct seen *seen)
{
	struct bpf_link_info info;
	size_t len = 0;
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		int fd = bpf_link_get_fd_by_id(id);
		__u32 size = sizeof(info);

		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_link_get_info_by_fd(fd, &info, &size))
			len += snprintf(seen->links + len, sizeof(seen->links) - len,
					"%u %u %u;", info.id, info.prog_id, info.module_id);
		if (fd >= 0)
			close(fd);
	}
}

static void look(struct seen *seen)
{
	struct bpf_module_info info;
	size_t len = 0;
	__u32 id = 0;

	memset(seen, 0, sizeof(*seen));
	bm_tcp_available(seen->tcp, sizeof(seen->tcp));
	look_at_links(seen);
	while (!bpf_module_get_next_id(id, &id)) {
		int fd = bpf_module_get_fd_by_id(id);

		if (fd < 0 || bm_info(fd, &info))
			info.id = 0;
		if (fd >= 0)
			close(fd);
		if (info.id)
			len += snprintf(seen->modules + len, sizeof(seen->modules) - len,
					"%u %s %u %llu;", info.id, info.name, info.state,
					info.users);
	}
}

static bool same(const struct seen *a, const struct seen *b)
{
	return !strcmp(a->tcp, b->tcp) && !strcmp(a->modules, b->modules) &&
	       !strcmp(a->links, b->links);
}

struct fault_test {
	const char *name;
	bool (*set_up)(struct fault *f);
	int (*command)(struct fault *f);	/* 0, or -errno */
	void (*undo)(struct fault *f);		/* what it has done */
	bool no_memory;				/* it needs none, so none can lack */
};

/* Errors that a failed allocation or copy can become. */
static bool is_clean(const struct fault_test *test, int err)
{
	return err == -EFAULT || (!test->no_memory && (err == -ENOMEM || err == -ENOSPC));
}

/* Returns whether to go on. */
static bool run_nth(const struct fault_test *test, struct fault *f, int nth_fd, int nth)
{
	struct seen before, after;
	bool fired;
	int err;

	look(&before);
	fail_nth_set(nth_fd, nth);
	err = test->command(f);
	fired = fail_nth_fired(nth_fd);
	if (err) {
		look(&after);
		if (!ASSERT_TRUE(fired, "failed without a fault") ||
		    !ASSERT_TRUE(is_clean(test, err), "errno") ||
		    !ASSERT_TRUE(same(&before, &after), "nothing has changed")) {
			printf("fault %d: error %d\n%s%s%s\n%s%s%s\n", nth, err, before.tcp,
			       before.modules, before.links, after.tcp, after.modules,
			       after.links);
			return false;
		}
	} else {
		test->undo(f);
	}
	return fired;
}

static void close_links(struct fault *f)
{
	int i;

	for (i = 0; i < FAULT_LINKS; i++) {
		if (f->links[i] > 0)
			close(f->links[i]);
		f->links[i] = 0;
	}
}

static void close_caller(struct fault *f)
{
	if (f->caller_fd > 0)
		close(f->caller_fd);
	f->caller_fd = 0;
}

/* The library, if the test has one. */
static void close_lib(struct fault *f)
{
	close_caller(f);
	if (lib.btf)
		bm_lib_close(&lib);
	memset(&lib, 0, sizeof(lib));
}

static void run(const struct fault_test *test, int nth_fd)
{
	struct fault f = { .fd = -1, .link_fd = -1 };
	int nth, p;

	if (!test__start_subtest(test->name))
		return;
	for (p = 0; p < BM_CC_PROGS; p++)
		f.next.prog[p] = -1;
	f.next.extra_fd = -1;
	if (!bm_cc_open(&f.cc))
		return;
	if (test->set_up(&f)) {
		for (nth = 1; nth < FAULT_MAX && run_nth(test, &f, nth_fd, nth); nth++)
			;
		ASSERT_LT(nth, FAULT_MAX, "faults");
		ASSERT_GT(nth, 1, "a fault was met");
		bm_report("bpf_module_fault/%s: each of %d points failed once\n", test->name,
			  nth - 1);
	}
	for (p = 0; p < BM_CC_REQUIRED; p++)
		ASSERT_GT(bm_prog_id(f.cc.prog[p]), 0, "the programs are there");
	unlink(FAULT_PIN);
	if (f.link_fd >= 0)
		close(f.link_fd);
	bm_cc_cleanup(&f.cc, f.fd);
	close_links(&f);
	close_lib(&f);
	bpf_module_kinds__destroy(f.kinds);
	bpf_module_runs__destroy(f.runs);
	struct_ops_module__destroy(f.testmod);
	if (f.testmod_type.id)
		bm_type_close(&f.testmod_type);
	bm_cc_close(&f.next);
	ASSERT_FALSE(bm_tcp_has(op_names[0]), "registered");
}

static void add_ops(struct fault *f, int cnt)
{
	int i;

	f->cc.ops_cnt = 0;
	for (i = 0; i < cnt; i++)
		bm_cc_add(&f->cc, op_names[i]);
}

static bool add_one(struct fault *f)
{
	add_ops(f, 1);
	return true;
}

static bool add_four(struct fault *f)
{
	add_ops(f, ARRAY_SIZE(op_names));
	return true;
}

/* An op of a kernel module, with both of its programs. */
static bool add_testmod(struct fault *f)
{
	const struct bm_type *type = &f->testmod_type;
	void *value = f->cc.value[0];

	f->testmod = struct_ops_module__open();
	if (!ASSERT_OK_PTR(f->testmod, "open"))
		return false;
	/* It has a member that the kernel does not know. */
	bpf_map__set_autocreate(f->testmod->maps.testmod_zeroed, false);
	if (!ASSERT_OK(struct_ops_module__load(f->testmod), "load") ||
	    !bm_type_open(&f->testmod_type, "bpf_testmod", "bpf_testmod_ops"))
		return false;
	f->cc.ops_cnt = 0;
	bm_add(&f->cc, type, "bm_testmod");
	*(unsigned long *)bm_field(type, value, "test_1") =
		bpf_program__fd(f->testmod->progs.test_1);
	*(unsigned long *)bm_field(type, value, "test_2") =
		bpf_program__fd(f->testmod->progs.test_2);
	return true;
}

/* The descriptor is kept, for undo or as the subject of the commands. */
static int load(struct fault *f)
{
	f->fd = bm_cc_load(&f->cc, "bm_fault");
	return f->fd < 0 ? f->fd : 0;
}

static void unload(struct fault *f)
{
	ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload");
	close(f->fd);
	f->fd = -1;
}

static bool load_one(struct fault *f)
{
	add_ops(f, 1);
	if (!ASSERT_OK(load(f), "load"))
		return false;
	f->id = bm_find("bm_fault");
	return ASSERT_GT(f->id, 0, "id");
}

static int unload_it(struct fault *f)
{
	return bpf_module_unload(f->fd, NULL);
}

static void load_again(struct fault *f)
{
	close(f->fd);
	ASSERT_OK(load(f), "load again");
}

static int drain_it(struct fault *f)
{
	return bm_drain(f->fd);
}

static int get_info(struct fault *f)
{
	char value[BM_VALUE_SIZE] __aligned(8) = {};
	__u32 prog_ids[BM_CC_PROGS], map_ids[1];
	struct bpf_module_ops_info ops = {
		.value = ptr_to_u64(value),
		.value_size = sizeof(value),
	};
	struct bpf_module_info info = {
		.ops = ptr_to_u64(&ops),
		.ops_cnt = 1,
		.ops_size = sizeof(ops),
		.prog_ids = ptr_to_u64(prog_ids),
		.prog_cnt = ARRAY_SIZE(prog_ids),
		.map_ids = ptr_to_u64(map_ids),
		.map_cnt = ARRAY_SIZE(map_ids),
	};
	__u32 len = sizeof(info);

	return bpf_module_get_info_by_fd(f->fd, &info, &len);
}

static void nothing(struct fault *f)
{
}

static int pin(struct fault *f)
{
	return bpf_obj_pin(f->fd, FAULT_PIN);
}

static void unpin(struct fault *f)
{
	ASSERT_OK(unlink(FAULT_PIN), "unpin");
}

static bool pin_one(struct fault *f)
{
	return load_one(f) && ASSERT_OK(pin(f), "pin");
}

static int open_pin(struct fault *f)
{
	int fd = bpf_obj_get(FAULT_PIN);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int open_id(struct fault *f)
{
	int fd = bpf_module_get_fd_by_id(f->id);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static bool link_iter(struct fault *f)
{
	struct bpf_module_iter *skel = bpf_module_iter__open_and_load();

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return false;
	f->link_fd = bpf_link_create(bpf_program__fd(skel->progs.dump_module), 0, BPF_TRACE_ITER,
				     NULL);
	bpf_module_iter__destroy(skel);
	return ASSERT_OK_FD(f->link_fd, "link") && load_one(f);
}

/* Opens an iterator and reads all of it. */
static int iterate(struct fault *f)
{
	int fd = bpf_iter_create(f->link_fd), ret;
	char buf[256];

	if (fd < 0)
		return fd;
	while ((ret = read(fd, buf, sizeof(buf))) > 0)
		;
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Two ops, so that the second can fail after the first is switched. */
static bool load_to_replace(struct fault *f)
{
	int i;

	if (!bm_cc_open(&f->next))
		return false;
	add_ops(f, 2);
	for (i = 0; i < 2; i++)
		bm_cc_add(&f->next, op_names[i]);
	return ASSERT_OK(load(f), "load");
}

static int replace(struct fault *f)
{
	f->next_fd = bm_cc_replace(&f->next, f->fd);
	return f->next_fd < 0 ? f->next_fd : 0;
}

/* The programs of the one replaced are free once it is gone. */
static void replace_back(struct fault *f)
{
	ASSERT_EQ(bm_state(f->fd), BPF_MODULE_STATE_GONE, "the old one");
	ASSERT_EQ(bm_state(f->next_fd), BPF_MODULE_STATE_LIVE, "the new one");
	close(f->fd);
	f->fd = f->next_fd;
	unload(f);
	ASSERT_OK(load(f), "load again");
}

static bool open_links(struct fault *f)
{
	int i;

	f->links[0] = bm_link_create(f->kinds->progs.link_xdp_generic, 1, 0);
	f->links[1] = bm_link_create(f->kinds->progs.link_tcx_egress, 1, 0);
	f->links[2] = bm_link_create(f->kinds->progs.link_iter, 0, 0);
	for (i = 0; i < FAULT_LINKS; i++)
		if (!ASSERT_OK_FD(f->links[i], "link"))
			return false;
	return true;
}

/* An op, links, init and exit. */
static void init_links(struct fault *f)
{
	int i;

	bm_load_init(&f->load, "bm_fault");
	bm_load_ops(&f->load, &f->cc);
	for (i = 0; i < FAULT_LINKS; i++)
		bm_load_add(&f->load, f->links[i], 0);
	f->load.attr.module_load.init_fd = bpf_program__fd(f->runs->progs.run_init);
	f->load.attr.module_load.exit_fd = bpf_program__fd(f->runs->progs.run_exit);
}

static bool add_links(struct fault *f)
{
	add_ops(f, 1);
	f->kinds = bpf_module_kinds__open_and_load();
	f->runs = bpf_module_runs__open_and_load();
	if (!ASSERT_OK_PTR(f->kinds, "links") || !ASSERT_OK_PTR(f->runs, "init and exit") ||
	    !open_links(f))
		return false;
	init_links(f);
	return true;
}

/* A load that fails after init returns after exit has run. */
static int load_links(struct fault *f)
{
	f->fd = bm_load(&f->load);
	if (f->fd >= 0)
		return 0;
	ASSERT_EQ(f->runs->bss->exits, f->runs->bss->inits, "runs of exit");
	return f->fd;
}

/* Detaches them, so others are needed. */
static void unload_links(struct fault *f)
{
	unload(f);
	ASSERT_EQ(f->runs->bss->exits, f->runs->bss->inits, "runs of exit");
	close_links(f);
	if (open_links(f))
		init_links(f);
}

static bool load_links_once(struct fault *f)
{
	return add_links(f) && ASSERT_OK(load_links(f), "load");
}

static void load_links_again(struct fault *f)
{
	ASSERT_EQ(f->runs->bss->exits, f->runs->bss->inits, "runs of exit");
	close(f->fd);
	f->fd = -1;
	close_links(f);
	if (!open_links(f))
		return;
	init_links(f);
	ASSERT_OK(load_links(f), "load again");
}

static int info_links(struct fault *f)
{
	struct bpf_module_link_info links[BM_LINKS];
	int cnt = bm_links(f->fd, links);

	return cnt < 0 ? cnt : cnt == FAULT_LINKS ? 0 : -EDOM;
}

/* The first link is switched in place, the others are detached. */
static void init_replacement(struct fault *f)
{
	bm_load_init(&f->load, NULL);
	bm_load_over(&f->load, f->fd);
	bm_load_ops(&f->load, &f->next);
	bm_load_add(&f->load, f->links[0], bpf_program__fd(f->kinds->progs.new_xdp_generic));
}

static bool load_links_to_replace(struct fault *f)
{
	if (!bm_cc_open(&f->next))
		return false;
	bm_cc_add(&f->next, op_names[0]);
	if (!load_links_once(f))
		return false;
	init_replacement(f);
	return true;
}

static int replace_links(struct fault *f)
{
	f->next_fd = bm_load(&f->load);
	return f->next_fd < 0 ? f->next_fd : 0;
}

static void replace_links_back(struct fault *f)
{
	ASSERT_TRUE(bm_wait(bm_state(f->fd) == BPF_MODULE_STATE_GONE), "the old one");
	ASSERT_EQ(bm_state(f->next_fd), BPF_MODULE_STATE_LIVE, "the new one");
	ASSERT_OK(bpf_module_unload(f->next_fd, NULL), "unload");
	close(f->next_fd);
	load_links_again(f);
	init_replacement(f);
}

/* Functions that are programs already. */
static bool add_funcs(struct fault *f)
{
	int func[FUNCS + 1];

	return bm_lib_open(&lib) && add_types(func, 0) && add_functions(func);
}

static int load_funcs(struct fault *f)
{
	struct bpf_module_func funcs[FUNCS];
	union bpf_attr attr;

	bm_lib_attr(&lib, "bm_fault", &attr, funcs);
	f->fd = bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
	return f->fd < 0 ? f->fd : 0;
}

/* If the JIT has no memory for a program, it does not compile it and reports nothing.
 * If there is no memory for the program itself, BPF_PROG_LOAD returns EINVAL.
 */
static int load_error(int fd)
{
	return fd == -524 /* ENOTSUPP */ || fd == -EINVAL ? -ENOMEM : fd < 0 ? fd : 0;
}

static int load_func(struct fault *f)
{
	const struct bpf_insn zero[] = { BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() };

	f->caller_fd = bm_func_load(&lib, lib.func, 0, NULL, zero, ARRAY_SIZE(zero));
	return load_error(f->caller_fd);
}

static bool load_lib(struct fault *f)
{
	return open_lib(0);
}

/* A refused program does not stay a user for long. */
static int load_caller(struct fault *f)
{
	f->caller_fd = load_counting(XDP, 1);
	if (f->caller_fd < 0)
		ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
	return load_error(f->caller_fd);
}

static void unload_caller(struct fault *f)
{
	ASSERT_EQ(bm_users(lib.module_fd), 1, "users");
	close_caller(f);
	ASSERT_TRUE(bm_wait(!bm_users(lib.module_fd)), "no users");
}

static bool load_lib_and_caller(struct fault *f)
{
	return load_lib(f) && ASSERT_OK(load_caller(f), "caller");
}

static int info_callers(struct fault *f)
{
	struct bpf_module_func_info funcs[FUNCS] = {};
	struct bpf_module_info info;
	__u32 ids[2] = {};
	int err;

	funcs[COUNT - 1].caller_ids = ptr_to_u64(ids);
	funcs[COUNT - 1].callers_cnt = ARRAY_SIZE(ids);
	err = bm_func_info(lib.module_fd, &info, funcs, FUNCS);
	if (!err && (funcs[COUNT - 1].callers_cnt != 1 || !ids[0] || info.funcs_cnt != FUNCS))
		return -EDOM;
	return err;
}

static const struct fault_test tests[] = {
	{ "load_one_op", add_one, load, unload },
	{ "load_four_ops", add_four, load, unload },
	{ "load_testmod_ops", add_testmod, load, unload },
	{ "unload", load_one, unload_it, load_again, .no_memory = true },
	{ "drain", load_one, drain_it, load_again, .no_memory = true },
	{ "replace", load_to_replace, replace, replace_back },
	{ "get_info", load_one, get_info, nothing },
	{ "pin", load_one, pin, unpin },
	{ "open_pin", pin_one, open_pin, nothing },
	{ "open_id", load_one, open_id, nothing },
	{ "iterate", link_iter, iterate, nothing },
	{ "load_links", add_links, load_links, unload_links },
	{ "unload_links", load_links_once, unload_it, load_links_again, .no_memory = true },
	{ "replace_links", load_links_to_replace, replace_links, replace_links_back },
	{ "get_info_links", load_links_once, info_links, nothing },
	{ "load_funcs", add_funcs, load_funcs, unload },
	{ "load_func", add_funcs, load_func, close_caller },
	{ "load_caller", load_lib, load_caller, unload_caller },
	{ "get_info_callers", load_lib_and_caller, info_callers, nothing },
};

void serial_test_bpf_module_fault(void)
{
	int nth_fd, i;

	nth_fd = fail_nth_open();
	if (nth_fd < 0 || !injection_on()) {
		bm_report("bpf_module_fault: skipped, this kernel has no fault injection\n");
		test__skip();
		goto out;
	}
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (tests[i].set_up != add_testmod || env.has_testmod)
			run(&tests[i], nth_fd);
out:
	if (nth_fd >= 0)
		close(nth_fd);
}
