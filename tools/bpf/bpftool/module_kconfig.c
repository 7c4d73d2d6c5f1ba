// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The configuration of the running kernel, from the same files as libbpf.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "main.h"
#include "module.h"

static gzFile open_config(void)
{
	char path[PATH_MAX];
	struct utsname uts;
	gzFile file;

	uname(&uts);
	snprintf(path, sizeof(path), "/boot/config-%s", uts.release);
	file = gzopen(path, "re");
	return file ? file : gzopen("/proc/config.gz", "re");
}

int module_kconfig_is_set(const char *option)
{
	size_t len = strlen(option);
	char line[4096];
	int is_set = 0;
	gzFile file;

	file = open_config();
	if (!file)
		return -ENOENT;

	while (!is_set && gzgets(file, line, sizeof(line)))
		is_set = strncmp(line, option, len) == 0 && line[len] == '=';
	gzclose(file);
	return is_set;
}
