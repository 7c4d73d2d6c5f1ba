// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Why an object cannot be loaded: keeps the warnings of libbpf and the verifier's log, and
 * finds in them the one line that tells the reason.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

#define ENOTSUPP	524 /* the kernel's, not in user space's headers */
#define PREFIX		"libbpf: "
#define LOG_BEGIN	": -- BEGIN PROG LOAD LOG --\n"
#define LOG_END		"-- END PROG LOAD LOG --"

/* The verifier's log ends with lines of statistics. */
static bool is_statistics(const char *line)
{
	return str_has_pfx(line, "processed ") || str_has_pfx(line, "verification time ") ||
	       str_has_pfx(line, "stack depth ");
}

#define WHOSE_ARGUMENTS "wrong arguments for function "

/* The last line between @pos and @end that is not statistics. If it names a function with
 * wrong arguments, the line before it follows, which tells what is wrong with them.
 */
static char *last_line(const char *pos, const char *end)
{
	const char *line = "", *why = "", *next;
	int len = 0, why_len = 0;
	char *said;

	for (; pos < end; pos = next) {
		size_t this_len = strcspn(pos, "\n");

		next = pos + this_len + 1;
		if (this_len && !is_statistics(pos)) {
			why = line;
			why_len = len;
			line = pos;
			len = this_len;
		}
	}
	if (!len)
		return NULL;
	if (!why_len || !str_has_pfx(line, WHOSE_ARGUMENTS))
		return strndup(line, len);
	return asprintf(&said, "%.*s: %.*s", len, line, why_len, why) < 0 ? NULL : said;
}

static bool has_prog_log(const char *warnings)
{
	return strstr(warnings, LOG_BEGIN);
}

/* "prog 'NAME': the verifier's last line" */
static char *verifier_reason(const char *warnings, const char *begin)
{
	const char *log = begin + strlen(LOG_BEGIN), *end = strstr(log, LOG_END), *name;
	char *line, *reason;

	line = last_line(log, end ?: log + strlen(log));
	if (!line)
		return NULL;

	for (name = begin; name > warnings && name[-1] != '\n';)
		name--;
	if (str_has_pfx(name, PREFIX))
		name += strlen(PREFIX);
	if (asprintf(&reason, "%.*s: %s", (int)(begin - name), name, line) < 0)
		reason = NULL;
	free(line);
	return reason;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static bool line_has(const char *line, const char *text)
{
	return memmem(line, strcspn(line, "\n"), text, strlen(text));
}

/* Is it about a weak function whose prototype differs? */
static bool is_no_error(const char *line)
{
	return line_has(line, "; as it is weak, it counts as missing");
}

/* After EPERM, libbpf first suggests the memory limit of old kernels. */
static bool is_guess(const char *line)
{
	return line_has(line, "RLIMIT_MEMLOCK") || line_has(line, "'ulimit -l'");
}

/* Does it say which module has the function that the line before misses? */
static bool is_hint(const char *line)
{
	return line_has(line, "; to call it, declare it with __bpf_module(");
}

/* libbpf's first line has the cause; later lines are consequences of it, or a hint. A hint
 * right after the cause replaces it.
 */
static const char *find_line(const char *line, int err)
{
	while (*line && (is_no_error(line) || (err == EPERM && is_guess(line))))
		line = next_line(line);
	return is_hint(next_line(line)) ? next_line(line) : line;
}

/* The line without libbpf's prefix, to be freed; NULL without memory. */
static char *copy_line(const char *line)
{
	if (str_has_pfx(line, PREFIX))
		line += strlen(PREFIX);
	return strndup(line, strcspn(line, "\n"));
}

static char *find_reason(const char *warnings, int err)
{
	const char *begin = strstr(warnings, LOG_BEGIN), *line;
	char *reason = NULL;

	if (begin)
		reason = verifier_reason(warnings, begin);
	if (reason)
		return reason;

	line = find_line(warnings, err);
	return *line ? copy_line(line) : NULL;
}

/* Warnings of libbpf while it handles an object. They are shown only if they explain an
 * error. Nested: an object may need another, which is then loaded first.
 */
static struct warnings {
	FILE *stream;
	char *text;
	size_t size;
	struct warnings *outer;
} *warnings;

static int keep_warnings(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(warnings->stream, fmt, ap) : 0;
}

/* Keeps nothing with option --debug, which prints everything at once. */
libbpf_print_fn_t module_warnings_begin(void)
{
	struct warnings *inner = verifier_logs ? NULL : calloc(1, sizeof(*inner));

	if (inner)
		inner->stream = open_memstream(&inner->text, &inner->size);
	if (!inner || !inner->stream) {
		free(inner);
		return NULL;
	}
	inner->outer = warnings;
	warnings = inner;
	return libbpf_set_print(keep_warnings);
}

void module_warnings_end(libbpf_print_fn_t old_print)
{
	struct warnings *inner = warnings;

	/* module_warnings_begin() kept none */
	if (!old_print)
		return;

	libbpf_set_print(old_print);
	warnings = inner->outer;
	fclose(inner->stream);
	free(inner->text);
	free(inner);
}

/* If so, their text is complete. */
static bool has_warnings(void)
{
	return warnings && !fflush(warnings->stream) && warnings->size;
}

const char *module_last_warning(const char *otherwise)
{
	char *line;

	if (!has_warnings())
		return otherwise;

	warnings->text[warnings->size - 1] = '\0';
	line = strrchr(warnings->text, '\n');
	line = line ? line + 1 : warnings->text;
	return str_has_pfx(line, PREFIX) ? line + strlen(PREFIX) : line;
}

/* Line by line, each escaped: the text may come from a file. */
static void print_warnings(void)
{
	char *rest = warnings->text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line || rest)
			fprintf(stderr, "%s\n", module_text(line));
}

/* Leaves out the name of the object: the message has its file. */
static const char *without_object(const char *reason)
{
	const char *rest = str_has_pfx(reason, "object '") ? strstr(reason, "': ") : NULL;

	return rest ? rest + strlen("': ") : reason;
}

/* The cause behind libbpf's reason, where it is known. */
static const char *deeper_reason(const char *reason, int err)
{
	if (strstr(reason, "BTF") && access("/sys/kernel/btf/vmlinux", R_OK))
		return "/sys/kernel/btf/vmlinux does not exist; is /sys mounted?";
	/* from the verifier, about a type of ops that the kernel does not have */
	if (err == ENOTSUPP && strstr(reason, "is not a supported") &&
	    access("/proc/modules", F_OK))
		return "types of ops with an owner need CONFIG_MODULES, which is not set";
	return module_text(without_object(reason));
}

void module_tell_missing(const char *file)
{
	const char *line = has_warnings() ? warnings->text : "";

	for (; *line; line = next_line(line)) {
		char *text = is_no_error(line) ? copy_line(line) : NULL;

		if (text)
			p_info("%s %s", file, module_text(without_object(text)));
		free(text);
	}
}

void module_object_error(const char *what, const char *file)
{
	char *reason = NULL, number[128];
	int err = errno;

	if (has_warnings())
		reason = find_reason(warnings->text, err);
	if (reason) {
		/* print the verifier's log in full; this cuts the text into lines */
		if (has_prog_log(warnings->text))
			print_warnings();
		p_err("can't %s %s: %s", what, file, deeper_reason(reason, err));
	} else {
		libbpf_strerror(err, number, sizeof(number));
		p_err("can't %s %s: %s", what, file, number);
	}
	free(reason);
}
