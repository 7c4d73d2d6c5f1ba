// SPDX-License-Identifier: GPL-2.0
/* What the rest of the system reports about modules. */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_wait.h"
#include "bpf_module_iter.skel.h"

/* Two modules: "bm_obs" of two ops, and "bm_obs_2" of one. */
struct fixture {
	struct bm_cc cc;
	struct bm_cc cc2;
	int fd;
	int fd2;
};

/* Reads an iterator's output: the iterator is no user, and does not keep a module. */
static void test_iter(struct fixture *f)
{
	char buf[4096], line[64], line2[64];
	struct bpf_module_iter *skel;
	struct bpf_link *link;
	int i, iter;

	skel = bpf_module_iter__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	link = bpf_program__attach_iter(skel->progs.dump_module, NULL);
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	snprintf(line, sizeof(line), "%u bm_obs 1 2\n", bm_find("bm_obs"));
	snprintf(line2, sizeof(line2), "%u bm_obs_2 1 1\n", bm_find("bm_obs_2"));
	for (i = 0; i < 2; i++) {
		iter = bpf_iter_create(bpf_link__fd(link));
		if (!ASSERT_OK_FD(iter, "create"))
			break;
		bm_read_all(iter, buf, sizeof(buf));
		close(iter);
		ASSERT_EQ(!!strstr(buf, line), !i, "line of the first");
		ASSERT_HAS_SUBSTR(buf, line2, "line of the second");
		ASSERT_STREQ(strstr(buf, "end"), "end\n", "end, once");
		/* the second time it is not there */
		if (!i)
			ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload the first");
	}
	bpf_link__destroy(link);
out:
	bpf_module_iter__destroy(skel);
}

static void check_fdinfo(int fd, const char *line)
{
	char path[64], buf[2048];
	int info_fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info_fd = open(path, O_RDONLY);
	if (!ASSERT_OK_FD(info_fd, "open fdinfo"))
		return;
	bm_read_all(info_fd, buf, sizeof(buf));
	close(info_fd);
	ASSERT_HAS_SUBSTR(buf, line, "fdinfo");
}

/* What a program reports about its module, in info and in fdinfo. */
static void check_prog(int prog_fd, __u32 id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	char line[64];

	ASSERT_OK(bpf_prog_get_info_by_fd(prog_fd, &info, &len), "info");
	ASSERT_EQ(info.module_id, id, "module_id");
	snprintf(line, sizeof(line), "module_id:\t%u\n", id);
	check_fdinfo(prog_fd, line);
}

static void test_prog(struct fixture *f)
{
	int other = bm_prog_load(&f->cc.type, "ssthresh", "bm_other", 10);

	check_prog(f->cc.prog[BM_SSTHRESH], bm_find("bm_obs"));
	check_prog(f->cc.prog[BM_CONG_AVOID], bm_find("bm_obs"));
	check_prog(f->cc2.prog[BM_SSTHRESH], bm_find("bm_obs_2"));
	check_prog(other, 0);
	ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload");
	check_prog(f->cc.prog[BM_SSTHRESH], 0);
	check_prog(f->cc2.prog[BM_SSTHRESH], bm_find("bm_obs_2"));
	close(other);
}

static void test_fdinfo_bound(struct fixture *f)
{
	int fd;

	check_fdinfo(f->fd, "module_bound:\t0\n");
	ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload");
	fd = bm_cc_load_flags(&f->cc, "bm_obs", BPF_F_MODULE_BOUND, 0);
	if (ASSERT_OK_FD(fd, "load bound")) {
		check_fdinfo(fd, "module_bound:\t1\n");
		close(fd);
	}
}

/* Returns whether a line of kallsyms ends in @symbol, a trampoline. */
static bool has_symbol(const char *symbol)
{
	char line[512], *name;
	bool found = false;
	FILE *f;

	f = fopen("/proc/kallsyms", "r");
	if (CHECK_FAIL(!f))
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		name = strstr(line, " bpf__");
		found = name && !strncmp(name + 1, symbol, strlen(symbol)) &&
			strchr("\t\n", name[1 + strlen(symbol)]);
	}
	fclose(f);
	return found;
}

