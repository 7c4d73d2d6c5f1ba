// SPDX-License-Identifier: GPL-2.0
/*
 * Files in memory. The linker puts these in front of the C library's functions,
 * so that what is fuzzed opens the paths that it always opens.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static struct file {
	const char *path;
	const void *data;
	size_t size;
} files[8];
static size_t file_cnt;

static const char * const folders[] = { "/etc/bpf/", "/run/bpf/", "/usr/local/lib/bpf/",
					"/usr/lib/bpf/", "/sys/kernel/btf", "/proc/kallsyms",
					"/fuzz/" };

int __real_open(const char *path, int flags, ...);
FILE *__real_fopen(const char *path, const char *mode);
int __real_access(const char *path, int mode);
int __real_scandir(const char *dir, struct dirent ***list,
		   int (*filter)(const struct dirent *entry),
		   int (*compare)(const struct dirent **a, const struct dirent **b));
DIR *__real_opendir(const char *path);

void fuzz_add_file(const char *path, const void *data, size_t size)
{
	EXPECT(file_cnt < sizeof(files) / sizeof(*files));
	files[file_cnt++] = (struct file){ path, data, size };
}

void fuzz_forget_files(void)
{
	file_cnt = 0;
}

static bool is_ours(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static const struct file *find_file(const char *path)
{
	size_t i;

	for (i = 0; i < file_cnt; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	errno = ENOENT;
	return NULL;
}

int __wrap_open(const char *path, int flags, ...)
{
	const struct file *file;
	va_list args;
	int fd, mode;

	if (!is_ours(path)) {
		va_start(args, flags);
		mode = flags & O_CREAT ? va_arg(args, int) : 0;
		va_end(args);
		return __real_open(path, flags, mode);
	}

	file = find_file(path);
	if (!file)
		return -1;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	EXPECT(fd >= 0 && write(fd, file->data, file->size) == (ssize_t)file->size);
	EXPECT(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	int fd;

	if (!is_ours(path))
		return __real_fopen(path, mode);

	fd = __wrap_open(path, O_RDONLY);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

int __wrap_access(const char *path, int mode)
{
	if (!is_ours(path))
		return __real_access(path, mode);
	return find_file(path) ? 0 : -1;
}

/* The names that they have with 64-bit offsets, as libbpf is built */
int __wrap_open64(const char *path, int flags, int mode);
int __wrap_open64(const char *path, int flags, int mode)
{
	return __wrap_open(path, flags, mode);
}

FILE *__wrap_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode)
{
	return __wrap_fopen(path, mode);
}

static struct dirent *entry_of(const char *dir, const struct file *file)
{
	size_t len = strlen(dir);
	struct dirent *entry;

	if (strncmp(file->path, dir, len) || file->path[len] != '/')
		return NULL;
	entry = calloc(1, sizeof(*entry));
	snprintf(entry->d_name, sizeof(entry->d_name), "%s", file->path + len + 1);
	return entry;
}

/* Files are added in the order of their names. */
int __wrap_scandir(const char *dir, struct dirent ***list,
		   int (*filter)(const struct dirent *entry),
		   int (*compare)(const struct dirent **a, const struct dirent **b))
{
	struct dirent *entry;
	size_t i;
	int cnt = 0;

	if (!is_ours(dir))
		return __real_scandir(dir, list, filter, compare);

	*list = calloc(file_cnt + 1, sizeof(**list));
	for (i = 0; i < file_cnt; i++) {
		entry = entry_of(dir, &files[i]);
		if (entry && (!filter || filter(entry)))
			(*list)[cnt++] = entry;
		else
			free(entry);
	}
	return cnt;
}

/* BTF of kernel modules is what a target leaves out. */
DIR *__wrap_opendir(const char *path)
{
	return __real_opendir(is_ours(path) ? "/proc/self/task" : path);
}
