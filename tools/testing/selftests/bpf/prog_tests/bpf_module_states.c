// SPDX-License-Identifier: GPL-2.0
/* Every state of a module, and what each command returns in it. */
#include <linux/bpf_module.h>
#include <poll.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

#define BM_PIN "/sys/fs/bpf/bm_states"

enum state {
	LIVE,			/* without users */
	BUSY,			/* live, with one */
	GOING,
	GONE,
	DETACHED,
	STATES,
};

static const char * const state_names[STATES] = {
	[LIVE]		= "live",
	[BUSY]		= "busy",
	[GOING]		= "going",
	[GONE]		= "gone",
	[DETACHED]	= "detached",
};

static const int module_state[STATES] = {
	[LIVE]		= BPF_MODULE_STATE_LIVE,
	[BUSY]		= BPF_MODULE_STATE_LIVE,
	[GOING]		= BPF_MODULE_STATE_GOING,
	[GONE]		= BPF_MODULE_STATE_GONE,
	[DETACHED]	= BPF_MODULE_STATE_DETACHED,
};

/* A module called "bm_states" in one of the states. */
struct subject {
	struct bm_cc cc;
	struct bm_type scx;	/* that of a detached one's op */
	__u32 id;
	int fd;
	int sock;		/* its user, -1 for none */
};

static int do_unload(struct subject *s)
{
	return bpf_module_unload(s->fd, NULL);
}

static int do_drain(struct subject *s)
{
	return bm_drain(s->fd);
}

/* Loads what the subject is, made of other programs; 0 if that works. */
static int load_again(struct subject *s, const char *name, __u32 flags, int replace_fd)
{
	struct bm_cc cc;
	int fd;

	if (!bm_cc_open(&cc))
		return -1;
	if (s->scx.id) {
		cc.extra_fd = bm_prog_load(&s->scx, "init", "bm_init", 0);
		bm_scx_add(&cc, &s->scx, "bm_states", cc.extra_fd);
	} else {
		bm_cc_add(&cc, "bm_states");
	}
	fd = bm_cc_load_flags(&cc, name, flags, replace_fd);
	if (fd >= 0)
		ASSERT_EQ(bm_state(fd), BPF_MODULE_STATE_LIVE, "state of the new one");
	bm_cc_cleanup(&cc, fd);
	return fd < 0 ? fd : 0;
}

static int do_replace(struct subject *s)
{
	return load_again(s, NULL, BPF_F_MODULE_REPLACE, s->fd);
}

static int do_load(struct subject *s)
{
	return load_again(s, "bm_states", 0, 0);
}

static int do_get_info(struct subject *s)
{
	struct bpf_module_info info;
	int err = bm_info(s->fd, &info);

	if (!err) {
		ASSERT_STREQ(info.name, "bm_states", "name");
		ASSERT_EQ(info.users, s->sock >= 0, "users");
	}
	return err ?: (int)info.state;
}

static int do_get_fd_by_id(struct subject *s)
{
	int fd = bpf_module_get_fd_by_id(s->id);

	if (fd < 0)
		return fd;
	ASSERT_EQ(bm_state(fd), bm_state(s->fd), "state through the new fd");
	close(fd);
	return 0;
}

/* A module that is not listed has no next id. */
static int do_get_next_id(struct subject *s)
{
	__u32 id = 0;
	int err;

	err = bpf_module_get_next_id(s->id - 1, &id);
	return err ?: id == s->id ? 0 : -ENOENT;
}

static int do_pin(struct subject *s)
{
	int fd, err;

	err = bpf_obj_pin(s->fd, BM_PIN);
	if (err)
		return err;
	fd = bpf_obj_get(BM_PIN);
	unlink(BM_PIN);
	if (fd < 0)
		return fd;
	ASSERT_EQ(bm_state(fd), bm_state(s->fd), "state through the pin");
	close(fd);
	return 0;
}

static int do_poll(struct subject *s)
{
	return bm_revents(s->fd, 0);
}