static void test_kallsyms(struct fixture *f)
{
	static const char * const symbols[] = {
		"bpf__bm_obs.bm_a.ssthresh", "bpf__bm_obs.bm_a.undo_cwnd",
		"bpf__bm_obs.bm_a.cong_avoid", "bpf__bm_obs.bm_b.ssthresh",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(symbols); i++)
		ASSERT_TRUE(has_symbol(symbols[i]), symbols[i]);
	ASSERT_TRUE(has_symbol("bpf__bm_obs_2.bm_c.ssthresh"), "symbol of the second");
	ASSERT_OK(bpf_module_unload(f->fd, NULL), "unload");
	for (i = 0; i < ARRAY_SIZE(symbols); i++)
		ASSERT_TRUE(bm_wait(!has_symbol(symbols[i])), symbols[i]);
	ASSERT_TRUE(has_symbol("bpf__bm_obs_2.bm_c.ssthresh"), "symbol of the second");
}

/* An op without a name is named after its type. */
static void test_kallsyms_no_name(struct fixture *f)
{
	int fd;

	ASSERT_OK(bpf_module_unload(f->fd2, NULL), "unload");
	f->cc2.ops[0].name = 0;
	fd = bm_cc_load(&f->cc2, "bm_obs_2");
	if (ASSERT_OK_FD(fd, "load without a name")) {
		ASSERT_TRUE(has_symbol("bpf__bm_obs_2.tcp_congestion_ops.ssthresh"), "symbol");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		close(fd);
	}
}

static __u64 count_runs(const struct bm_cc *cc)
{
	__u64 cnt = 0;
	int i;

	for (i = 0; i < BM_CC_PROGS; i++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (cc->prog[i] < 0)
			continue;
		ASSERT_OK(bpf_prog_get_info_by_fd(cc->prog[i], &info, &len), "prog info");
		cnt += info.run_cnt;
	}
	return cnt;
}

/* Sends enough for callbacks of @name to be called. */
static void send_through(const char *name)
{
	static const char data[64 * 1024];
	int listener, client, server = -1;

	listener = bm_listen(AF_INET, name);
	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	client = bm_connect(listener, name);
	if (ASSERT_OK_FD(client, "connect"))
		server = accept(listener, NULL, NULL);
	if (ASSERT_OK_FD(server, "accept"))
		ASSERT_EQ(write(client, data, sizeof(data)), sizeof(data), "send");
	close(server);
	close(client);
	close(listener);
}

/* Callbacks are counted while statistics are on, and only then. */
static void test_stats(struct fixture *f)
{
	__u64 runs;
	int fd;

	send_through("bm_c");
	ASSERT_EQ(count_runs(&f->cc2), 0, "not counted");
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!ASSERT_OK_FD(fd, "enable"))
		return;
	send_through("bm_c");
	close(fd);
	runs = count_runs(&f->cc2);
	ASSERT_GT(runs, 0, "counted");
	send_through("bm_c");
	ASSERT_EQ(count_runs(&f->cc2), runs, "not counted any more");
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f);
} tests[] = {
	{ "iter", test_iter },
	{ "prog", test_prog },
	{ "fdinfo_bound", test_fdinfo_bound },
	{ "kallsyms", test_kallsyms },
	{ "kallsyms_no_name", test_kallsyms_no_name },
	{ "stats", test_stats },
};

static void run_test(void (*run)(struct fixture *f))
{
	struct fixture f;

	if (!bm_cc_open(&f.cc))
		return;
	bm_cc_add(&f.cc, "bm_a");
	bm_cc_add(&f.cc, "bm_b");
	f.fd = bm_cc_load(&f.cc, "bm_obs");
	f.fd2 = bm_cc_open_load(&f.cc2, "bm_obs_2", "bm_c");
	if (ASSERT_OK_FD(f.fd, "load") && f.fd2 >= 0)
		run(&f);
	if (f.fd2 >= 0)
		bm_cc_cleanup(&f.cc2, f.fd2);
	bm_cc_cleanup(&f.cc, f.fd);
}

void serial_test_bpf_module_observe(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			run_test(tests[i].run);
}
