// SPDX-License-Identifier: GPL-2.0
/*
 * Libraries that are missing or not as their callers want them, and objects that
 * can't be what they claim: libbpf has a line for each.
 */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_info.h"
#include "bpf_module_lib.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"
#include "progs/bpf_module_gate.h"
#include "bpf_module_both.skel.h"
#include "bpf_module_chain.skel.h"
#include "bpf_module_funcs.skel.h"
#include "bpf_module_gate.skel.h"
#include "bpf_module_lib_untagged.skel.h"
#include "bpf_module_lib_weak.skel.h"
#include "bpf_module_untagged.skel.h"

#define NEEDS "needs module bm_lib (function lib_count)"

/* Loads bpf_module_chain.c, which calls one function of the library. */
static int load_caller(void)
{
	struct bpf_module_chain *skel = bpf_module_chain__open();
	int err;

	if (!ASSERT_OK_PTR(skel, "open"))
		return -EINVAL;
	err = bpf_module_chain__load(skel);
	bpf_module_chain__destroy(skel);
	return err;
}

static void test_not_loaded(void)
{
	bm_says(load_caller(), -ENOENT, NEEDS "; load it first");
}

/* It has users, so that it is listed but takes no more. */
static void test_going(void)
{
	struct bpf_module_lib *lib = bm_library(), *next;
	struct bpf_module_chain *skel = NULL;
	int fd = -1;

	if (!lib)
		return;
	skel = bpf_module_chain__open_and_load();
	if (!ASSERT_OK_PTR(skel, "open and load"))
		goto out;
	fd = dup(bm_library_fd(lib));
	ASSERT_OK(bm_drain(fd), "drain");
	ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_GOING, "state");
	bm_says(load_caller(), -ENOENT, NEEDS ", which is being unloaded; load it first");

	/* beside it there can be a new one of that name */
	next = bm_library();
	ASSERT_OK(load_caller(), "load with the new one");
	bm_library_end(next);
	bpf_module_chain__destroy(skel);
	skel = NULL;
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "gone");
	close(fd);
out:
	bpf_module_chain__destroy(skel);
	bpf_module_lib__destroy(lib);
}

/* A module of that name that does not export it. */
static void test_not_exported(void)
{
	struct bpf_module_lib *lib = bpf_module_lib__open();

	if (!ASSERT_OK_PTR(lib, "open"))
		return;
	bpf_program__set_autoload(lib->progs.lib_count, false);
	if (ASSERT_OK(bpf_module_lib__load(lib), "load") &&
	    ASSERT_OK(bpf_module_lib__attach(lib), "attach"))
		bm_says(load_caller(), -ENOENT,
			"needs function lib_count of module bm_lib, which does not export it");
	bm_library_end(lib);
}

/* Modules can be looked for by who administers the system. */
static void test_no_permission(void)
{
	struct bpf_module_lib *lib = bm_library();
	__u64 caps = 0;

	if (!lib)
		return;
	if (ASSERT_OK(cap_disable_effective(1ULL << CAP_SYS_ADMIN, &caps), "drop")) {
		bm_says(load_caller(), -EPERM,
			"function lib_count), which can't be looked up: ");
		ASSERT_OK(cap_enable_effective(caps, NULL), "restore");
	}
	ASSERT_EQ(bm_users(bm_library_fd(lib)), 0, "users");
	bm_library_end(lib);
}

/* Only a tagged extern is looked up in BPF modules, but libbpf knows where it would
 * be.
 */
static void test_untagged(void)
{
	struct bpf_module_lib_untagged *skel = bpf_module_lib_untagged__open();
	struct bpf_module_lib *lib = bm_library();

	if (!ASSERT_OK_PTR(skel, "open") || !lib)
		goto out;
	bm_says(bpf_module_lib_untagged__load(skel), -EINVAL,
		"'lib_count': BPF module bm_lib exports a function of that name; to call it, declare it with __bpf_module(\"bm_lib\")");
out:
	bpf_module_lib_untagged__destroy(skel);
	bm_library_end(lib);
}

#define NAME_OF(func) NAME_OF_(func)
#define NAME_OF_(func) #func

static int load_untagged(void)
{
	struct bpf_module_untagged *skel = bpf_module_untagged__open();
	int err;

	if (!ASSERT_OK_PTR(skel, "open"))
		return -EINVAL;
	err = bpf_module_untagged__load(skel);
	bpf_module_untagged__destroy(skel);
	return err;
}

/* The kernel cuts its name off, libbpf compares all of it. */
static void test_untagged_long(void)
{
	struct bpf_module_gate *gate = bpf_module_gate__open();

	if (!ASSERT_OK_PTR(gate, "open"))
		return;
	bpf_program__set_autoload(gate->progs.gate_pass, false);
	if (ASSERT_OK(bpf_module_gate__load(gate), "load") &&
	    ASSERT_OK(bpf_module_gate__attach(gate), "attach"))
		bm_says(load_untagged(), -EINVAL,
			"'" NAME_OF(gate_long) "': BPF module bm_gate exports a function of that name");
	bpf_module_gate__destroy(gate);
}

