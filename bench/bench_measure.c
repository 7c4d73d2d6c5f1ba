// SPDX-License-Identifier: GPL-2.0
/*
 * How the files of bench measure, and print what they have found.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench_measure.h"
#include "bench_ops.h"

int device;

__u64 ticks(void)
{
	_mm_lfence();
	return __rdtsc();
}

void row(const char *name, double number)
{
	printf("%s\t%.2f\n", name, number);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

__u64 median(__u64 *numbers, int cnt)
{
	qsort(numbers, cnt, sizeof(*numbers), compare);
	return numbers[cnt / 2];
}

void quiet(void)
{
	const char *ms = getenv("BENCH_QUIET_MS");

	usleep(ms ? atoi(ms) * 1000 : 3000000);
}

void follow(int on)
{
	quiet();
	if (ioctl(device, BENCH_FOLLOW, on))
		err(1, "following executable memory");
}

__s64 exec_bytes(void)
{
	__s64 bytes;

	if (ioctl(device, BENCH_EXEC, &bytes))
		err(1, "executable memory");
	return bytes;
}

void settle(__s64 bytes)
{
	int i;

	for (i = 0; exec_bytes() != bytes; i++) {
		if (i == 300000)
			errx(1, "memory does not come back: %lld bytes, not %lld",
			     (long long)exec_bytes(), (long long)bytes);
		usleep(1000);
	}
}
