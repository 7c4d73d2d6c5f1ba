// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Names of modules, and the folders in which they are looked for.
 *
 * A name is not a path: it never means a file in the current folder, where anybody
 * may have put one. As with modprobe '-' and '_' are the same in lookups; the kernel
 * keeps a name as it was given.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

const char * const module_dirs[MODULE_DIR_CNT] = {
	"/etc/bpf", "/run/bpf", "/usr/local/lib/bpf", "/usr/lib/bpf",
};

bool module_is_name(const char *name)
{
	return libbpf_is_module_name(name);
}

int module_bad_name(const char *name)
{
	p_err("'%s' can't name a module: need 1 to %d letters, digits, '_', '.' or '-', no '-' first",
	      name, BPF_MODULE_NAME_LEN - 1);
	return -1;
}

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

bool module_names_match(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool ends_with(const char *text, size_t len, const char *ending)
{
	size_t ending_len = strlen(ending);

	return len > ending_len &&
	       strncmp(text + len - ending_len, ending, ending_len) == 0;
}

bool module_is_file(const char *word)
{
	return strchr(word, '/') || ends_with(word, strlen(word), ".o");
}

bool module_name_of_file(const char *file, char *name, size_t size)
{
	size_t len = strlen(file);

	if (!ends_with(file, len, ".o"))
		return false;
	len -= strlen(".o");
	if (ends_with(file, len, ".bpf"))
		len -= strlen(".bpf");
	snprintf(name, size, "%.*s", (int)len, file);
	return len < size && module_is_name(name);
}

static bool is_there(const char *path)
{
	struct stat st;

	return !access(path, F_OK) && (stat(path, &st) || !S_ISDIR(st.st_mode));
}

/* Find a file whose name differs only in '-' and '_'. */
static bool find_folded(const char *dir, const char *name, char *path, size_t size)
{
	char other[BPF_MODULE_NAME_LEN];
	struct dirent **files;
	bool found = false;
	int cnt, i;

	snprintf(path, size, "%s/modules", dir);
	cnt = scandir(path, &files, NULL, alphasort);
	if (cnt < 0)
		return false;

	for (i = 0; i < cnt; i++) {
		if (!found && module_name_of_file(files[i]->d_name, other, sizeof(other)) &&
		    module_names_match(other, name)) {
			snprintf(path, size, "%s/modules/%s", dir, files[i]->d_name);
			found = is_there(path);
		}
		free(files[i]);
	}
	free(files);
	return found;
}

static bool find_in_dir(const char *dir, const char *name, char *path, size_t size)
{
	static const char * const endings[] = { ".bpf.o", ".o" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		snprintf(path, size, "%s/modules/%s%s", dir, name, endings[i]);
		if (is_there(path))
			return true;
	}
	return strpbrk(name, "-_") && find_folded(dir, name, path, size);
}

bool module_find_file(const char *name, char *path, size_t size)
{
	size_t i;

	for (i = 0; module_is_name(name) && i < MODULE_DIR_CNT; i++)
		if (find_in_dir(module_dirs[i], name, path, size))
			return true;
	return false;
}

int module_not_found(const char *name)
{
	bool is_here = !access(name, F_OK);

	if (!module_is_name(name))
		return module_bad_name(name);

	p_err("no module %s in the folders bpf/modules of /etc, /run, /usr/local/lib and /usr/lib%s%s",
	      name, is_here ? "; the file in this folder is ./" : "", is_here ? name : "");
	return -1;
}
