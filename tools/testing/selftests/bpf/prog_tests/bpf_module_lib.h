/* SPDX-License-Identifier: GPL-2.0 */
/* Libraries and their callers, written in C: what the tests of them share. */
#ifndef __BPF_MODULE_TESTS_LIB_H
#define __BPF_MODULE_TESTS_LIB_H

#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_func.h"
#include "bpf_module_info.h"
#include "bpf_module_wait.h"
#include "progs/bpf_module_lib.h"
#include "bpf_module_lib.skel.h"

/* The library, loaded. */
static inline struct bpf_module_lib *bm_library(void)
{
	struct bpf_module_lib *lib = bpf_module_lib__open_and_load();

	if (!ASSERT_OK_PTR(lib, "open and load library"))
		return NULL;
	if (ASSERT_OK(bpf_module_lib__attach(lib), "attach library"))
		return lib;
	bpf_module_lib__destroy(lib);
	return NULL;
}

static inline int bm_library_fd(const struct bpf_module_lib *lib)
{
	return bpf_module__fd(lib->modules.bm_lib);
}

/* Its callers are closed, and freed a little later. */
static inline void bm_library_end(struct bpf_module_lib *lib)
{
	int fd;

	if (!lib)
		return;
	fd = dup(bm_library_fd(lib));
	bpf_module_lib__destroy(lib);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "library gone");
	close(fd);
}

static inline __u64 bm_library_count(const struct bpf_module_lib *lib, int who)
{
	__u64 cnt = 0;

	ASSERT_OK(bpf_map__lookup_elem(lib->maps.lib_counts, &who, sizeof(who), &cnt, sizeof(cnt),
				       0), "lookup");
	return cnt;
}

/* What a program returns for a packet. */
static inline int bm_run_tc(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	char packet[64] = {};

	opts.data_in = packet;
	opts.data_size_in = sizeof(packet);
	ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), bpf_program__name(prog));
	return opts.retval;
}

/* Opens or loads by @expr, which has to fail with @err and the line @text. */
#define bm_says(expr, err, text) ({						\
	char *___log;								\
	int ___err;								\
										\
	ASSERT_OK(start_libbpf_log_capture(), "log");				\
	___err = (expr);							\
	___log = stop_libbpf_log_capture();					\
	ASSERT_EQ(___err, err, #expr);						\
	if (ASSERT_OK_PTR(___log, "log"))					\
		ASSERT_HAS_SUBSTR(___log, text, "line");			\
	free(___log);								\
})

/* Returns an error if @path can't be opened. */
static inline int bm_open_error(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	int err = libbpf_get_error(obj);

	if (!err)
		bpf_object__close(obj);
	return err;
}

#endif /* __BPF_MODULE_TESTS_LIB_H */
