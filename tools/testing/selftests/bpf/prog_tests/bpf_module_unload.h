/* SPDX-License-Identifier: GPL-2.0 */
/* The end of modules, also of what a failed test has left. */
#ifndef __BPF_MODULE_UNLOAD_H
#define __BPF_MODULE_UNLOAD_H

#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_info.h"

static inline int bm_drain(int module_fd)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = BPF_F_MODULE_DRAIN);

	return bpf_module_unload(module_fd, &opts);
}

/* Drains what a failed test has left. */
static inline void bm_drain_name(const char *name)
{
	int fd = bpf_module_get_fd_by_id(bm_find(name));

	if (fd < 0)
		return;
	bm_drain(fd);
	close(fd);
}

/* Ends the module and closes its fd, if it is there. */
static inline void bm_unload(int *module_fd)
{
	if (*module_fd < 0)
		return;
	bm_drain(*module_fd);
	close(*module_fd);
	*module_fd = -1;
}

#endif /* __BPF_MODULE_UNLOAD_H */
