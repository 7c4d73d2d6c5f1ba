// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of BPF_MODULE_LOAD: one line that says why it failed.  It is kept in
 * kernel memory until LOAD has undone everything and dropped its locks, because a
 * page fault at the caller's buffer may never return.
 */
#include <linux/bpf.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "module.h"

/* More than the longest line: names have at most BPF_MODULE_NAME_LEN bytes. */
#define BPF_MODULE_LOG_SIZE 4096

/* Allocate the log of a LOAD with @attr: NULL if the caller wants none, or an error. */
struct seq_buf *bpf_module_log_alloc(const union bpf_attr *attr)
{
	u32 size = attr->module_load.log_size;
	struct seq_buf *log;

	if (!attr->module_load.log_buf != !size || size > UINT_MAX >> 2)
		return ERR_PTR(-EINVAL);
	if (!size)
		return NULL;
	log = kmalloc(sizeof(*log) + BPF_MODULE_LOG_SIZE, GFP_KERNEL);
	if (!log)
		return ERR_PTR(-ENOMEM);
	seq_buf_init(log, (char *)(log + 1), BPF_MODULE_LOG_SIZE);
	return log;
}

/* Write a line, ending with a newline, to @log unless it is NULL. */
void bpf_module_log(struct seq_buf *log, const char *fmt, ...)
{
	va_list args;

	if (!log)
		return;
	va_start(args, fmt);
	seq_buf_vprintf(log, fmt, args);
	va_end(args);
}

/* Append to the line in @log, after a semicolon, if there is a line. */
void bpf_module_log_more(struct seq_buf *log, const char *fmt, ...)
{
	va_list args;

	if (!log || seq_buf_has_overflowed(log) || !log->len)
		return;
	/* In place of the newline. */
	log->len--;
	seq_buf_puts(log, "; ");
	va_start(args, fmt);
	seq_buf_vprintf(log, fmt, args);
	va_end(args);
	seq_buf_putc(log, '\n');
}

/* Append to @log that the ops got @users before the failure. */
void bpf_module_log_users(struct seq_buf *log, unsigned long users)
{
	if (users)
		bpf_module_log_more(log,
				    "%lu user%s came in the meantime, the programs are free once %s gone",
				    users, users == 1 ? "" : "s",
				    users == 1 ? "it is" : "they are");
}

/* The reason for a failure that nobody has logged. */
static const char *bpf_module_reason(int err)
{
	switch (err) {
	case -ENOMEM:
		return "out of memory";
	case -EFAULT:
		return "bad address in the attributes";
	case -EMFILE:
		return "too many open files";
	default:
		return "not loaded";
	}
}

/* Copy @log of a LOAD that failed with @err to the caller.  Returns the bytes of the whole
 * log, 0 if there is none or it cannot be written: @err matters more than that.
 */
u32 bpf_module_log_finish(struct seq_buf *log, const union bpf_attr *attr, int err)
{
	char __user *log_buf = u64_to_user_ptr(attr->module_load.log_buf);
	u32 len, fit;

	if (!log)
		return 0;
	if (!log->len)
		bpf_module_log(log, "%s, error %d\n", bpf_module_reason(err), -err);
	len = strlen(seq_buf_str(log)) + 1;
	fit = min(len, attr->module_load.log_size);
	log->buffer[fit - 1] = '\0';
	return copy_to_user(log_buf, log->buffer, fit) ? 0 : len;
}
