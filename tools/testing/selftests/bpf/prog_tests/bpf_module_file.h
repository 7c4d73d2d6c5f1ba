/* SPDX-License-Identifier: GPL-2.0 */
/* Reading and writing files of /proc and /sys. */
#ifndef __BPF_MODULE_FILE_H
#define __BPF_MODULE_FILE_H

#include <test_progs.h>

/* Reads the first line of @path. */
static inline bool bm_read_line(const char *path, char *buf, int size)
{
	FILE *f = fopen(path, "r");
	bool ok;

	if (CHECK_FAIL(!f))
		return false;
	ok = fgets(buf, size, f);
	fclose(f);
	if (ok)
		buf[strcspn(buf, "\n")] = 0;
	return ok;
}

/* Reads everything, at most @size bytes including the terminating zero. */
static inline void bm_read_all(int fd, char *buf, int size)
{
	int len = 0, ret;

	while ((ret = read(fd, buf + len, size - 1 - len)) > 0)
		len += ret;
	buf[len] = 0;
}

/* Writes @text to the file at @path, in one step. */
static inline bool bm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), len = strlen(text);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, len) == len;
	close(fd);
	return ok;
}

/* Returns what follows @key in the fdinfo of @fd, NULL if it is not there. */
static inline char *bm_fdinfo(int fd, const char *key, char *buf, int size)
{
	char path[64];
	FILE *file;
	char *val = NULL;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (CHECK_FAIL(!file))
		return NULL;
	while (!val && fgets(buf, size, file)) {
		buf[strcspn(buf, "\n")] = 0;
		if (!strncmp(buf, key, strlen(key)) && buf[strlen(key)] == ':')
			val = buf + strlen(key) + 1 + strspn(buf + strlen(key) + 1, " \t");
	}
	fclose(file);
	return val;
}

#endif /* __BPF_MODULE_FILE_H */
