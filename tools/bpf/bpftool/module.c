// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module: load, list and unload BPF modules.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define HELP_SPEC_MODULE						\
	"MODULE := { id ID | name NAME | pinned FILE | NAME }"

/* Modules that bear the same name: one live one at most, others on their way out. */
struct name_matches {
	int fd;
	bool live;
	unsigned int going;
	char ids[128];
};

static void match_name(struct name_matches *matches, int fd, const struct bpf_module_info *info)
{
	size_t len = strlen(matches->ids);
	bool live = info->state == BPF_MODULE_STATE_LIVE;

	if (!live) {
		matches->going++;
		snprintf(matches->ids + len, sizeof(matches->ids) - len, "%s%u",
			 len ? ", " : "", info->id);
	}

	if (matches->live || (!live && matches->fd >= 0)) {
		close(fd);
		return;
	}
	if (matches->fd >= 0)
		close(matches->fd);
	matches->fd = fd;
	matches->live = live;
}

static int find_matches(const char *name, struct name_matches *matches)
{
	struct bpf_module_info info;
	__u32 id = 0;
	int fd;

	while ((fd = module_open_next(&id)) >= 0) {
		if (!module_get_info(fd, &info) && info.state != BPF_MODULE_STATE_GONE &&
		    strcmp(info.name, name) == 0)
			match_name(matches, fd, &info);
		else
			close(fd);
	}
	return fd == -ENOENT ? 0 : fd;
}

bool module_is_live(const char *name)
{
	struct name_matches matches = { .fd = -1 };
	int err;

	err = find_matches(name, &matches);
	if (matches.fd >= 0)
		close(matches.fd);
	return !err && matches.live;
}

/* The live module of that name, else the only one that is going. */
static int open_by_name(const char *name)
{
	struct name_matches matches = { .fd = -1 };
	int err;

	err = find_matches(name, &matches);
	if (err) {
		p_err("can't look for module %s: %s", name, module_strerror(err));
	} else if (matches.fd < 0) {
		p_err("no module named %s; see '%s module list'", name, bin_name);
	} else if (!matches.live && matches.going > 1) {
		p_err("%u modules named %s are going; give one of their ids: %s",
		      matches.going, name, matches.ids);
	} else {
		return matches.fd;
	}

	if (matches.fd >= 0)
		close(matches.fd);
	return -1;
}

static int open_by_id(const char *arg)
{
	unsigned long id;
	char *end;
	int fd;

	id = strtoul(arg, &end, 0);
	if (*end || !id || id > UINT32_MAX) {
		p_err("'%s' is not a module id", arg);
		return -1;
	}

	fd = bpf_module_get_fd_by_id(id);
	if (fd == -ENOENT)
		p_err("no module with id %lu; see '%s module list'", id, bin_name);
	else if (fd < 0)
		p_err("can't open module with id %lu: %s", id, module_strerror(fd));
	return fd;
}

/* Consume a MODULE: an fd, or -1 with the error printed. Keywords are not
 * abbreviated, since they could be names.
 */
int module_parse_fd(int *argc, char ***argv)
{
	const char *word = **argv;

	NEXT_ARGP();
	if (!*argc)
		return open_by_name(word);

	if (strcmp(word, "id") == 0) {
		word = **argv;
		NEXT_ARGP();
		return open_by_id(word);
	}
	if (strcmp(word, "name") == 0) {
		word = **argv;
		NEXT_ARGP();
		return open_by_name(word);
	}
	if (strcmp(word, "pinned") == 0) {
		word = **argv;
		NEXT_ARGP();
		return open_obj_pinned_any(word, BPF_OBJ_MODULE);
	}
	return open_by_name(word);
}

/* For commands that take one MODULE and nothing else. */
static int parse_only_module(int argc, char **argv)
{
	int fd;

	if (!REQ_ARGS(1))
		return -1;

	fd = module_parse_fd(&argc, &argv);
	if (fd >= 0 && argc) {
		close(fd);
		return BAD_ARG();
	}
	return fd;
}

static int do_show(int argc, char **argv)
{
	int fd, err;

	if (!argc)
		return module_list();

	fd = parse_only_module(argc, argv);
	if (fd < 0)
		return -1;

	err = module_show(fd);
	close(fd);
	return err;
}

static int do_dump(int argc, char **argv)
{
	int fd, err;

	fd = parse_only_module(argc, argv);
	if (fd < 0)
		return -1;

	err = module_dump(fd);
	close(fd);
	return err;
}

static int do_pin(int argc, char **argv)
{
	int fd, err;

	if (!REQ_ARGS(2))
		return -1;

	fd = module_parse_fd(&argc, &argv);
	if (fd < 0)
		return -1;

	if (argc == 1) {
		err = do_pin_fd(fd, *argv);
	} else {
		p_err("need one FILE to pin the module to");
		err = -1;
	}

	close(fd);
	if (!err && json_output)
		jsonw_null(json_wtr);
	return err;
}

static const char *plural(__u64 count)
{
	return count == 1 ? "" : "s";
}