static const struct {
	const char *name;
	int (*run)(struct subject *s);
	struct {
		int ret;
		enum state after;
	} expect[STATES];
} commands[] = {
	{ "unload", do_unload, {
		[LIVE]		= { 0, GONE },
		[BUSY]		= { -EBUSY, BUSY },
		[GOING]		= { -EINPROGRESS, GOING },
		[GONE]		= { -ENOENT, GONE },
		[DETACHED]	= { 0, GONE },
	} },
	{ "drain", do_drain, {
		[LIVE]		= { 0, GONE },
		[BUSY]		= { 0, GOING },
		[GOING]		= { 0, GOING },
		[GONE]		= { -ENOENT, GONE },
		[DETACHED]	= { 0, GONE },
	} },
	{ "replace", do_replace, {
		[LIVE]		= { 0, GONE },
		[BUSY]		= { 0, GOING },
		[GOING]		= { -EINPROGRESS, GOING },
		[GONE]		= { -ENOENT, GONE },
		[DETACHED]	= { -EOPNOTSUPP, DETACHED },
	} },
	{ "load_same_name", do_load, {
		[LIVE]		= { -EEXIST, LIVE },
		[BUSY]		= { -EEXIST, BUSY },
		[GOING]		= { 0, GOING },
		[GONE]		= { 0, GONE },
		[DETACHED]	= { -EEXIST, DETACHED },
	} },
	{ "get_info", do_get_info, {
		[LIVE]		= { BPF_MODULE_STATE_LIVE, LIVE },
		[BUSY]		= { BPF_MODULE_STATE_LIVE, BUSY },
		[GOING]		= { BPF_MODULE_STATE_GOING, GOING },
		[GONE]		= { BPF_MODULE_STATE_GONE, GONE },
		[DETACHED]	= { BPF_MODULE_STATE_DETACHED, DETACHED },
	} },
	{ "get_fd_by_id", do_get_fd_by_id, {
		[LIVE]		= { 0, LIVE },
		[BUSY]		= { 0, BUSY },
		[GOING]		= { 0, GOING },
		[GONE]		= { -ENOENT, GONE },
		[DETACHED]	= { 0, DETACHED },
	} },
	{ "get_next_id", do_get_next_id, {
		[LIVE]		= { 0, LIVE },
		[BUSY]		= { 0, BUSY },
		[GOING]		= { 0, GOING },
		[GONE]		= { -ENOENT, GONE },
		[DETACHED]	= { 0, DETACHED },
	} },
	{ "pin", do_pin, {
		[LIVE]		= { 0, LIVE },
		[BUSY]		= { 0, BUSY },
		[GOING]		= { 0, GOING },
		[GONE]		= { 0, GONE },
		[DETACHED]	= { 0, DETACHED },
	} },
	{ "poll", do_poll, {
		[LIVE]		= { 0, LIVE },
		[BUSY]		= { 0, BUSY },
		[GOING]		= { 0, GOING },
		[GONE]		= { POLLHUP, GONE },
		[DETACHED]	= { POLLHUP, DETACHED },
	} },
};

/* A scheduler, which the system administrator ends. */
static void make_detached(struct subject *s)
{
	if (!bm_type_open(&s->scx, NULL, "sched_ext_ops"))
		return;
	s->cc.extra_fd = bm_prog_load(&s->scx, "init", "bm_init", 0);
	bm_scx_add(&s->cc, &s->scx, "bm_states", s->cc.extra_fd);
	s->fd = bm_cc_load(&s->cc, "bm_states");
	if (!ASSERT_OK_FD(s->fd, "load"))
		return;
	bm_scx_sysrq();
	ASSERT_TRUE(bm_wait(bm_state(s->fd) == BPF_MODULE_STATE_DETACHED), "detached");
	/* the subsystem no longer has anything of it */
	ASSERT_TRUE(bm_wait(bm_scx_off()), "scheduler is off");
}

static void make_loaded(struct subject *s, enum state state)
{
	bm_cc_add(&s->cc, "bm_states");
	s->fd = bm_cc_load(&s->cc, "bm_states");
	if (!ASSERT_OK_FD(s->fd, "load"))
		return;
	s->id = bm_find("bm_states");
	if (state == BUSY || state == GOING) {
		s->sock = bm_socket(AF_INET, "bm_states");
		ASSERT_OK_FD(s->sock, "socket");
	}
	if (state == GOING || state == GONE)
		ASSERT_OK(bm_drain(s->fd), "drain");
}

static void run_test(int c, enum state state)
{
	struct subject s = { .fd = -1, .sock = -1 };

	if (!bm_cc_open(&s.cc))
		return;
	if (state == DETACHED) {
		make_detached(&s);
		s.id = bm_find("bm_states");
	} else {
		make_loaded(&s, state);
	}
	if (s.fd < 0)
		goto out;

	ASSERT_EQ(bm_state(s.fd), module_state[state], "state before");
	ASSERT_EQ(commands[c].run(&s), commands[c].expect[state].ret, commands[c].name);
	state = commands[c].expect[state].after;
	ASSERT_EQ(bm_state(s.fd), module_state[state], "state after");
	ASSERT_EQ(bm_listed(s.id), state != GONE, "listed after");
out:
	if (s.sock >= 0)
		close(s.sock);
	if (s.scx.id)
		bm_type_close(&s.scx);
	bm_cc_cleanup(&s.cc, s.fd);
}

void serial_test_bpf_module_states(void)
{
	int c, state, netns = bm_netns_enter();
	char name[64];

	for (state = 0; state < STATES; state++) {
		for (c = 0; c < ARRAY_SIZE(commands); c++) {
			snprintf(name, sizeof(name), "%s_%s", state_names[state],
				 commands[c].name);
			if (test__start_subtest(name))
				run_test(c, state);
		}
	}
	bm_netns_leave(netns);
}
