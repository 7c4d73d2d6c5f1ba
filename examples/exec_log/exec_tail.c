// SPDX-License-Identifier: GPL-2.0
/*
 * exec_tail [-f]: print what the module exec_log has recorded; with -f go on
 *
 * Nothing is pinned: the program asks the module for its map.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <linux/bpf_module.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "exec_log.h"

/* An fd of the loaded module of that name, or -1. */
static int find_module(const char *name)
{
	__u32 id = 0;

	while (!bpf_module_get_next_id(id, &id)) {
		struct bpf_module_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_module_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_module_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name))
			return fd;
		close(fd);
	}
	return -1;
}

static int print_record(void *ctx, void *data, size_t size)
{
	const struct exec_record *record = data;

	printf("%llu.%03llu pid %u uid %u %s\n", record->time / 1000000000,
	       record->time / 1000000 % 1000, record->pid, record->uid, record->file);
	return 0;
}

int main(int argc, char **argv)
{
	int follow = argc == 2 && !strcmp(argv[1], "-f"), module, map, n;
	struct ring_buffer *ring;

	if (argc > 1 && !follow)
		errx(2, "usage: exec_tail [-f]");
	module = find_module("exec_log");
	if (module < 0)
		errx(1, "module exec_log is not loaded; bpftool module load exec_log.bpf.o");
	map = bpf_module__open_map(module, "execs");
	if (map < 0)
		err(1, "map execs of module exec_log");
	ring = ring_buffer__new(map, print_record, NULL, NULL);
	if (!ring)
		err(1, "ring buffer");

	setlinebuf(stdout);
	do {
		n = follow ? ring_buffer__poll(ring, -1) : ring_buffer__consume(ring);
	} while (follow && (n >= 0 || n == -EINTR));
	ring_buffer__free(ring);
	return n < 0;
}
