// SPDX-License-Identifier: GPL-2.0
/*
 * Trampolines: what a profiler learns about them, what is in them, and what the
 * programs that they call see. All but the tests of modules also run on kernels
 * without BPF modules.
 */
#include <limits.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_scx.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"
#include "bpf_module_tramp.skel.h"

#define MAX_CPUS 8
#define MAX_SYMBOLS 64

/* What the kernel reports about a symbol to a profiler, in the ring buffer. */
struct record {
	struct perf_event_header header;
	__u64 addr;
	__u32 len;
	__u16 type;
	__u16 flags;
	char name[];
};

/* Symbols that come and go, on all processors: a worker removes them. */
struct profiler {
	struct {
		int fd;
		struct perf_event_mmap_page *page;
	} cpu[MAX_CPUS];
	int cpu_cnt;
	const struct record *records[MAX_SYMBOLS];
	int cnt;
};

static size_t ring_size(void)
{
	return 17 * getpagesize();
}

static void profiler_close(struct profiler *p)
{
	while (p->cpu_cnt--) {
		munmap(p->cpu[p->cpu_cnt].page, ring_size());
		close(p->cpu[p->cpu_cnt].fd);
	}
}

static bool profiler_open_cpu(struct profiler *p, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.ksymbol = 1,
		.watermark = 1,
		.wakeup_watermark = 1,
	};
	void *page;
	int fd;

	fd = syscall(__NR_perf_event_open, &attr, -1, cpu, -1, 0);
	if (!ASSERT_OK_FD(fd, "perf_event_open"))
		return false;
	page = mmap(NULL, ring_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!ASSERT_NEQ(page, MAP_FAILED, "mmap")) {
		close(fd);
		return false;
	}
	p->cpu[cpu].fd = fd;
	p->cpu[cpu].page = page;
	p->cpu_cnt++;
	return true;
}

static bool profiler_open(struct profiler *p)
{
	int cpu, cnt = libbpf_num_possible_cpus();

	memset(p, 0, sizeof(*p));
	if (!ASSERT_LE(cnt, MAX_CPUS, "processors"))
		return false;
	for (cpu = 0; cpu < cnt; cpu++) {
		if (!profiler_open_cpu(p, cpu)) {
			profiler_close(p);
			return false;
		}
	}
	return true;
}

static void profiler_read_cpu(struct profiler *p, const struct perf_event_mmap_page *page)
{
	const struct record *record;
	__u64 pos;

	for (pos = 0; pos < page->data_head; pos += record->header.size) {
		record = (void *)page + page->data_offset + pos;
		if (!record->header.size)
			break;
		if (record->header.type == PERF_RECORD_KSYMBOL &&
		    record->type == PERF_RECORD_KSYMBOL_TYPE_BPF && p->cnt < MAX_SYMBOLS)
			p->records[p->cnt++] = record;
	}
}

/* Nothing is ever removed from the ring buffers, which are large enough for a whole
 * test.
 */
static void profiler_read(struct profiler *p)
{
	int cpu;

	p->cnt = 0;
	for (cpu = 0; cpu < p->cpu_cnt; cpu++)
		profiler_read_cpu(p, p->cpu[cpu].page);
	ASSERT_GT(p->cnt, 0, "records");
	ASSERT_LT(p->cnt, MAX_SYMBOLS, "records");
}

/* Returns the only record of symbols that begin with @name, or NULL. */
static const struct record *find(const struct profiler *p, const char *name, __u16 flags)
{
	const struct record *found = NULL;
	int i, cnt = 0;

	for (i = 0; i < p->cnt; i++) {
		if (strncmp(p->records[i]->name, name, strlen(name)) ||
		    p->records[i]->flags != flags)
			continue;
		found = p->records[i];
		cnt++;
	}
	return cnt == 1 ? found : NULL;
}

/* The same for symbols that come after the code is no longer used. */
static const struct record *wait_for(struct profiler *p, const char *name, __u16 flags)
{
	const struct record *found;

	bm_wait((profiler_read(p), found = find(p, name, flags)));
	return found;
}

