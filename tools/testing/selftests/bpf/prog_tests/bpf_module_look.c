// SPDX-License-Identifier: GPL-2.0
/*
 * A reader cannot hold anything up: a user without any capability asks for a module's
 * info, and is stuck where the kernel writes the answer. Meanwhile all others can do
 * with the module what they like.
 */
#include <linux/bpf_module.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_page.h"
#include "bpf_module_prog.h"
#include "bpf_module_syscall.h"
#include "bpf_module_task.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

#define BM_IDS 8

struct look {
	struct bm_cc cc;
	struct bm_cc next;	/* a new version */
	int fd;
	int read_fd;		/* the user's, opened to read */
	__u32 prog_id;
	struct bm_page page;
	int cmd;
	union bpf_attr attr;
	struct bpf_module_info info;
	struct bpf_module_ops_info ops;
};

static void at_info(struct look *look)
{
	look->attr.info.info = ptr_to_u64(look->page.addr);
}

static void at_prog_ids(struct look *look)
{
	look->info.prog_ids = ptr_to_u64(look->page.addr);
	look->info.prog_cnt = BM_IDS;
}

static void at_map_ids(struct look *look)
{
	look->info.map_ids = ptr_to_u64(look->page.addr);
	look->info.map_cnt = BM_IDS;
}

static void at_ops(struct look *look)
{
	look->info.ops = ptr_to_u64(look->page.addr);
	look->info.ops_cnt = 1;
	look->info.ops_size = sizeof(look->ops);
}

static void at_value(struct look *look)
{
	look->info.ops = ptr_to_u64(&look->ops);
	look->info.ops_cnt = 1;
	look->info.ops_size = sizeof(look->ops);
	look->ops.value = ptr_to_u64(look->page.addr);
	look->ops.value_size = look->page.size;
}

/* Where the user is stuck, and in which command. */
static const struct place {
	const char *name;
	int cmd;
	void (*set)(struct look *look);
} places[] = {
	{ "info", BPF_OBJ_GET_INFO_BY_FD, at_info },
	{ "module info", BPF_MODULE_GET_INFO, at_info },
	{ "program ids", BPF_OBJ_GET_INFO_BY_FD, at_prog_ids },
	{ "map ids", BPF_MODULE_GET_INFO, at_map_ids },
	{ "ops", BPF_OBJ_GET_INFO_BY_FD, at_ops },
	{ "value", BPF_MODULE_GET_INFO, at_value },
};

static void *ask(void *arg)
{
	struct look *look = arg;

	if (!bm_become_user())
		return (void *)(long)-errno;
	return (void *)(long)bm_sys_bpf(look->cmd, &look->attr, sizeof(look->attr));
}

/*
 * What others do. Each runs in a thread, since it may get stuck, too, and returns
 * what went wrong, NULL for nothing.
 */
static void *check_freed(struct look *look)
{
	bm_cc_close_progs(&look->cc);
	return bm_wait(!bm_prog_exists(look->prog_id)) ? NULL : "the program is not freed";
}

static void *unload(void *arg)
{
	struct look *look = arg;

	if (bpf_module_unload(look->fd, NULL))
		return "unload";
	if (bm_tcp_has("bm_look"))
		return "it is registered";
	if (bm_state(look->fd) != BPF_MODULE_STATE_GONE)
		return "state";
	return check_freed(look);
}

static void *drain(void *arg)
{
	struct look *look = arg;
	int sock = bm_socket(AF_INET, "bm_look");

	if (sock < 0)
		return "socket";
	if (bm_drain(look->fd))
		return "drain";
	if (bm_state(look->fd) != BPF_MODULE_STATE_GOING)
		return "state with a user";
	close(sock);
	if (!bm_wait(bm_state(look->fd) == BPF_MODULE_STATE_GONE))
		return "state without users";
	return check_freed(look);
}

static void *replace(void *arg)
{
	struct look *look = arg;
	int fd = bm_cc_replace(&look->next, look->fd);
	int sock;

	if (fd < 0)
		return "replace";
	if (bm_state(look->fd) != BPF_MODULE_STATE_GONE)
		return "state of the old one";
	sock = bm_socket(AF_INET, "bm_look");
	if (bm_users(fd) != 1)
		return "users of the new one";
	close(sock);
	if (bpf_module_unload(fd, NULL))
		return "unload the new one";
	close(fd);
	return check_freed(look);
}

