// SPDX-License-Identifier: GPL-2.0
/*
 * bench [PART]...: what ops implemented in BPF cost, in the guest
 *
 * Where the kernel has BPF modules, ops are loaded as a module; else through a
 * struct_ops map that is created, filled and linked. Each line printed is a
 * row's name, a tab and a number. Times are ticks of the time stamp counter,
 * which are instructions where QEMU counts them, and then also nanoseconds.
 *
 * Programs are "return 0", and loaded before anything is measured.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench_measure.h"
#include "bench_ops.h"

/* Enough that what is left in the caches of a kernel's allocators is little. */
#define MANY 256
#define MAX_PROGS BENCH_MEMBERS
#define MAX_OPS 8

/* A kernel struct of function pointers, as its BTF describes it. */
struct ops_type {
	const char *name;
	const struct btf *btf;
	int btf_fd;		/* 0 for vmlinux */
	int id, size;
	int map_id, map_size;	/* what a struct_ops map wraps around it */
	int data;		/* where in that it is */
	int name_offset;	/* of the member "name", -1 for none */
};

static struct ops_type bench_type = { .name = "bench_ops" };
static struct ops_type tcp_type = { .name = "tcp_congestion_ops" };

/* One op and its programs. */
struct op {
	struct ops_type *type;
	int progs_cnt;
	int members[MAX_PROGS];
	int progs[MAX_PROGS];
	int map, link;		/* without modules */
};

/* What is loaded and unloaded as one: a module, or its ops as maps and links. */
struct set {
	int ops_cnt;
	struct op ops[MAX_OPS];
	char name[16];
	int fd;
	__u32 id;
};

static int module_btf_fd(const char *name)
{
	struct bpf_btf_info info;
	char is[64] = "";
	__u32 id = 0;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		__u32 len = sizeof(info);

		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		info.name = (unsigned long)is;
		info.name_len = sizeof(is);
		if (!bpf_btf_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(is, name))
			return fd;
		close(fd);
	}
	errx(1, "no BTF of the kernel module %s", name);
}

static int member_offset(const struct btf *btf, int id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), name))
			return m[i].offset / 8;
	return -1;
}

static int member_index(const struct ops_type *type, const char *name)
{
	const struct btf_type *t = btf__type_by_id(type->btf, type->id);
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(type->btf, m[i].name_off), name))
			return i;
	errx(1, "%s has no member %s", type->name, name);
}

static void find_type(struct ops_type *type, const struct btf *btf, int btf_fd)
{
	char map[64];

	snprintf(map, sizeof(map), "bpf_struct_ops_%s", type->name);
	type->btf = btf;
	type->btf_fd = btf_fd;
	type->id = btf__find_by_name_kind(btf, type->name, BTF_KIND_STRUCT);
	type->map_id = btf__find_by_name_kind(btf, map, BTF_KIND_STRUCT);
	if (type->id < 0 || type->map_id < 0)
		errx(1, "no type %s", type->name);
	type->size = btf__type_by_id(btf, type->id)->size;
	type->map_size = btf__type_by_id(btf, type->map_id)->size;
	type->data = member_offset(btf, type->map_id, "data");
	type->name_offset = member_offset(btf, type->id, "name");
}

static int load_prog(const struct ops_type *type, int member, __u32 flags)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = member,
		.attach_btf_id = type->id,
		.attach_btf_obj_fd = type->btf_fd,
		.prog_flags = flags,
	);
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "bench", "GPL", insns, ARRAY_SIZE(insns),
			   &opts);
	if (fd < 0)
		err(1, "program for member %d of %s", member, type->name);
	return fd;
}

static void add_op(struct set *set, struct ops_type *type, const int *members, int cnt, __u32 flags)
{
	struct op *op = &set->ops[set->ops_cnt++];
	int i;

	op->type = type;
	op->progs_cnt = cnt;
	for (i = 0; i < cnt; i++) {
		op->members[i] = members[i];
		op->progs[i] = load_prog(type, members[i], flags);
	}
}

