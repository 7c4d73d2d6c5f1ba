// SPDX-License-Identifier: GPL-2.0
/*
 * Prototypes of functions of BPF modules, as declared by their callers: which match,
 * and the error for those that do not.
 */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_lib.h"
#include "bpf_module_wait.h"
#include "bpf_module_lib_proto.skel.h"
#include "bpf_module_types.skel.h"

/* Of the programs of bpf_module_lib_proto.c that one is loaded. */
static struct bpf_module_lib_proto *open_with(const char *name)
{
	struct bpf_module_lib_proto *skel = bpf_module_lib_proto__open();
	struct bpf_program *prog;

	if (!ASSERT_OK_PTR(skel, "open"))
		return NULL;
	prog = bpf_object__find_program_by_name(skel->obj, name);
	if (ASSERT_OK_PTR(prog, name) && ASSERT_OK(bpf_program__set_autoload(prog, true), name))
		return skel;
	bpf_module_lib_proto__destroy(skel);
	return NULL;
}

/* It takes 3 keys of weight 2. */
static void check_takes(const struct bpf_module_lib *lib, const char *name)
{
	struct bpf_module_lib_proto *skel = open_with(name);
	__u64 before = bm_library_count(lib, LIB_LINKED);

	if (!skel)
		return;
	if (ASSERT_OK(bpf_module_lib_proto__load(skel), name)) {
		bm_run_tc(bpf_object__find_program_by_name(skel->obj, name));
		ASSERT_EQ(bm_library_count(lib, LIB_LINKED) - before, 6 * LIB_STEP, name);
	}
	bpf_module_lib_proto__destroy(skel);
}

static const char * const fitting[] = {
	"take_same", "take_fewer", "take_inner", "take_hidden",
};

static void check_bool(void)
{
	struct bpf_module_lib_proto *skel = open_with("not_same");
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	if (!skel)
		return;
	if (ASSERT_OK(bpf_module_lib_proto__load(skel), "load")) {
		ASSERT_OK(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.not_same), &opts),
			  "run");
		ASSERT_EQ(opts.retval, 1, "not false");
	}
	bpf_module_lib_proto__destroy(skel);
}

/* Of an object of the kernel the caller knows the name, and where members are by CO-RE. */
static void check_kernel_object(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct bpf_module_lib_proto *skel = open_with("pid_few");

	if (!skel)
		return;
	if (ASSERT_OK(bpf_module_lib_proto__load(skel), "load") &&
	    ASSERT_OK(bpf_module_lib_proto__attach(skel), "attach")) {
		bpf_prog_test_run_opts(bpf_program__fd(skel->progs.pid_few), &opts);
		ASSERT_EQ(skel->bss->pid, sys_gettid(), "pid");
	}
	bpf_module_lib_proto__destroy(skel);
}

#define HAS "', but module bm_lib has 'int lib_take(struct lib_key *, int)': "

struct refusal {
	const char *prog;
	const char *line;
};

static const struct refusal refused[] = {
	{ "take_more",
	  "declares 'int lib_take(struct lib_key___more *, int)" HAS
	  "argument 1 differs in member 'given'" },
	{ "take_moved", "argument 1 differs in member 'weight'" },
	{ "take_wide", "argument 1 differs in member 'who'" },
	{ "take_bits", "argument 1 differs in member 'who'" },
	{ "take_swapped", "argument 1 differs in member 'weight'" },
	{ "take_union", "*, int)" HAS "argument 1 differs" },
	{ "take_name",
	  "declares 'int lib_take(struct lib_lock *, int)" HAS "argument 1 differs" },
	{ "take_chars", "declares 'int lib_take(char *, int)" HAS "argument 1 differs" },
	{ "take_void", "declares 'int lib_take(void *, int)" HAS "argument 1 differs" },
	{ "take_number", "declares 'int lib_take(__u64, int)" HAS "argument 1 differs" },
	{ "take_long", "*, __s64)" HAS "argument 2 differs" },
	{ "take_byte", "*, char)" HAS "argument 2 differs" },
	{ "not_byte",
	  "declares 'bool lib_not(unsigned char)', but module bm_lib has 'bool lib_not(bool)': argument 1 differs" },
	{ "not_result", "what it returns differs" },
	{ "take_one",
	  "declares 'int lib_take(struct lib_key___same *)" HAS
	  "the number of arguments differs" },
	{ "take_three", "*, int, int)" HAS "the number of arguments differs" },
	{ "take_result", "declares '__s64 lib_take(" },
	{ "take_result", HAS "what it returns differs" },
	{ "take_nothing", "declares 'void lib_take(" },
	{ "take_nothing", HAS "what it returns differs" },
	{ "pid_name", "declares 'int lib_pid(struct task_storage *)', but module bm_lib has" },
	{ "pid_name",
	  "has 'int lib_pid(struct task_struct *)': argument 1 differs" },
};

static void check_refused(const char *prog, const char *line)
{
	struct bpf_module_lib_proto *skel = open_with(prog);

	if (!skel)
		return;
	bm_says(bpf_module_lib_proto__load(skel), -EINVAL, line);
	bpf_module_lib_proto__destroy(skel);
}

static const struct refusal refused_types[] = {
	{ "small_unsigned", "has 'int types_small(short)': argument 1 differs" },
	{ "box_few", "argument 1 differs in member 'name'" },
	{ "box_bytes", "argument 1 differs in member 'codes'" },
};

/* The program is loaded, and returns 9. */
static void check_returns(const char *name)
{
	struct bpf_module_lib_proto *skel = open_with(name);

	if (!skel)
		return;
	if (ASSERT_OK(bpf_module_lib_proto__load(skel), name))
		ASSERT_EQ(bm_run_tc(bpf_object__find_program_by_name(skel->obj, name)), 9, name);
	bpf_module_lib_proto__destroy(skel);
}

/* Small numbers, pointers in memory, and arrays. */
static void check_types(void)
{
	struct bpf_module_types *types = bpf_module_types__open_and_load();
	int i, fd;

	if (!ASSERT_OK_PTR(types, "open and load"))
		return;
	if (ASSERT_OK(bpf_module_types__attach(types), "attach")) {
		check_returns("small_same");
		check_returns("box_same");
		for (i = 0; i < ARRAY_SIZE(refused_types); i++)
			check_refused(refused_types[i].prog, refused_types[i].line);
	}
	fd = dup(bpf_module__fd(types->modules.bm_types));
	bpf_module_types__destroy(types);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "library gone");
	close(fd);
}

void serial_test_bpf_module_lib_proto(void)
{
	struct bpf_module_lib *lib = bm_library();
	int i;

	if (!lib)
		return;
	if (test__start_subtest("fit")) {
		for (i = 0; i < ARRAY_SIZE(fitting); i++)
			check_takes(lib, fitting[i]);
		check_bool();
		check_kernel_object();
	}
	if (test__start_subtest("refused")) {
		for (i = 0; i < ARRAY_SIZE(refused); i++)
			check_refused(refused[i].prog, refused[i].line);
	}
	if (test__start_subtest("types"))
		check_types();
	bm_library_end(lib);
}