/* An address has one symbol, or a profiler attributes hits to its neighbour. */
static void check_ranges(const struct profiler *p)
{
	int i, j, bad = 0;

	for (i = 0; i < p->cnt; i++) {
		const struct record *a = p->records[i];

		if (a->flags)
			continue; /* what others have left is going at any time */
		bad += !a->len;
		for (j = i + 1; j < p->cnt; j++) {
			const struct record *b = p->records[j];

			if (b->flags || a->addr >= b->addr + b->len ||
			    b->addr >= a->addr + a->len)
				continue;
			printf("%s reaches into %s\n", a->addr < b->addr ? a->name : b->name,
			       a->addr < b->addr ? b->name : a->name);
			bad++;
		}
	}
	ASSERT_EQ(bad, 0, "symbols that are not apart");
}

/* A profiler learns where the trampolines that share a page are. */
static void test_symbols(struct bpf_module_tramp *skel)
{
	struct bpf_link *links[4];
	struct profiler p;
	int i;

	if (!profiler_open(&p))
		return;
	links[0] = bpf_program__attach(skel->progs.trace_1);
	links[1] = bpf_program__attach(skel->progs.trace_2);
	links[2] = bpf_map__attach_struct_ops(skel->maps.bm_call);
	links[3] = bpf_map__attach_struct_ops(skel->maps.bm_args);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		ASSERT_OK_PTR(links[i], "attach");
	profiler_read(&p);
	ASSERT_GE(p.cnt, ARRAY_SIZE(links), "trampolines");
	check_ranges(&p);
	for (i = 0; i < ARRAY_SIZE(links); i++)
		bpf_link__destroy(links[i]);
	profiler_close(&p);
}

/* It also learns about those of a module, whose ops share an image, and when they go. */
static void test_symbols_module(struct bpf_module_tramp *skel)
{
	const struct record *come, *go;
	struct profiler p;
	struct bm_cc cc;
	int fd;

	if (!profiler_open(&p))
		return;
	if (!bm_cc_open(&cc))
		goto out;
	bm_cc_add(&cc, "bm_tramp");
	bm_cc_add(&cc, "bm_tramp2");
	fd = bm_cc_load(&cc, "bm_tramp");
	if (ASSERT_OK_FD(fd, "load")) {
		profiler_read(&p);
		check_ranges(&p);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);

		come = find(&p, "bpf__bm_tramp.bm_tramp.ssthresh", 0);
		go = wait_for(&p, "bpf__bm_tramp.bm_tramp.ssthresh",
			      PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER);
		if (ASSERT_OK_PTR(come, "what comes") && ASSERT_OK_PTR(go, "what goes")) {
			ASSERT_EQ(go->addr, come->addr, "address of what goes");
			ASSERT_EQ(go->len, come->len, "length of what goes");
		}
	}
	bm_cc_close(&cc);
out:
	profiler_close(&p);
}

#ifdef __x86_64__
/* Loads the op with the only program @prog for @member of @type as a module. */
static int load_op(struct bm_cc *cc, const char *type, const char *member,
		   struct bpf_program *prog)
{
	struct bm_type t;
	int fd = -1;

	if (!bm_cc_open_empty(cc))
		return -1;
	if (bm_type_open(&t, "bpf_testmod", type)) {
		bm_add(cc, &t, "bm_op");
		bm_set_prog(&t, cc->value[0], member, bpf_program__fd(prog));
		fd = bm_cc_load(cc, "bm_tramp");
		bm_type_close(&t);
		if (!ASSERT_OK_FD(fd, "load"))
			printf("%s\n", cc->log);
	}
	if (fd < 0)
		bm_cc_close(cc);
	return fd;
}

/* Checks the gap that a trampoline leaves, here nothing but int3. */
static void check_last(struct bpf_module_tramp *skel, __u64 end)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int i, bad = 0;

	skel->bss->end = end;
	ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.read_last), &opts), "run");
	ASSERT_OK(opts.retval, "read");
	for (i = 0; i < sizeof(skel->bss->last); i++)
		bad += (unsigned char)skel->bss->last[i] != 0xcc;
	ASSERT_EQ(bad, 0, "bytes that are not int3");
}