/* Sets and their names last as long as the process. */
static struct set *new_set(void)
{
	static int cnt;
	struct set *set = calloc(1, sizeof(*set));

	if (!set)
		err(1, "a set");
	set->fd = -1;
	snprintf(set->name, sizeof(set->name), "bench_%d", cnt++);
	return set;
}

/* Ops of bench_ops with the last progs_cnt members, which take and return an int. */
static struct set *bench_set(int ops_cnt, int progs_cnt)
{
	struct set *set = new_set();
	int members[MAX_PROGS], i;

	for (i = 0; i < progs_cnt; i++)
		members[i] = BENCH_MEMBERS - progs_cnt + i;
	while (set->ops_cnt < ops_cnt)
		add_op(set, &bench_type, members, progs_cnt, 0);
	return set;
}

static struct set *tcp_set(void)
{
	static const char * const names[] = {
		"init", "release", "ssthresh", "cong_avoid", "set_state", "cwnd_event",
		"pkts_acked", "undo_cwnd",
	};
	int members[ARRAY_SIZE(names)], i;
	struct set *set = new_set();

	for (i = 0; i < ARRAY_SIZE(names); i++)
		members[i] = member_index(&tcp_type, names[i]);
	add_op(set, &tcp_type, members, ARRAY_SIZE(names), 0);
	return set;
}

static void close_progs(struct set *set)
{
	int i, j;

	for (i = 0; i < set->ops_cnt; i++)
		for (j = 0; j < set->ops[i].progs_cnt; j++)
			close(set->ops[i].progs[j]);
}

/* The kernel struct as user space gives it: program fds for pointers. */
static void fill(const struct set *set, const struct op *op, void *data)
{
	const struct btf_member *m = btf_members(btf__type_by_id(op->type->btf, op->type->id));
	int i;

	for (i = 0; i < op->progs_cnt; i++)
		*(__u64 *)(data + m[op->members[i]].offset / 8) = op->progs[i];
	if (op->type->name_offset >= 0)
		memcpy(data + op->type->name_offset, set->name, sizeof(set->name));
}

#if MODULES
/* Returns the ticks that the system call took. */
static __u64 load(struct set *set)
{
	struct bpf_module_ops ops[MAX_OPS] = {};
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);
	static char log[512];
	LIBBPF_OPTS(bpf_module_load_opts, opts, .log_buf = log, .log_size = sizeof(log));
	__u64 start, took;
	int i;

	for (i = 0; i < set->ops_cnt; i++) {
		const struct op *op = &set->ops[i];
		void *value = calloc(1, op->type->size);

		if (!value)
			err(1, "a value");
		fill(set, op, value);
		ops[i].btf_obj_fd = op->type->btf_fd;
		ops[i].type_id = op->type->id;
		ops[i].value = (unsigned long)value;
		ops[i].value_size = op->type->size;
	}

	start = ticks();
	set->fd = bpf_module_load(set->name, ops, set->ops_cnt, &opts);
	took = ticks() - start;
	if (set->fd < 0)
		err(1, "module %s: %s", set->name, log);

	if (bpf_module_get_info_by_fd(set->fd, &info, &len))
		err(1, "info of %s", set->name);
	set->id = info.id;
	for (i = 0; i < set->ops_cnt; i++)
		free((void *)(unsigned long)ops[i].value);
	return took;
}

/* A module needs no handle. */
static void leave(struct set *set)
{
	close(set->fd);
	set->fd = -1;
}

/* Keep what ends it, and nothing else. */
static void leave_but_end(struct set *set)
{
}

static __u64 unload(struct set *set)
{
	__u64 start = ticks();

	if (set->fd < 0)
		set->fd = bpf_module_get_fd_by_id(set->id);
	if (bpf_module_unload(set->fd, NULL))
		err(1, "unload %s", set->name);
	close(set->fd);
	set->fd = -1;
	return ticks() - start;
}

