// SPDX-License-Identifier: GPL-2.0
/* The linker of objects, and calls of functions of BPF modules. */
#include <test_progs.h>
#include "bpf_module_lib.h"

#define OUT_LEN 64

/* Links two files to a new one, whose name is put in @out. */
static int link_files(const char *first, const char *second, char *out)
{
	struct bpf_linker *linker;
	int fd, err;

	snprintf(out, OUT_LEN, "/tmp/bm_linked_XXXXXX");
	fd = mkstemp(out);
	if (!ASSERT_OK_FD(fd, "mkstemp"))
		return -errno;
	close(fd);
	linker = bpf_linker__new(out, NULL);
	if (!ASSERT_OK_PTR(linker, "linker"))
		return -errno;
	err = bpf_linker__add_file(linker, first, NULL) ?:
	      bpf_linker__add_file(linker, second, NULL) ?:
	      bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	return err;
}

static void check_both(const struct bpf_module_lib *lib, const struct bpf_object *obj)
{
	const struct bpf_module_dep *dep = bpf_object__next_module_dep(obj, NULL);
	__u64 before = bm_library_count(lib, LIB_LINKED);
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(dep, "needs"))
		return;
	ASSERT_STREQ(bpf_module_dep__module(dep), LIB_NAME, "module");
	ASSERT_STREQ(bpf_module_dep__func(dep), "lib_count", "function");
	/* as one of the two files cannot do without */
	ASSERT_FALSE(bpf_module_dep__is_weak(dep), "weak");
	ASSERT_NULL(bpf_object__next_module_dep(obj, dep), "needs more");
	bpf_object__for_each_program(prog, obj)
		bm_run_tc(prog);
	ASSERT_EQ(bm_library_count(lib, LIB_LINKED) - before, 2 * LIB_STEP, "counts");
}

/* Two files that call one function, in either order. */
static void test_two_callers(void)
{
	static const char * const files[] = {
		"./bpf_module_link_a.bpf.o", "./bpf_module_link_b.bpf.o",
	};
	struct bpf_module_lib *lib = bm_library();
	struct bpf_object *obj;
	char out[OUT_LEN];
	int i;

	for (i = 0; lib && i < 2; i++) {
		if (ASSERT_OK(link_files(files[i], files[!i], out), "link")) {
			obj = bpf_object__open_file(out, NULL);
			if (ASSERT_OK_PTR(obj, "open") && ASSERT_OK(bpf_object__load(obj), "load"))
				check_both(lib, obj);
			bpf_object__close(obj);
		}
		unlink(out);
	}
	bm_library_end(lib);
}

/* Two files that mean different libraries. */
static void test_ambiguous(void)
{
	char out[OUT_LEN];

	if (ASSERT_OK(link_files("./bpf_module_link_a.bpf.o", "./bpf_module_link_other.bpf.o", out),
		      "link"))
		bm_says(bm_open_error(out), -EINVAL, "extern 'lib_count': ambiguous");
	unlink(out);
}

/* The library and its caller, in either order. */
static void test_with_library(void)
{
	static const char * const files[] = {
		"./bpf_module_link_a.bpf.o", "./bpf_module_lib.bpf.o",
	};
	char out[OUT_LEN];
	int i;

	for (i = 0; i < 2; i++) {
		bm_says(link_files(files[i], files[!i], out), -EINVAL,
			"function 'lib_count' of module 'bm_lib' (__bpf_module()) can't be linked with what calls it");
		unlink(out);
	}
}

void serial_test_bpf_module_lib_linker(void)
{
	if (test__start_subtest("two_callers"))
		test_two_callers();
	if (test__start_subtest("ambiguous"))
		test_ambiguous();
	if (test__start_subtest("with_library"))
		test_with_library();
}