/* Returns the end of the trampoline that calls the program of @traced. */
static __u64 find_end(struct bpf_module_tramp *skel, struct bpf_link *traced)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	struct bpf_link *link;
	char buf[16];
	int iter;

	skel->bss->end = 0;
	if (!ASSERT_OK(bpf_link_get_info_by_fd(bpf_link__fd(traced), &info, &len), "info"))
		return 0;
	skel->bss->link_id = info.id;
	link = bpf_program__attach_iter(skel->progs.find_end, NULL);
	if (!ASSERT_OK_PTR(link, "iterator"))
		return 0;
	iter = bpf_iter_create(bpf_link__fd(link));
	if (ASSERT_OK_FD(iter, "create")) {
		bm_read_all(iter, buf, sizeof(buf));
		close(iter);
	}
	bpf_link__destroy(link);
	return skel->bss->end;
}

static void test_filled(struct bpf_module_tramp *skel)
{
	struct bpf_link *link;
	__u64 end;

	link = bpf_program__attach(skel->progs.trace_1);
	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	end = find_end(skel, link);
	if (ASSERT_NEQ(end, 0, "found"))
		check_last(skel, end);
	bpf_link__destroy(link);
}

/* Leaves freed memory of small sizes that is full of zeros: from an attribute. */
static void leave_zeros(void)
{
	char zeros[1024] = {};
	int size;

	for (size = 64; size <= sizeof(zeros); size += 64)
		ASSERT_ERR(setxattr("/proc/self/stat", "user.bm", zeros, size, 0), "setxattr");
}

/* More arguments than registers: a trampoline of the usual kind. */
static void test_filled_module(struct bpf_module_tramp *skel)
{
	const struct record *record;
	struct profiler p;
	struct bm_cc cc;
	int fd;

	if (!profiler_open(&p))
		return;
	leave_zeros();
	fd = load_op(&cc, "bpf_testmod_ops2", "test_args", skel->progs.tramp_args);
	if (fd >= 0) {
		profiler_read(&p);
		record = find(&p, "bpf__bm_tramp.bm_op.test_args", 0);
		if (ASSERT_OK_PTR(record, "symbol"))
			check_last(skel, record->addr + record->len);
		bm_cc_cleanup(&cc, fd);
	}
	profiler_close(&p);
}

/* Checks that the stack has symbols with these prefixes. */
static void check_stack(struct bpf_module_tramp *skel, const char * const *symbols, int cnt)
{
	struct ksyms *ksyms = load_kallsyms_local();
	int i;

	if (!ASSERT_OK_PTR(ksyms, "kallsyms"))
		return;
	if (ASSERT_GE(skel->bss->stack_size, cnt * (int)sizeof(__u64), "size of the stack")) {
		for (i = 0; i < cnt; i++) {
			struct ksym *sym = ksym_search_local(ksyms, skel->bss->stack[i]);

			if (ASSERT_OK_PTR(sym, symbols[i]))
				ASSERT_STRNEQ(sym->name, symbols[i], strlen(symbols[i]), "frame");
		}
	}
	free_kallsyms_local(ksyms);
}

/*
 * The caller of the op is above the trampoline, and its caller above that: nothing is
 * traced whose return address would be there.
 */
static void test_stack(struct bpf_module_tramp *skel)
{
	static const char * const symbols[] = {
		"bpf_testmod_test_mod_kfunc", "bpf_prog_", "bpf__bpf_testmod_ops_test_1",
		"bpf_dummy_reg", "bpf_struct_ops_link_create",
	};
	struct bpf_link *probe, *link;

	probe = bpf_program__attach(skel->progs.take_stack);
	if (!ASSERT_OK_PTR(probe, "probe"))
		return;
	link = bpf_map__attach_struct_ops(skel->maps.bm_call);
	if (ASSERT_OK_PTR(link, "attach")) {
		check_stack(skel, symbols, ARRAY_SIZE(symbols));
		bpf_link__destroy(link);
	}
	bpf_link__destroy(probe);
}