static void *look_too(void *arg)
{
	struct look *look = arg;
	struct bpf_module_ops_info ops;

	if (bm_state(look->fd) != BPF_MODULE_STATE_LIVE || bm_state(look->read_fd) < 0)
		return "state";
	if (bm_ops_info(look->fd, &ops, 1) || ops.state != BPF_MODULE_OPS_REGISTERED)
		return "ops";
	return bm_find("bm_look") ? NULL : "it is not listed";
}

static void *read_fdinfo(void *arg)
{
	struct look *look = arg;
	char buf[256], *val;

	val = bm_fdinfo(look->fd, "module_name", buf, sizeof(buf));
	if (!val || strcmp(val, "bm_look"))
		return "name";
	val = bm_fdinfo(look->fd, "memlock", buf, sizeof(buf));
	return val && atoi(val) > 0 ? NULL : "memlock";
}

/* The user's command has the last handle: the module is freed as the command returns. */
static void *close_all(void *arg)
{
	struct look *look = arg;

	close(look->fd);
	close(look->read_fd);
	look->fd = -1;
	look->read_fd = -1;
	return NULL;
}

static const struct action {
	const char *name;
	void *(*fn)(void *arg);
	__u32 flags;	/* of the module */
} actions[] = {
	{ "unload", unload },
	{ "drain", drain },
	{ "replace", replace },
	{ "info", look_too },
	{ "fdinfo", read_fdinfo },
	{ "close_bound", close_all, BPF_F_MODULE_BOUND },
};

static void look_close(struct look *look)
{
	if (look->read_fd >= 0)
		close(look->read_fd);
	bm_cc_close(&look->next);
	bm_cc_cleanup(&look->cc, look->fd);
	bm_page_close(&look->page);
}

/* A module with a map, a new version of it, and a page to be stuck at. */
static bool look_open(struct look *look, __u32 flags)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	int map_fd;

	memset(look, 0, sizeof(*look));
	look->fd = -1;
	look->read_fd = -1;
	if (!bm_page_open(&look->page))
		return false;
	if (!bm_cc_open(&look->cc))
		goto close_page;
	if (!bm_cc_open(&look->next))
		goto close_cc;
	bm_cc_add(&look->cc, "bm_look");
	bm_cc_add(&look->next, "bm_look");
	look->prog_id = bm_prog_id(look->cc.prog[BM_SSTHRESH]);
	map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bm_look", 4, 4, 1, NULL);
	ASSERT_OK(bpf_prog_bind_map(look->cc.prog[BM_SSTHRESH], map_fd, NULL), "bind map");
	close(map_fd);
	look->fd = bm_cc_load_flags(&look->cc, "bm_look", flags, 0);
	if (ASSERT_OK_FD(look->fd, "load"))
		look->read_fd = bpf_module_get_fd_by_id_opts(bm_find("bm_look"), &opts);
	if (ASSERT_OK_FD(look->read_fd, "fd to read"))
		return true;
	look_close(look);
	return false;

close_cc:
	bm_cc_close(&look->cc);
close_page:
	bm_page_close(&look->page);
	return false;
}

static void look_ask(struct look *look, const struct place *place)
{
	look->cmd = place->cmd;
	look->attr.info.bpf_fd = look->read_fd;
	look->attr.info.info = ptr_to_u64(&look->info);
	look->attr.info.info_len = sizeof(look->info);
	place->set(look);
}

static void test_action_at(const struct action *action, const struct place *place)
{
	static struct look look;
	struct bm_task user, other;
	const char *wrong;
	bool ended;

	if (!look_open(&look, action->flags))
		return;
	look_ask(&look, place);
	if (!bm_task_start(&user, ask, &look))
		goto out;
	if (!ASSERT_TRUE(bm_page_reached(&look.page), "the user is stuck") ||
	    !bm_task_start(&other, action->fn, &look)) {
		bm_page_release(&look.page, NULL, 0);
		bm_task_join(&user);
		goto out;
	}
	ended = bm_task_ends(&other);
	bm_page_release(&look.page, NULL, 0);
	wrong = bm_task_join(&other);
	if (!ended || wrong)
		PRINT_FAIL("a user is stuck at the %s: %s\n", place->name,
			   ended ? wrong : "so are others");
	ASSERT_EQ((long)bm_task_join(&user), 0, "the user's command");
	if (action->flags)
		ASSERT_TRUE(bm_wait(!bm_tcp_has("bm_look")), "it goes with its last handle");
out:
	look_close(&look);
}

void serial_test_bpf_module_look(void)
{
	int i, j, netns = bm_netns_enter();

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!test__start_subtest(actions[i].name))
			continue;
		for (j = 0; j < ARRAY_SIZE(places); j++)
			test_action_at(&actions[i], &places[j]);
	}
	bm_users_left();
	bm_netns_leave(netns);
}