static double claim(struct set *set)
{
	struct bpf_module_info info = {};
	__u32 len = sizeof(info);

	if (bpf_module_get_info_by_fd(set->fd, &info, &len))
		err(1, "info of %s", set->name);
	return info.memory;
}

static int list(void)
{
	struct bpf_module_info info;
	int cnt = 0, fd;
	__u32 id = 0;

	while (!bpf_module_get_next_id(id, &id)) {
		__u32 len = sizeof(info);

		fd = bpf_module_get_fd_by_id(id);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_module_get_info_by_fd(fd, &info, &len))
			cnt++;
		close(fd);
	}
	return cnt;
}
#else
/* A map with a BTF type needs a BTF of its loader too, whatever is in it. */
static int own_btf_fd(void)
{
	static struct btf *btf;

	if (!btf) {
		btf = btf__new_empty();
		if (!btf || btf__add_int(btf, "int", 4, BTF_INT_SIGNED) < 0 ||
		    btf__load_into_kernel(btf))
			err(1, "BTF for maps");
	}
	return btf__fd(btf);
}

static __u64 load(struct set *set)
{
	__u64 took = 0;
	int i;

	for (i = 0; i < set->ops_cnt; i++) {
		struct op *op = &set->ops[i];
		const struct ops_type *type = op->type;
		LIBBPF_OPTS(bpf_map_create_opts, opts,
			.btf_fd = own_btf_fd(),
			.btf_vmlinux_value_type_id = type->map_id,
			.map_flags = BPF_F_LINK | (type->btf_fd ? BPF_F_VTYPE_BTF_OBJ_FD : 0),
			.value_type_btf_obj_fd = type->btf_fd,
		);
		void *value = calloc(1, type->map_size);
		__u64 start;
		int zero = 0;

		if (!value)
			err(1, "a value");
		fill(set, op, value + type->data);

		start = ticks();
		op->map = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, set->name, sizeof(zero),
					 type->map_size, 1, &opts);
		if (op->map < 0)
			err(1, "map %s", set->name);
		if (bpf_map_update_elem(op->map, &zero, value, 0))
			err(1, "value of map %s", set->name);
		op->link = bpf_link_create(op->map, 0, BPF_STRUCT_OPS, NULL);
		took += ticks() - start;
		if (op->link < 0)
			err(1, "link of map %s", set->name);
		free(value);
	}
	return took;
}

/* A link needs an fd or a pin, and holds its map. */
static void leave(struct set *set)
{
	int i;

	for (i = 0; i < set->ops_cnt; i++) {
		close(set->ops[i].map);
		set->ops[i].map = -1;
	}
}

static void leave_but_end(struct set *set)
{
	leave(set);
}

static __u64 unload(struct set *set)
{
	__u64 start = ticks();
	int i;

	for (i = 0; i < set->ops_cnt; i++) {
		close(set->ops[i].link);
		if (set->ops[i].map >= 0)
			close(set->ops[i].map);
	}
	return ticks() - start;
}

static double claim(struct set *set)
{
	double memory = 0, one;
	char line[256];
	FILE *file;
	int i;

	for (i = 0; i < set->ops_cnt; i++) {
		snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", set->ops[i].map);
		file = fopen(line, "r");
		if (!file)
			err(1, "%s", line);
		while (fgets(line, sizeof(line), file))
			if (sscanf(line, "memlock: %lf", &one) == 1)
				memory += one;
		fclose(file);
	}
	return memory;
}

static int list(void)
{
	struct bpf_map_info info;
	int cnt = 0, fd;
	__u32 id = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		__u32 len = sizeof(info);

		fd = bpf_map_get_fd_by_id(id);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_MAP_TYPE_STRUCT_OPS)
			cnt++;
		close(fd);
	}
	return cnt;
}
#endif

static __u64 call(int member, int bpf)
{
	struct bench_call call = { .member = member, .bpf = bpf, .count = 100000 };
	__u64 took[5];
	int i;

	for (i = 0; i < ARRAY_SIZE(took); i++) {
		if (ioctl(device, BENCH_CALL, &call))
			err(1, "calling member %d", member);
		took[i] = call.ticks;
	}
	return median(took, ARRAY_SIZE(took));
}

