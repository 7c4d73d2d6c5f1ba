// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Errors of a process whose output nobody sees.
 *
 * The kernel starts modprobe, which starts us, with stdin, stdout and stderr closed.
 * Files opened then would get their numbers, and receive what is printed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "main.h"
#include "module.h"

/* The reason is at the end; a verifier's log before it can be very long. */
#define MAX_LINES 16

/* main() has put something else in the place of closed ones. */
static bool is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

bool module_log_begin(void)
{
	int fd;

	if (is_writable(STDERR_FILENO))
		return false;

	fd = memfd_create("bpftool-log", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	dup2(fd, STDERR_FILENO);
	close(fd);

	/* nobody needs stdout there */
	fd = is_writable(STDOUT_FILENO) ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		close(fd);
	}
	return true;
}

void module_log_end(bool failed)
{
	char *lines[MAX_LINES] = {}, *line = NULL;
	size_t size = 0, cnt = 0, i;
	FILE *f;

	if (!failed)
		return;

	fflush(stderr);
	f = fdopen(dup(STDERR_FILENO), "r");
	if (!f)
		return;
	rewind(f);
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		free(lines[cnt % MAX_LINES]);
		lines[cnt++ % MAX_LINES] = line;
		line = NULL;
	}
	free(line);
	fclose(f);

	openlog(bin_name, LOG_PID, LOG_DAEMON);
	for (i = cnt > MAX_LINES ? cnt - MAX_LINES : 0; i < cnt; i++)
		syslog(LOG_ERR, "%s", lines[i % MAX_LINES]);
	closelog();
	for (i = 0; i < MAX_LINES; i++)
		free(lines[i]);
}
