/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef __BPFTOOL_MODULE_H
#define __BPFTOOL_MODULE_H

#include <linux/bpf_module.h>
#include <linux/types.h>

struct btf;

/* A module with all its arrays. */
struct module {
	struct bpf_module_info info;
	struct bpf_module_ops_info *ops;
	__u32 *prog_ids;
	__u32 *map_ids;
};

/* What a negative error means to a person. */
const char *module_strerror(int err);
/* Print that a module's info could not be had, return -1. */
int module_info_error(int err);

/* Open the next module after *id. Modules that vanish meanwhile are skipped.
 * Returns an fd, -ENOENT after the last one, or another negative error.
 */
int module_open_next(__u32 *id);

/* The plain facts of a module, without its arrays: 0 or a negative error. */
int module_get_info(int fd, struct bpf_module_info *info);

/* All facts but the values of the ops. To be freed by module_free(), also when
 * it fails with a negative error.
 */
int module_read(int fd, struct module *mod);
/* After module_read(): the values of the ops. */
int module_read_values(int fd, struct module *mod);
void module_free(struct module *mod);

/* BTF of the kernel or of a kernel module by its id, kept until
 * module_free_kernel_btf(). NULL if it can't be had.
 */
const struct btf *module_kernel_btf(__u32 id);
void module_free_kernel_btf(void);

/* The commands behind "show", "list" and "dump": 0, or -1 with the error
 * printed.
 */
int module_list(void);
int module_show(int fd);
int module_dump(int fd);

/* The command "load", arguments as in struct cmd. */
int module_load(int argc, char **argv);

#endif /* __BPFTOOL_MODULE_H */
