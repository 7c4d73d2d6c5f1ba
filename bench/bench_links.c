// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to keep attached programs when their loader is gone, and to take
 * them away: where the kernel has BPF modules one module adopts all links, else each
 * is pinned. The programs are fentry programs that return 0, one on each of the hooks
 * of bench_ops.ko.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_measure.h"
#include "bench_ops.h"

#define PINS "/tmp/bench_pins"

static int hooks_btf_fd;
static int hook_ids[BENCH_HOOKS];

void find_hooks(const struct btf *btf, int btf_fd)
{
	char name[32];
	int i;

	hooks_btf_fd = btf_fd;
	for (i = 0; i < BENCH_HOOKS; i++) {
		snprintf(name, sizeof(name), "bench_hook_%o%o", i / 8, i % 8);
		hook_ids[i] = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
		if (hook_ids[i] < 0)
			errx(1, "no function %s", name);
	}
}

static int attach(int hook)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = BPF_TRACE_FENTRY,
		.attach_btf_id = hook_ids[hook],
		.attach_btf_obj_fd = hooks_btf_fd,
	);
	int prog, link;

	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "bench", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (prog < 0)
		err(1, "program for hook %d", hook);
	link = bpf_link_create(prog, 0, BPF_TRACE_FENTRY, NULL);
	if (link < 0)
		err(1, "link of hook %d", hook);
	close(prog);
	return link;
}

#if MODULES
static int kept = -1;

static void keep(const int *links, int cnt)
{
	struct bpf_module_link entries[BENCH_HOOKS] = {};
	static char log[512];
	LIBBPF_OPTS(bpf_module_load_opts, opts,
		.links = entries,
		.links_cnt = cnt,
		.log_buf = log,
		.log_size = sizeof(log),
	);
	int i;

	for (i = 0; i < cnt; i++)
		entries[i].link_fd = links[i];
	kept = bpf_module_load("bench_links", NULL, 0, &opts);
	if (kept < 0)
		err(1, "module of %d links: %s", cnt, log);
}

static void let_go(int cnt)
{
	if (bpf_module_unload(kept, NULL))
		err(1, "unload %d links", cnt);
	close(kept);
}
#else
static const char *pin_path(int i)
{
	static char path[64];

	snprintf(path, sizeof(path), PINS "/%d", i);
	return path;
}

static void keep(const int *links, int cnt)
{
	int i;

	for (i = 0; i < cnt; i++)
		if (bpf_obj_pin(links[i], pin_path(i)))
			err(1, "pin of link %d", i);
}

static void let_go(int cnt)
{
	int i;

	for (i = 0; i < cnt; i++)
		if (unlink(pin_path(i)))
			err(1, "pin of link %d", i);
}
#endif

static int hooked(void)
{
	int cnt = ioctl(device, BENCH_HOOKED);

	if (cnt < 0)
		err(1, "counting hooks");
	return cnt;
}

/* When the last hook was gone. */
static void *watch_hooks(void *end)
{
	while (hooked())
		usleep(100);
	*(__u64 *)end = ticks();
	return NULL;
}

struct times {
	__u64 kept, returned, unhooked;
};

static void measure(int cnt, struct times *times)
{
	int links[BENCH_HOOKS], i;
	pthread_t watcher;
	__u64 start, end;

	for (i = 0; i < cnt; i++)
		links[i] = attach(i);
	quiet();
	start = ticks();
	keep(links, cnt);
	times->kept = ticks() - start;
	for (i = 0; i < cnt; i++)
		close(links[i]);
	quiet();
	if (hooked() != cnt)
		errx(1, "%d hooks, not %d", hooked(), cnt);

	if (pthread_create(&watcher, NULL, watch_hooks, &end))
		errx(1, "a thread that watches");
	start = ticks();
	let_go(cnt);
	times->returned = ticks() - start;
	pthread_join(watcher, NULL);
	times->unhooked = end - start;
}

static void link_rows(int cnt)
{
	__u64 kept[9], returned[9], unhooked[9];
	struct times times;
	char name[32];
	int i;

	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		measure(cnt, &times);
		kept[i] = times.kept;
		returned[i] = times.returned;
		unhooked[i] = times.unhooked;
	}
	snprintf(name, sizeof(name), "links.keep.%d", cnt);
	row(name, median(kept, ARRAY_SIZE(kept)));
	snprintf(name, sizeof(name), "links.unhook.%d", cnt);
	row(name, median(unhooked, ARRAY_SIZE(unhooked)));
	snprintf(name, sizeof(name), "links.return.%d", cnt);
	row(name, median(returned, ARRAY_SIZE(returned)));
}

/* Instructions of one call of a function with a program on it. */
static void run_row(void)
{
	struct bench_call call = { .count = 100000 };
	int link = attach(0), i;
	__u64 took[5];

	keep(&link, 1);
	close(link);
	for (i = 0; i < ARRAY_SIZE(took); i++) {
		if (ioctl(device, BENCH_HOOK_CALL, &call))
			err(1, "calling a hook");
		took[i] = call.ticks;
	}
	let_go(1);
	row("links.run", median(took, ARRAY_SIZE(took)) / 100000.);
}

void part_links(void)
{
	if (mkdir(PINS, 0700) || mount("bench", PINS, "bpf", 0, NULL))
		err(1, "%s", PINS);
	link_rows(8);
	link_rows(64);
	run_row();
	umount(PINS);
}
