// SPDX-License-Identifier: GPL-2.0-only
/* Names of BPF modules, which are unique, and of their ops. */
#include <linux/bpf.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/rhashtable.h>
#include <linux/uaccess.h>
#include "module.h"

/* The names that are taken: those of modules that are loading or loaded. */
static struct rhashtable bpf_module_names;

static const struct rhashtable_params bpf_module_names_params = {
	.head_offset		= offsetof(struct bpf_module, name_node),
	.key_offset		= offsetof(struct bpf_module, name),
	.key_len		= BPF_MODULE_NAME_LEN,
	/* Shrinking below that costs more than it gains. */
	.min_size		= 256,
	.automatic_shrinking	= true,
};

static bool bpf_module_name_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.-", *c)))
			return false;
	}
	/* "." and ".." name folders, and tools take a leading '-' for an option */
	return c != name && *name != '-' && strcmp(name, ".") && strcmp(name, "..");
}

/* Copy a name from user address @uname to @name, BPF_MODULE_NAME_LEN zeroed
 * bytes.
 */
int bpf_module_copy_name(char *name, u64 uname)
{
	long len;

	len = strncpy_from_user(name, u64_to_user_ptr(uname), BPF_MODULE_NAME_LEN);
	if (len < 0)
		return len;
	return len < BPF_MODULE_NAME_LEN && bpf_module_name_valid(name) ? 0 : -EINVAL;
}

int bpf_module_add_name(struct bpf_module *mod, struct seq_buf *log)
{
	int err;

	err = rhashtable_lookup_insert_fast(&bpf_module_names, &mod->name_node,
					    bpf_module_names_params);
	if (err == -EEXIST)
		bpf_module_log(log, "module name \"%s\" is taken\n", mod->name);
	return err;
}

/* No-op if a replacement has the name, or it was never added. */
void bpf_module_del_name(struct bpf_module *mod)
{
	rhashtable_remove_fast(&bpf_module_names, &mod->name_node,
			       bpf_module_names_params);
}

/* Hand the name of @old over to @mod.  Under old->lock. */
void bpf_module_replace_name(struct bpf_module *old, struct bpf_module *mod)
{
	lockdep_assert_held(&old->lock);
	rhashtable_replace_fast(&bpf_module_names, &old->name_node,
				&mod->name_node, bpf_module_names_params);
}

static int __init bpf_module_names_init(void)
{
	return rhashtable_init(&bpf_module_names, &bpf_module_names_params);
}
core_initcall(bpf_module_names_init);
