// SPDX-License-Identifier: GPL-2.0
/*
 * struct_ops maps behave as before, although they share their engine with modules.
 * All but the amount of memory also holds on kernels without BPF modules.
 */
#include <test_progs.h>
#include "bpf_module_file.h"
#include "bpf_module_prog.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_wait.h"
#include "bpf_module_scx.skel.h"
#include "tcp_ca_update.skel.h"

#define PIN "/sys/fs/bpf/bm_map"
#define STATE_INIT 0
#define STATE_INUSE 1
#define STATE_READY 3

/* The value as the kernel has it, the state of which comes second. */
struct value {
	__u32 refcnt;
	__u32 state;
	char rest[1024];
};

static struct bpf_map *a_map(struct tcp_ca_update *skel, bool link)
{
	return link ? skel->maps.ca_update_1 : skel->maps.ca_no_link;
}

static __u32 look_up(struct bpf_map *map, struct value *value)
{
	__u32 zero = 0;

	memset(value, 0, sizeof(*value));
	ASSERT_LE(bpf_map__value_size(map), sizeof(*value), "value size");
	ASSERT_OK(bpf_map_lookup_elem(bpf_map__fd(map), &zero, value), "look up");
	return value->state;
}

/* The member of a program holds its id. */
static bool has_prog(const struct value *value, struct bpf_program *prog)
{
	unsigned long id = bm_prog_id(bpf_program__fd(prog));

	return memmem(value, sizeof(*value), &id, sizeof(id));
}

static void test_value(struct tcp_ca_update *skel)
{
	struct value value;
	struct bpf_link *link;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(look_up(a_map(skel, i), &value), STATE_INIT, "state before");
		ASSERT_FALSE(has_prog(&value, skel->progs.ca_update_ssthresh), "program before");
		link = bpf_map__attach_struct_ops(a_map(skel, i));
		if (!ASSERT_OK_PTR(link, "attach"))
			return;
		ASSERT_EQ(look_up(a_map(skel, i), &value), i ? STATE_READY : STATE_INUSE,
			  "state while attached");
		ASSERT_TRUE(has_prog(&value, skel->progs.ca_update_ssthresh), "program");
		ASSERT_OK(bpf_link__destroy(link), "detach");
	}
}

/* A pinned map can be read, as its type says. */
static void test_pinned(struct tcp_ca_update *skel)
{
	struct bpf_map *map = a_map(skel, true);
	struct bpf_link *link = bpf_map__attach_struct_ops(map);
	char text[4096];
	int fd;

	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	ASSERT_OK(bpf_obj_pin(bpf_map__fd(map), PIN), "pin");
	fd = open(PIN, O_RDONLY);
	if (ASSERT_OK_FD(fd, "open")) {
		bm_read_all(fd, text, sizeof(text));
		ASSERT_HAS_SUBSTR(text, "BPF_STRUCT_OPS_STATE_READY", "text");
		close(fd);
	}
	unlink(PIN);
	bpf_link__destroy(link);
}

static long long map_bytes(struct bpf_map *map)
{
	char buf[256], *val = bm_fdinfo(bpf_map__fd(map), "memlock", buf, sizeof(buf));

	return ASSERT_OK_PTR(val, "memlock") ? strtoll(val, NULL, 10) : -1;
}

/* The memory of its trampolines counts. */
static void test_memory(struct tcp_ca_update *skel)
{
	struct bpf_map *map = a_map(skel, true);
	long long before = map_bytes(map);
	struct bpf_link *link = bpf_map__attach_struct_ops(map);

	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	ASSERT_GE(before, bpf_map__value_size(map), "bytes before");
	ASSERT_GT(map_bytes(map), before + 256, "bytes with code");
	bpf_link__destroy(link);
}

/* A map whose registration is refused is unchanged, and can be registered later. */
static void test_refused(struct tcp_ca_update *skel)
{
	struct tcp_ca_update *other = tcp_ca_update__open_and_load();
	struct bpf_link *link, *second;
	struct value value;

	if (!ASSERT_OK_PTR(other, "open and load"))
		return;
	link = bpf_map__attach_struct_ops(a_map(skel, false));
	if (!ASSERT_OK_PTR(link, "attach"))
		goto out;
	second = bpf_map__attach_struct_ops(a_map(other, false));
	ASSERT_EQ(libbpf_get_error(second), -EEXIST, "attach one of the same name");
	bpf_link__destroy(second);
	ASSERT_EQ(look_up(a_map(other, false), &value), STATE_INIT, "state");
	ASSERT_OK(bpf_link__destroy(link), "detach");

	second = bpf_map__attach_struct_ops(a_map(other, false));
	if (ASSERT_OK_PTR(second, "attach it later")) {
		ASSERT_TRUE(bm_tcp_has("tcp_ca_no_link"), "registered");
		ASSERT_OK(bpf_link__destroy(second), "detach it");
	}
out:
	tcp_ca_update__destroy(other);
}

/* Updating a map's link with the same map changes nothing, least of all the
 * subsystem's list.
 */
static void test_update_itself(struct tcp_ca_update *skel)
{
	struct bpf_map *map = a_map(skel, true);
	struct bpf_link *link = bpf_map__attach_struct_ops(map);
	int i;

	if (!ASSERT_OK_PTR(link, "attach"))
		return;
	for (i = 0; i < 2; i++)
		ASSERT_OK(bpf_link__update_map(link, map), "update");
	ASSERT_TRUE(bm_tcp_has("tcp_ca_update"), "registered");
	ASSERT_FALSE(bm_tcp_has("bm_no_such"), "what nobody has registered");
	ASSERT_OK(bpf_link__destroy(link), "detach");
	ASSERT_FALSE(bm_tcp_has("tcp_ca_update"), "registered after that");
}

/* A subsystem does not know whether a map's or a module's op has failed. */
static void test_sched_fails(void)
{
	struct bpf_module_scx *skel = bpf_module_scx__open_and_load();
	struct bpf_link *link;

	if (!ASSERT_OK_PTR(skel, "open and load"))
		return;
	link = bpf_map__attach_struct_ops(skel->maps.scx);
	if (ASSERT_OK_PTR(link, "attach")) {
		ASSERT_TRUE(bm_scx_enabled(), "scheduler is on");
		skel->bss->fail_with = 40;
		ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");
		ASSERT_OK(bpf_link__destroy(link), "detach");
	}
	bpf_module_scx__destroy(skel);
}

static const struct {
	const char *name;
	void (*run)(struct tcp_ca_update *skel);
} tests[] = {
	{ "value", test_value },
	{ "pinned", test_pinned },
	{ "memory", test_memory },
	{ "refused", test_refused },
	{ "update_itself", test_update_itself },
};

void serial_test_bpf_module_map(void)
{
	struct tcp_ca_update *skel;
	int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!test__start_subtest(tests[i].name))
			continue;
		skel = tcp_ca_update__open_and_load();
		if (ASSERT_OK_PTR(skel, "open and load"))
			tests[i].run(skel);
		tcp_ca_update__destroy(skel);
	}
	if (test__start_subtest("sched_fails"))
		test_sched_fails();
}
