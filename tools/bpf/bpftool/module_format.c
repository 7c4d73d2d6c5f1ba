// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Single facts of a BPF module for people: its state, memory and age, who loaded it, and
 * the names of its programs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pwd.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "main.h"
#include "module.h"

const char *module_state_name(__u32 state)
{
	switch (state) {
	case BPF_MODULE_STATE_LIVE:
		return "live";
	case BPF_MODULE_STATE_GOING:
		return "going";
	case BPF_MODULE_STATE_GONE:
		return "gone";
	case BPF_MODULE_STATE_DETACHED:
		return "detached";
	default:
		return "unknown";
	}
}

void module_get_prog_name(__u32 id, char *name, size_t size)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd;

	snprintf(name, size, "?");
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return;

	if (!bpf_prog_get_info_by_fd(fd, &info, &len))
		get_prog_full_name(&info, fd, name, size);
	close(fd);
}

void module_format_memory(char *buf, size_t size, __u64 bytes)
{
	snprintf(buf, size, "%.1f KiB", bytes / 1024.0);
}

/* Time since @load_time, in the largest unit that fits. */
void module_format_age(char *buf, size_t size, __u64 load_time)
{
	struct timespec now;
	__s64 age;

	clock_gettime(CLOCK_BOOTTIME, &now);
	age = now.tv_sec - (__s64)(load_time / 1000000000);

	if (age < 60)
		snprintf(buf, size, "%llds", age);
	else if (age < 60 * 60)
		snprintf(buf, size, "%lldm", age / 60);
	else if (age < 24 * 60 * 60)
		snprintf(buf, size, "%lldh", age / (60 * 60));
	else
		snprintf(buf, size, "%lldd", age / (24 * 60 * 60));
}

/* The name of a user, the number if there is none. */
void module_format_user(char *buf, size_t size, __u32 uid)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, size, "%s", user->pw_name);
	else
		snprintf(buf, size, "%u", uid);
}