static void unload_error(const struct bpf_module_info *info, int err)
{
	switch (err) {
	case -EBUSY:
		p_err("module %s is in use (%llu user%s); stop %s or unload with drain",
		      info->name, info->users, plural(info->users),
		      info->users == 1 ? "it" : "them");
		break;
	case -EINPROGRESS:
		p_err("module %s is going already; it waits for %llu user%s to end",
		      info->name, info->users, plural(info->users));
		break;
	case -ENOENT:
		p_err("module %s is unloaded already", info->name);
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
	} else {
		printf("Unloaded module %s (id %u)\n", info->name, id);
	}
}

/* How an unload is to deal with users. */
struct unload_args {
	__u32 flags;
	bool wait;
	int seconds;	/* to wait, -1 for ever */
};

static int parse_unload_args(int argc, char **argv, struct unload_args *args)
{
	unsigned long seconds;
	char *end;

	args->seconds = -1;
	if (!argc)
		return 0;
	args->flags = BPF_F_MODULE_DRAIN;
	if (argc == 1 && is_prefix(*argv, "drain"))
		return 0;
	if (argc > 2 || !is_prefix(*argv, "wait"))
		return BAD_ARG();

	args->wait = true;
	NEXT_ARG();
	if (!argc)
		return 0;
	seconds = strtoul(*argv, &end, 0);
	if (*end || end == *argv || seconds > INT_MAX / 1000) {
		p_err("'%s' is not a number of seconds", *argv);
		return -1;
	}
	args->seconds = seconds;
	return 0;
}

/* A module that is going hangs up when its last user has left. */
static int wait_until_gone(int fd, const struct unload_args *args)
{
	struct pollfd pfd = { .fd = fd };
	struct bpf_module_info info;
	int ret;

	ret = poll(&pfd, 1, args->seconds < 0 ? -1 : args->seconds * 1000);
	if (ret > 0)
		return 0;
	if (ret < 0) {
		p_err("can't wait for the module: %s", strerror(errno));
		return -1;
	}
	module_get_info(fd, &info);
	p_err("module %s still has %llu user%s after %d second%s; it goes with the last of them",
	      info.name, info.users, plural(info.users), args->seconds, plural(args->seconds));
	return -1;
}

static int unload_fd(int fd, const struct unload_args *args)
{
	LIBBPF_OPTS(bpf_module_unload_opts, opts, .flags = args->flags);
	struct bpf_module_info info;
	int err, unload_err;
	__u32 id;

	err = module_get_info(fd, &info);
	if (err)
		return module_info_error(err);
	id = info.id;

	unload_err = bpf_module_unload(fd, &opts);
	/* one that is going already can be waited for all the same */
	if (unload_err == -EINPROGRESS && args->wait)
		unload_err = 0;
	/* users come and go: tell those of now */
	module_get_info(fd, &info);
	if (unload_err) {
		unload_error(&info, unload_err);
		return -1;
	}

	if (args->wait && info.users) {
		if (!json_output) {
			report_unload(&info, id);
			fflush(stdout);
		}
		if (wait_until_gone(fd, args))
			return -1;
		module_get_info(fd, &info);
	}
	report_unload(&info, id);
	return 0;
}

static int do_unload(int argc, char **argv)
{
	struct unload_args args = {};
	int fd, err;

	if (!REQ_ARGS(1))
		return -1;

	fd = module_parse_fd(&argc, &argv);
	if (fd < 0)
		return -1;

	err = parse_unload_args(argc, argv, &args) ?: unload_fd(fd, &args);
	close(fd);
	return err;
}

static int do_help(int argc, char **argv)
{
	if (json_output) {
		jsonw_null(json_wtr);
		return 0;
	}

	fprintf(stderr,
		"Usage: %1$s %2$s { show | list } [MODULE]\n"
		"       %1$s %2$s load OBJ [name NAME] [ops OPS]... [pin FILE] [bound]\n"
		"                       [replace MODULE] [PARAM=VALUE]...\n"
		"       %1$s %2$s { boot | autoload NAME | aliases }\n"
		"       %1$s %2$s unload MODULE [drain | wait [SECONDS]]\n"
		"       %1$s %2$s dump MODULE\n"
		"       %1$s %2$s info OBJ\n"
		"       %1$s %2$s pin MODULE FILE\n"
		"       %1$s %2$s help\n"
		"\n"
		"       OBJ := { FILE | NAME }\n"
		"       " HELP_SPEC_MODULE "\n"
		"       " HELP_SPEC_OPTIONS " |\n"
		"                    {-f|--bpffs} | {-m|--mapcompat} | {-n|--nomount} }\n"
		"",
		bin_name, "module");

	return 0;
}

static const struct cmd cmds[] = {
	{ "show",	do_show },
	{ "list",	do_show },
	{ "load",	module_load },
	{ "unload",	do_unload },
	{ "dump",	do_dump },
	{ "info",	module_file_info },
	{ "pin",	do_pin },
	{ "boot",	module_boot },
	{ "autoload",	module_autoload },
	{ "aliases",	module_aliases },
	{ "help",	do_help },
	{ 0 }
};

/* Help and files can be looked at on any kernel. */
static bool needs_kernel(int argc, char **argv)
{
	return !argc || (!is_prefix(*argv, "help") && !is_prefix(*argv, "info") &&
			 strcmp(*argv, "aliases"));
}

int do_module(int argc, char **argv)
{
	if (needs_kernel(argc, argv) && !libbpf_probe_bpf_module(NULL)) {
		p_err("this kernel does not have BPF modules");
		return -1;
	}

	return cmd_select(cmds, argc, argv, do_help);
}
