// SPDX-License-Identifier: GPL-2.0-only
/* Copy the arrays that BPF_MODULE_LOAD takes from user memory. */
#include <linux/bpf.h>
#include <linux/bpfptr.h>
#include <linux/uaccess.h>
#include "module.h"

/* Can this kernel take an array with entries of @size bytes?  @min is the size of the
 * first version of the struct, @what the name of an entry for the log.
 */
int bpf_module_check_entry_size(const char *what, u32 size, u32 min, struct seq_buf *log)
{
	if (size >= min && size <= PAGE_SIZE)
		return 0;
	bpf_module_log(log, "%ss_size is %u bytes, expected %u to %lu\n", what, size, min,
		       PAGE_SIZE);
	return size < min ? -EINVAL : -E2BIG;
}

/* Copy entry @nr, of @size bytes, of the array at @array to @to, which has the size that
 * this kernel knows.  May sleep.
 */
int bpf_module_copy_entry(const char *what, void *to, u32 to_size, u64 array, u32 nr, u32 size,
			  struct seq_buf *log)
{
	void __user *from = u64_to_user_ptr(array) + (size_t)nr * size;
	int err;

	err = bpf_check_uarg_tail_zero(USER_BPFPTR(from), to_size, size);
	if (err == -E2BIG)
		bpf_module_log(log, "%s #%u: sets fields that this kernel does not know\n", what,
			       nr);
	memset(to, 0, to_size);
	if (!err && copy_from_user(to, from, min(size, to_size)))
		err = -EFAULT;
	if (err == -EFAULT)
		bpf_module_log(log, "%s #%u: the address of the %ss cannot be read\n", what, nr,
			       what);
	return err;
}