static int load_both(bool callers)
{
	struct bpf_module_both *skel = bpf_module_both__open();
	int err;

	if (!ASSERT_OK_PTR(skel, "open"))
		return -EINVAL;
	bpf_program__set_autoload(skel->progs.both_unlink, callers);
	err = bpf_module_both__load(skel);
	bpf_module_both__destroy(skel);
	return err;
}

/* No order of loading would do. */
static void test_own(void)
{
	bm_says(load_both(true), -ENOENT,
		"needs module bm_both (function both_half), which this object has itself and which can't be loaded before its programs; put what calls it in an object of its own");
	ASSERT_OK(load_both(false), "without the caller");
}

/* The call of what is missing is found by the verifier. */
static void test_unguarded(void)
{
	struct bpf_module_lib_weak *skel = bpf_module_lib_weak__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.weak_unguarded, true);
	bm_says(bpf_module_lib_weak__load(skel), -EINVAL,
		"function 'nowhere_count' of BPF module 'bm_nowhere' is referenced but wasn't resolved");
	bpf_module_lib_weak__destroy(skel);
}

/* Loads @path as bpftool does for a light skeleton. */
static int load_light(const char *path)
{
	LIBBPF_OPTS(gen_loader_opts, opts);
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	int err;

	if (!ASSERT_OK_PTR(obj, path))
		return -EINVAL;
	ASSERT_OK(bpf_object__gen_loader(obj, &opts), "gen_loader");
	err = bpf_object__load(obj);
	bpf_object__close(obj);
	return err;
}

/* It is loaded without libbpf, which looks up functions. */
static void test_light(void)
{
	bm_says(load_light("./bpf_module_link_a.bpf.o"), -EOPNOTSUPP,
		"calls function lib_count of module bm_lib: a light skeleton can't");
	bm_says(load_light("./bpf_module_funcs.bpf.o"), -EOPNOTSUPP,
		"module 'bm_funcs_1': a light skeleton can't load modules");
	bm_says(load_light("./bpf_module_bare.bpf.o"), -EOPNOTSUPP,
		"function 'bare_twice': a light skeleton can't load it");
}

/* Replaces @from in @buf by something else of the same length. */
static void rename_in(char *buf, size_t size, const char *from, const char *to)
{
	size_t len = strlen(from);
	char *at;

	while ((at = memmem(buf, size, from, len)))
		memcpy(at, to, len);
}

static int load_without_btf(const char *path)
{
	char *buf = malloc(1 << 20);
	struct bpf_object *obj;
	int fd, len, err;

	fd = open(path, O_RDONLY);
	len = read(fd, buf, 1 << 20);
	close(fd);
	if (!ASSERT_GT(len, 0, "read")) {
		free(buf);
		return -EINVAL;
	}
	rename_in(buf, len, ".BTF", ".xxx");
	obj = bpf_object__open_mem(buf, len, NULL);
	free(buf);
	if (!ASSERT_OK_PTR(obj, "open"))
		return -EINVAL;
	err = bpf_object__load(obj);
	bpf_object__close(obj);
	return err;
}

static void test_no_btf(void)
{
	bm_says(load_without_btf("./bpf_module_bare.bpf.o"), -EINVAL,
		"function 'bare_twice': needs BTF, which the object lacks");
}

static void test_of_no_module(void)
{
	struct bpf_module_funcs *skel = bpf_module_funcs__open();

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	bpf_program__set_autoload(skel->progs.funcs_none, true);
	bm_says(bpf_module_funcs__load(skel), -EINVAL,
		"program 'funcs_none': belongs to none of the object's modules");
	bpf_module_funcs__destroy(skel);
}

/* What can't be opened. */
static void test_bad_objects(void)
{
	bm_says(bm_open_error("./bpf_module_bad_own.bpf.o"), -LIBBPF_ERRNO__RELOC,
		"prog 'own_quarter': calls function 'own_half', which its own object exports");
	bm_says(bm_open_error("./bpf_module_bad_name.bpf.o"), -EINVAL,
		"extern 'lib_count': __bpf_module(\"bm/lib\"): a module's name has letters");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "not_loaded", test_not_loaded },
	{ "going", test_going },
	{ "not_exported", test_not_exported },
	{ "no_permission", test_no_permission },
	{ "untagged", test_untagged },
	{ "untagged_long", test_untagged_long },
	{ "own", test_own },
	{ "unguarded", test_unguarded },
	{ "light", test_light },
	{ "no_btf", test_no_btf },
	{ "of_no_module", test_of_no_module },
	{ "bad_objects", test_bad_objects },
};

void serial_test_bpf_module_lib_refused(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run();
	ASSERT_EQ(bm_find(LIB_NAME), 0, "library listed");
}
