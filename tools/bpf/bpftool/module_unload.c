// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module unload.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* How long to wait for programs that are being freed, and how long if it is not known
 * whether these are the only users.
 */
#define FREED_MS	10000
#define PERHAPS_MS	3000

/* What to unload, and how to deal with users. */
struct unload_args {
	struct unload {
		int fd;
		struct module mod; /* as it was before */
		bool was_tried;
		bool is_waited_for;
	} *mods;
	int cnt;
	bool with_deps;
	__u32 flags;
	bool wait;
	int seconds;	/* to wait, -1 for no limit */
	__u32 *dep_ids; /* modules whose functions the unloaded ones called */
	size_t dep_cnt;
};

static const char *plural(__u64 count)
{
	return count == 1 ? "" : "s";
}

/* "module a is in use (2 users: module b (id 3), program c (id 17)); ..." */
static void busy_error(int fd, const struct bpf_module_info *info)
{
	char *callers = module_describe_callers(fd);

	if (callers && *callers)
		p_err("module %s is in use (%llu user%s: %s); unload what calls its functions first, or unload with drain",
		      info->name, info->users, plural(info->users), callers);
	else
		p_err("module %s is in use (%llu user%s); stop %s or unload with drain",
		      info->name, info->users, plural(info->users),
		      info->users == 1 ? "it" : "them");
	free(callers);
	module_free_texts();
}

static void unload_error(int fd, const struct bpf_module_info *info, int err)
{
	switch (err) {
	case -EBUSY:
		busy_error(fd, info);
		break;
	case -EINPROGRESS:
		p_err("module %s is already going; it waits for %llu user%s to end",
		      info->name, info->users, plural(info->users));
		break;
	case -ENOENT:
		p_err("module %s is already unloaded", info->name);
		break;
	case -EINTR:
		p_err("module %s is going, its exit program goes on by itself", info->name);
		break;
	default:
		p_err("can't unload module %s: %s", info->name, module_strerror(err));
	}
}

static void report_unload(const struct bpf_module_info *info, __u32 id)
{
	bool going = info->state == BPF_MODULE_STATE_GOING;

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_uint_field(json_wtr, "id", id);
		jsonw_string_field(json_wtr, "name", info->name);
		jsonw_string_field(json_wtr, "state", going ? "going" : "gone");
		jsonw_lluint_field(json_wtr, "users", info->users);
		jsonw_end_object(json_wtr);
	} else if (going && info->users) {
		printf("Module %s (id %u) is going, it waits for %llu user%s to end\n",
		       info->name, id, info->users, plural(info->users));
	} else if (going && info->exit_prog_id) {
		printf("Module %s (id %u) is going, it waits for its exit program\n",
		       info->name, id);
	} else {
		printf("Unloaded module %s (id %u)\n", info->name, id);
	}
}

/* Not abbreviated: it could be a name, and a typo must not drain anything. */
static bool is_keyword(const char *word)
{
	return strcmp(word, "deps") == 0 || strcmp(word, "drain") == 0 ||
	       strcmp(word, "wait") == 0;
}

static int parse_seconds(const char *word, struct unload_args *args)
{
	unsigned long long seconds;

	if (!module_parse_number(word, INT_MAX / 1000, &seconds)) {
		p_err("'%s' is not a number of seconds", word);
		return -1;
	}
	args->seconds = seconds;
	return 0;
}

/* Each of them once, in any order. */
static int parse_how(int argc, char **argv, struct unload_args *args)
{
	args->seconds = -1;
	while (argc) {
		bool is_deps = strcmp(*argv, "deps") == 0;

		if (!is_keyword(*argv) || (is_deps ? args->with_deps : args->flags))
			return BAD_ARG();
		args->with_deps |= is_deps;
		args->flags |= is_deps ? 0 : BPF_F_MODULE_DRAIN;
		args->wait |= strcmp(*argv, "wait") == 0;
		NEXT_ARG();
		if (!is_deps && args->wait && argc && !is_keyword(*argv)) {
			if (parse_seconds(*argv, args))
				return -1;
			NEXT_ARG();
		}
	}
	return 0;
}

/* Check all words before anything is unloaded. */
static int parse_args(int argc, char **argv, struct unload_args *args)
{
	args->mods = calloc(argc, sizeof(*args->mods));
	if (!args->mods) {
		p_err("mem alloc failed");
		return -1;
	}

	while (argc && !is_keyword(*argv)) {
		int fd = module_parse_fd(&argc, &argv);

		if (fd < 0)
			return -1;
		args->mods[args->cnt++].fd = fd;
	}
	if (!args->cnt) {
		p_err("%s what? A module of that name is 'name %s'", *argv, *argv);
		return -1;
	}
	return parse_how(argc, argv, args);
}