static void stats(int on)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "w");

	if (!file || fprintf(file, "%d", on) < 0 || fclose(file))
		err(1, "bpf_stats_enabled");
}

static void part_callback(void)
{
	static const int args[] = { 0, 1, 3, 4, 5 };
	int members[BENCH_TYPED], sleepable, i;
	char name[64];

	for (i = 0; i < BENCH_TYPED; i++)
		members[i] = i;
	for (sleepable = 0; sleepable < 2; sleepable++) {
		struct set *set = new_set();

		add_op(set, &bench_type, members, BENCH_TYPED, sleepable ? BPF_F_SLEEPABLE : 0);
		load(set);
		for (i = 0; i < BENCH_TYPED; i++) {
			const char *ret = i < BENCH_INT_0 ? "void" : "int";
			double c = call(i, 0) / 100000.;
			int on;

			for (on = 0; on < 2; on++) {
				snprintf(name, sizeof(name), "call.%s.%s.%d%s",
					 sleepable ? "sleep" : "plain", ret,
					 args[i % ARRAY_SIZE(args)], on ? ".stats" : "");
				stats(on);
				row(name, call(i, 1) / 100000. - c);
			}
			stats(0);
			if (sleepable)
				continue;
			snprintf(name, sizeof(name), "c.%s.%d", ret, args[i % ARRAY_SIZE(args)]);
			row(name, c);
		}
		unload(set);
		close_progs(set);
	}
}

static void load_row(const char *name, int ops_cnt, int progs_cnt)
{
	__u64 took[25], back[25];
	char unload_name[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(took); i++) {
		struct set *set = bench_set(ops_cnt, progs_cnt);

		quiet();
		took[i] = load(set);
		close_progs(set);
		quiet();
		back[i] = unload(set);
	}
	row(name, median(took, ARRAY_SIZE(took)));
	snprintf(unload_name, sizeof(unload_name), "un%s", name);
	row(unload_name, median(back, ARRAY_SIZE(back)));
}

static void part_load(void)
{
	load_row("load.1x8", 1, 8);
	load_row("load.1x33", 1, 33);
	load_row("load.8x8", 8, 8);
}

/* Unload cnt sets in a row; returns what it took, and until the calls returned. */
static __u64 unload_row(int cnt, __u64 *returned)
{
	struct set *sets[100];
	__u64 start, took;
	__s64 bytes;
	int i;

	quiet();
	bytes = exec_bytes();
	for (i = 0; i < cnt; i++) {
		sets[i] = bench_set(1, 8);
		load(sets[i]);
		close_progs(sets[i]);
		leave_but_end(sets[i]);
	}
	quiet();
	start = ticks();
	for (i = 0; i < cnt; i++)
		unload(sets[i]);
	*returned = ticks() - start;
	settle(bytes);
	took = ticks() - start;
	for (i = 0; i < cnt; i++)
		free(sets[i]);
	return took;
}

static void part_unload(void)
{
	__u64 back[15], returned[15];
	int i;

	/* How long a grace period has still to go is chance: hence so many. */
	follow(1);
	for (i = 0; i < ARRAY_SIZE(back); i++)
		back[i] = unload_row(1, &returned[i]);
	row("back.1x8", median(back, ARRAY_SIZE(back)));
	for (i = 0; i < ARRAY_SIZE(back); i++)
		back[i] = unload_row(100, &returned[i]);
	row("unload.100", median(returned, ARRAY_SIZE(returned)));
	row("back.100", median(back, ARRAY_SIZE(back)));
	follow(0);
}

/* What the kernel has given away, as it accounts for it itself, in bytes. */
struct memory {
	double slab, vmalloc, percpu, tables, exec, free;
};