static void test_stack_module(struct bpf_module_tramp *skel)
{
	static const char * const symbols[] = {
		"bpf_testmod_test_mod_kfunc", "bpf_prog_", "bpf__bm_tramp.bm_op.test_1",
		"bpf_dummy_reg", "bpf_module_",
	};
	struct bpf_link *probe;
	struct bm_cc cc;
	int fd;

	probe = bpf_program__attach(skel->progs.take_stack);
	if (!ASSERT_OK_PTR(probe, "probe"))
		return;
	fd = load_op(&cc, "bpf_testmod_ops", "test_1", skel->progs.tramp_call);
	if (fd >= 0) {
		check_stack(skel, symbols, ARRAY_SIZE(symbols));
		bm_cc_cleanup(&cc, fd);
	}
	bpf_link__destroy(probe);
}
#endif

/* Registration fails with the upper half of what the program returns. */
static void test_ret(struct bpf_module_tramp *skel)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct bpf_link *link;
	int stats;

	link = bpf_map__attach_struct_ops(skel->maps.bm_ret);
	ASSERT_ERR_PTR(link, "attach");
	ASSERT_EQ(errno, EXDEV, "errno");

	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!ASSERT_OK_FD(stats, "statistics"))
		return;
	link = bpf_map__attach_struct_ops(skel->maps.bm_ret);
	ASSERT_ERR_PTR(link, "attach with statistics");
	ASSERT_EQ(errno, EXDEV, "errno with statistics");
	close(stats);
	ASSERT_OK(bpf_prog_get_info_by_fd(bpf_program__fd(skel->progs.tramp_ret), &info, &len),
		  "info");
	ASSERT_EQ(info.run_cnt, 1, "calls that were counted");
}

/*
 * A scheduler takes a task with 1 in migration_disabled for one that only runs its
 * program, because the program itself always adds one.
 */
static void check_migration(struct bpf_module_tramp *skel)
{
	int stats = -1, i;
	__u64 from;

	ASSERT_TRUE(bm_scx_enabled(), "scheduler is on");
	for (i = 0; i < 2; i++) {
		skel->bss->least = INT_MAX;
		from = skel->bss->wakeups;
		ASSERT_TRUE(bm_wait(skel->bss->wakeups > from + 100), "it schedules");
		ASSERT_EQ(skel->bss->least, 1, i ? "the least with statistics" : "the least");
		if (stats < 0)
			stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
		ASSERT_OK_FD(stats, "statistics");
	}
	close(stats);
}

static void test_migration(struct bpf_module_tramp *skel)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(skel->maps.bm_scx);

	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	check_migration(skel);
	bpf_link__destroy(link);
	ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");
}

static void test_migration_module(struct bpf_module_tramp *skel)
{
	struct bm_type type;
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open_empty(&cc))
		return;
	if (!bm_type_open(&type, NULL, "sched_ext_ops"))
		goto out;
	bm_add(&cc, &type, "bm_scx");
	bm_set_prog(&type, cc.value[0], "select_cpu",
		    bpf_program__fd(skel->progs.tramp_select_cpu));
	snprintf(bm_field(&type, cc.value[0], "name"), BM_SCX_NAME, "bm_scx");
	fd = bm_cc_load(&cc, "bm_tramp");
	if (ASSERT_OK_FD(fd, "load")) {
		check_migration(skel);
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
		ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");
	}
	bm_type_close(&type);
out:
	bm_cc_close(&cc);
}

static const struct {
	const char *name;
	void (*run)(struct bpf_module_tramp *skel);
	bool module;
} tests[] = {
	{ "symbols", test_symbols },
	{ "symbols_module", test_symbols_module, true },
#ifdef __x86_64__
	{ "filled", test_filled },
	{ "filled_module", test_filled_module, true },
	{ "stack", test_stack },
	{ "stack_module", test_stack_module, true },
#endif
	{ "ret", test_ret },
	{ "migration", test_migration },
	{ "migration_module", test_migration_module, true },
};

void serial_test_bpf_module_tramp(void)
{
	struct bpf_module_tramp *skel;
	bool modules;
	__u32 id;
	int i;

	if (!env.has_testmod) {
		test__skip();
		return;
	}
	modules = bpf_module_get_next_id(0, &id) != -EINVAL;
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if ((tests[i].module && !modules) || !test__start_subtest(tests[i].name))
			continue;
		skel = bpf_module_tramp__open_and_load();
		if (!ASSERT_OK_PTR(skel, "open and load"))
			break;
		skel->bss->pid = getpid();
		tests[i].run(skel);
		bpf_module_tramp__destroy(skel);
	}
}