static __s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* A module that is going hangs up when its last user has left. */
static int wait_until_gone(int fd, const struct unload_args *args, __s64 deadline)
{
	struct pollfd pfd = { .fd = fd };
	struct bpf_module_info info;
	__s64 left = deadline - now_ms();
	int ret;

	ret = poll(&pfd, 1, args->seconds < 0 ? -1 : left > 0 ? (int)left : 0);
	if (ret > 0)
		return 0;
	if (ret < 0) {
		p_err("can't wait for the module: %s", strerror(errno));
		return -1;
	}
	module_get_info(fd, &info);
	if (info.exit_state == BPF_MODULE_EXIT_RUNNING)
		p_err("the exit program of module %s still runs after %d second%s", info.name,
		      args->seconds, plural(args->seconds));
	else
		p_err("module %s still has %llu user%s after %d second%s; it goes with the last of them",
		      info.name, info.users, plural(info.users), args->seconds,
		      plural(args->seconds));
	return -1;
}

/* How long may this caller just be waiting to be freed? Programs that are a module's
 * functions, callbacks and exit keep their ids a little longer than the module.
 */
static int caller_ms(__u32 id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd, err;

	if (module_name_of_prog(id))
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fd == -ENOENT ? FREED_MS : 0;
	err = bpf_prog_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (err)
		return 0;
	switch (info.type) {
	case BPF_PROG_TYPE_MODULE_FUNC:
		return FREED_MS;
	default:
		/* perhaps of a link of this type that is being put */
		return PERHAPS_MS;
	}
}

static int callers_ms(const struct bpf_module_func_info *func)
{
	const __u32 *ids = u64_to_ptr(func->caller_ids);
	int ms = FREED_MS;
	__u32 i;

	for (i = 0; ms && ids && i < func->callers_cnt; i++)
		ms = min(ms, caller_ms(ids[i]));
	return ms;
}

/* The same for all users of a module. The kernel reports no ids of callers that are being
 * freed, and counts users of ops together with them.
 */
static int users_ms(int fd)
{
	struct module mod;
	int ms = 0;
	__u32 i;

	if (!module_read(fd, &mod) && mod.info.users && mod.info.funcs_cnt)
		ms = mod.info.ops_cnt ? PERHAPS_MS : FREED_MS;
	for (i = 0; ms && i < mod.info.funcs_cnt; i++)
		ms = min(ms, callers_ms(&mod.funcs[i]));
	module_free(&mod);
	module_names_free();
	return ms;
}

/* A program is a user until it is freed, a moment after its own end. */
static int unload_fd(int fd, __u32 flags)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = flags);
	__s64 start = now_ms();
	int err;

	while ((err = bpf_module_unload(fd, &opts)) == -EBUSY) {
		if (now_ms() - start >= users_ms(fd))
			break;
		usleep(50 * 1000);
	}
	return err;
}

/* Without memory, fewer modules are unloaded. */
static void note_deps(struct unload_args *args, const struct module *mod)
{
	__u32 cnt = mod->info.deps_cnt, *ids;

	ids = libbpf_reallocarray(args->dep_ids, args->dep_cnt + cnt + 1, sizeof(*ids));
	if (!ids)
		return;
	args->dep_ids = ids;
	memcpy(ids + args->dep_cnt, mod->dep_ids, cnt * sizeof(*ids));
	args->dep_cnt += cnt;
}

static int unload_one(struct unload *mod, struct unload_args *args)
{
	struct bpf_module_info info;
	int err;

	err = unload_fd(mod->fd, args->flags);
	/* one that is already going can be waited for */
	if (err == -EINPROGRESS && args->wait)
		err = 0;
	/* users come and go: report the current ones */
	module_get_info(mod->fd, &info);
	if (err) {
		unload_error(mod->fd, &info, err);
		return -1;
	}

	mod->is_waited_for = args->wait && info.state == BPF_MODULE_STATE_GOING;
	if (!mod->is_waited_for || !json_output)
		report_unload(&info, mod->mod.info.id);
	if (info.state == BPF_MODULE_STATE_GONE)
		note_deps(args, &mod->mod);
	return 0;
}

static int wait_for_one(const struct unload *mod, struct unload_args *args, __s64 deadline)
{
	struct bpf_module_info info;

	if (!mod->is_waited_for)
		return 0;
	if (wait_until_gone(mod->fd, args, deadline))
		return -1;
	module_get_info(mod->fd, &info);
	report_unload(&info, mod->mod.info.id);
	note_deps(args, &mod->mod);
	return 0;
}