static void take_memory(struct memory *memory)
{
	char line[512], *caller;
	double n;
	FILE *file;
	unsigned long size;

	memset(memory, 0, sizeof(*memory));
	/* What waits for a grace period is not taken. */
	quiet();
	file = fopen("/proc/meminfo", "r");
	if (!file)
		err(1, "meminfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Slab: %lf", &n) == 1)
			memory->slab = n * 1024;
		else if (sscanf(line, "Percpu: %lf", &n) == 1)
			memory->percpu = n * 1024;
		else if (sscanf(line, "PageTables: %lf", &n) == 1)
			memory->tables = n * 1024;
		else if (sscanf(line, "MemFree: %lf", &n) == 1)
			memory->free = n * 1024;
	}
	fclose(file);

	/* Large pages for executable memory are counted by what is used of them. */
	file = fopen("/proc/vmallocinfo", "r");
	if (!file)
		err(1, "vmallocinfo");
	while (fgets(line, sizeof(line), file)) {
		caller = strstr(line, " pages=");
		if (!caller || strstr(line, "execmem") || strstr(line, "bpf_prog_pack"))
			continue;
		if (sscanf(caller, " pages=%lu", &size) == 1)
			memory->vmalloc += size * 4096.;
	}
	fclose(file);
	memory->exec = exec_bytes();
}

static void memory_row(const char *name, struct set *(*make)(void))
{
	static struct set *sets[MANY];
	struct memory before, after;
	char part[64];
	double claimed = 0;
	__s64 bytes;
	int i;

	follow(1);
	bytes = exec_bytes();
	for (i = 0; i < MANY; i++)
		sets[i] = make();
	take_memory(&before);
	for (i = 0; i < MANY; i++) {
		load(sets[i]);
		if (!i)
			claimed = claim(sets[i]);
		leave(sets[i]);
	}
	take_memory(&after);

#define PART(what, field) do {						\
	snprintf(part, sizeof(part), "%s.%s", name, what);		\
	row(part, (after.field - before.field) / MANY);			\
} while (0)
	PART("slab", slab);
	PART("vmalloc", vmalloc);
	PART("percpu", percpu);
	PART("exec", exec);
#undef PART
	row(name, (after.slab + after.vmalloc + after.percpu + after.exec -
		   before.slab - before.vmalloc - before.percpu - before.exec) / MANY);
	snprintf(part, sizeof(part), "%s.free", name);
	row(part, (before.free - after.free) / MANY);
	snprintf(part, sizeof(part), "%s.claim", name);
	row(part, claimed);

	for (i = 0; i < MANY; i++) {
		close_progs(sets[i]);
		unload(sets[i]);
	}
	settle(bytes);
	follow(0);
}

static struct set *one_set(void)
{
	return bench_set(1, 1);
}

static struct set *large_set(void)
{
	return bench_set(1, BENCH_MEMBERS);
}

static void part_memory(void)
{
	memory_row("memory.1", one_set);
	memory_row("memory.tcp8", tcp_set);
	memory_row("memory.33", large_set);
}

static void part_scale(void)
{
	static const int counts[] = { 10, 100, 1000, 10000 };
	__u64 loads[15], unloads[15], start;
	int cnt = 0, i, j, seen;
	char name[64];

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (; cnt < counts[i]; cnt++) {
			struct set *set = one_set();

			load(set);
			close_progs(set);
			leave(set);
			free(set);
		}
		for (j = 0; j < ARRAY_SIZE(loads); j++) {
			struct set *set = one_set();

			quiet();
			loads[j] = load(set);
			close_progs(set);
			quiet();
			unloads[j] = unload(set);
		}
		quiet();
		start = ticks();
		seen = list();
		start = ticks() - start;
		if (seen != cnt)
			errx(1, "%d listed, not %d", seen, cnt);
		snprintf(name, sizeof(name), "scale.load.%d", cnt);
		row(name, median(loads, ARRAY_SIZE(loads)));
		snprintf(name, sizeof(name), "scale.unload.%d", cnt);
		row(name, median(unloads, ARRAY_SIZE(unloads)));
		snprintf(name, sizeof(name), "scale.list.%d", cnt);
		row(name, (double)start / cnt);
	}
}

