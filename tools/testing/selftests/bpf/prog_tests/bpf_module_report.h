/* SPDX-License-Identifier: GPL-2.0 */
/* Figures for people to see from a test that passes. */
#ifndef __BPF_MODULE_REPORT_H
#define __BPF_MODULE_REPORT_H

#include <stdarg.h>
#include <linux/compiler.h>
#include <test_progs.h>

/* Prints even though the output of a test that passes is not shown. */
static inline __printf(1, 2) void bm_report(const char *fmt, ...)
{
	FILE *out = env.stdout_saved ?: stdout;
	va_list args;

	va_start(args, fmt);
	vfprintf(out, fmt, args);
	va_end(args);
	fflush(out);
}

#endif /* __BPF_MODULE_REPORT_H */