static bool calls(const struct unload *caller, const struct unload *mod)
{
	__u32 i;

	for (i = 0; i < caller->mod.info.deps_cnt; i++)
		if (caller->mod.dep_ids[i] == mod->mod.info.id)
			return true;
	return false;
}

/* The next one whose functions none of the remaining ones calls: in this order all can be
 * unloaded, whatever the order given.
 */
static struct unload *next_to_try(const struct unload_args *args)
{
	int i, k;

	for (i = 0; i < args->cnt; i++) {
		if (args->mods[i].was_tried)
			continue;
		for (k = 0; k < args->cnt; k++)
			if (k != i && !args->mods[k].was_tried &&
			    calls(&args->mods[k], &args->mods[i]))
				break;
		if (k == args->cnt)
			return &args->mods[i];
	}
	return NULL;
}

/* It is no error if the module is in use. */
static int unload_unused(int fd, const struct module *mod, struct unload_args *args)
{
	struct bpf_module_info info;
	int err;

	err = unload_fd(fd, 0);
	if (err == -EBUSY || err == -EINPROGRESS || err == -ENOENT)
		return 0;
	module_get_info(fd, &info);
	if (err) {
		unload_error(fd, &info, err);
		return -1;
	}
	report_unload(&info, mod->info.id);
	note_deps(args, mod);
	return 0;
}

/* Unload one that nobody uses any more, like "modprobe -r". A bound module is left to its
 * daemon.
 */
static int unload_dep(__u32 id, struct unload_args *args)
{
	int fd = bpf_module_get_fd_by_id(id), err;
	struct module mod;

	if (fd < 0)
		return 0;
	err = module_read(fd, &mod);
	if (err)
		module_info_error(err);
	else if (mod.info.state != BPF_MODULE_STATE_GOING &&
		 !(mod.info.flags & BPF_F_MODULE_BOUND))
		err = unload_unused(fd, &mod, args);
	module_free(&mod);
	close(fd);
	return err;
}

/* Unloading one can add more; those still in use are then tried again. */
static int unload_deps(struct unload_args *args)
{
	size_t i;
	int err = 0;

	for (i = 0; i < args->dep_cnt; i++)
		if (unload_dep(args->dep_ids[i], args))
			err = -1;
	return err;
}

/* If one is refused, the others are still unloaded; the time to wait is for all of them. */
static int unload_all(struct unload_args *args)
{
	__s64 deadline = now_ms() + args->seconds * 1000LL;
	struct unload *mod;
	int i, err = 0;

	while ((mod = next_to_try(args))) {
		mod->was_tried = true;
		if (unload_one(mod, args))
			err = -1;
	}
	fflush(stdout);
	for (i = 0; i < args->cnt; i++)
		if (wait_for_one(&args->mods[i], args, deadline))
			err = -1;
	if (args->with_deps && unload_deps(args))
		err = -1;
	return err;
}

static int read_all(struct unload_args *args)
{
	int i, err = 0;

	for (i = 0; !err && i < args->cnt; i++)
		err = module_read(args->mods[i].fd, &args->mods[i].mod);
	return err ? module_info_error(err) : 0;
}

int module_unload(int argc, char **argv)
{
	struct unload_args args = {};
	bool is_list;
	int err;

	if (!REQ_ARGS(1))
		return -1;

	err = parse_args(argc, argv, &args) ?: read_all(&args);
	if (!err) {
		is_list = json_output && (args.cnt > 1 || args.with_deps);
		if (is_list)
			jsonw_start_array(json_wtr);
		err = unload_all(&args);
		if (is_list)
			jsonw_end_array(json_wtr);
	}

	while (args.cnt-- > 0) {
		module_free(&args.mods[args.cnt].mod);
		close(args.mods[args.cnt].fd);
	}
	free(args.mods);
	free(args.dep_ids);
	return err;
}

void module_unload_again(__u32 id)
{
	struct bpf_module_info info;
	int fd, err;

	fd = bpf_module_get_fd_by_id(id);
	if (fd < 0)
		return;
	err = unload_fd(fd, 0);
	module_get_info(fd, &info);
	if (!err && json_output)
		report_unload(&info, id);
	else if (!err)
		printf("Unloaded module %s (id %u) again\n", info.name, id);
	else if (err == -EBUSY)
		p_info("module %s (id %u) is left loaded, it is now in use", info.name, id);
	else if (err)
		p_info("module %s (id %u) is left loaded: %s", info.name, id, module_strerror(err));
	close(fd);
}