static int tcp_socket(const char *cc)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc)))
		err(1, "a socket with %s", cc);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static void tcp_pair(int listener, const struct sockaddr_in *to, const char *cc, int *pair)
{
	pair[0] = tcp_socket(cc);
	if (connect(pair[0], (const struct sockaddr *)to, sizeof(*to)))
		err(1, "connect");
	pair[1] = accept(listener, NULL, NULL);
	if (pair[1] < 0)
		err(1, "accept");
}

static void tcp_rows(const char *title, const char *cc)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	static char buf[65536];
	socklen_t len = sizeof(to);
	int listener, pair[2], i, j;
	__u64 start, took[21];
	const int rounds = 1024 / ARRAY_SIZE(took);
	char name[64];

	listener = tcp_socket(cc);
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&to, &len))
		err(1, "a listener");

	for (i = 0; i < ARRAY_SIZE(took); i++) {
		start = ticks();
		for (j = 0; j < 100; j++) {
			tcp_pair(listener, &to, cc, pair);
			close(pair[0]);
			close(pair[1]);
		}
		took[i] = (ticks() - start) / 100;
	}
	snprintf(name, sizeof(name), "tcp.connection.%s", title);
	row(name, median(took, ARRAY_SIZE(took)));

	tcp_pair(listener, &to, cc, pair);
	for (i = 0; i < ARRAY_SIZE(took); i++) {
		start = ticks();
		for (j = 0; j < rounds; j++) {
			ssize_t out = send(pair[0], buf, sizeof(buf), 0), in = 0, n;

			while (in < out) {
				n = recv(pair[1], buf, out - in, 0);
				if (n <= 0)
					err(1, "recv");
				in += n;
			}
			if (out != sizeof(buf))
				errx(1, "sent %zd bytes", out);
		}
		took[i] = ticks() - start;
	}
	snprintf(name, sizeof(name), "tcp.byte.%s", title);
	row(name, (double)median(took, ARRAY_SIZE(took)) / rounds / sizeof(buf));
	close(pair[0]);
	close(pair[1]);
	close(listener);
}

/* The same algorithm, built in and as the selftests' program. */
static void part_tcp(void)
{
	struct bpf_object *obj = bpf_object__open_file("/objs/bpf_cubic.bpf.o", NULL);
	struct bpf_link *link = NULL;

	if (!obj)
		err(1, "bpf_cubic.bpf.o");
#if MODULES
	bpf_module__set_autocreate(bpf_object__next_module(obj, NULL), true);
#endif
	if (bpf_object__load(obj))
		err(1, "bpf_cubic.bpf.o");
#if MODULES
	link = bpf_module__attach(bpf_object__next_module(obj, NULL));
#else
	link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "cubic"));
#endif
	if (!link)
		errx(1, "bpf_cubic is not attached");
	tcp_rows("builtin", "cubic");
	tcp_rows("bpf", "bpf_cubic");
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "callback", part_callback },
	{ "load", part_load },
	{ "unload", part_unload },
	{ "memory", part_memory },
	{ "links", part_links },
	{ "funcs", part_funcs },
	{ "tcp", part_tcp },
	{ "scale", part_scale },	/* the last: what it loads stays */
};

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct btf *vmlinux, *own;
	int i, j, ran = 0, fd;

	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "files");
	device = open("/dev/bench_ops", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/bench_ops");
	vmlinux = btf__load_vmlinux_btf();
	own = btf__load_module_btf("bench_ops", vmlinux);
	if (!vmlinux || !own)
		err(1, "BTF");
	fd = module_btf_fd("bench_ops");
	find_type(&bench_type, own, fd);
	find_type(&tcp_type, vmlinux, 0);
	find_hooks(own, fd);
	find_kernel_func(own, fd);

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (j = 1; j < argc && strcmp(argv[j], parts[i].name); j++)
			;
		if (argc > 1 && j == argc)
			continue;
		parts[i].run();
		ran++;
	}
	if (!ran)
		errx(1, "parts: callback load unload memory links funcs tcp scale");
	return 0;
}
