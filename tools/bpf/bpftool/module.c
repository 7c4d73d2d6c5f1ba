// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module: load, list and unload BPF modules.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
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

/* Modules that a name means: those that are live or detached, or if there are none,
 * those that are going. One can have it as written, but several with '-' for '_'.
 */
struct name_matches {
	const char *name;
	bool is_exact;
	int fd; /* of one of them, -1 for none */
	bool is_held;
	unsigned int cnt;
	char *ids; /* "7, 12" */
};

static void free_matches(struct name_matches *matches)
{
	if (matches->fd >= 0)
		close(matches->fd);
	free(matches->ids);
	matches->fd = -1;
	matches->ids = NULL;
	matches->cnt = 0;
}

static int add_match(struct name_matches *matches, int fd, const struct bpf_module_info *info)
{
	bool is_held = info->state != BPF_MODULE_STATE_GOING;
	char *ids;

	if (matches->is_held && !is_held) {
		close(fd);
		return 0;
	}
	if (is_held && !matches->is_held)
		free_matches(matches);
	matches->is_held = is_held;

	if (asprintf(&ids, "%s%s%u", matches->ids ?: "", matches->ids ? ", " : "", info->id) < 0) {
		close(fd);
		return -ENOMEM;
	}
	free(matches->ids);
	matches->ids = ids;
	matches->cnt++;
	if (matches->fd >= 0)
		close(matches->fd);
	matches->fd = fd;
	return 0;
}

static bool is_match(const struct name_matches *matches, const struct bpf_module_info *info)
{
	if (info->state == BPF_MODULE_STATE_GONE)
		return false;
	return matches->is_exact ? strcmp(info->name, matches->name) == 0 :
				   module_names_match(info->name, matches->name);
}

static int find_matches(struct name_matches *matches)
{
	struct bpf_module_info info;
	int fd, err = 0;
	__u32 id = 0;

	while (!err && (fd = module_open_next(&id)) >= 0) {
		if (!module_get_info(fd, &info) && is_match(matches, &info))
			err = add_match(matches, fd, &info);
		else
			close(fd);
	}
	return err ?: fd == -ENOENT ? 0 : fd;
}

/* An exact match comes first, as both spellings may exist. To be freed even if it
 * fails.
 */
static int find_by_name(struct name_matches *matches, const char *name)
{
	int err;

	*matches = (struct name_matches){ .name = name, .is_exact = true, .fd = -1 };
	err = find_matches(matches);
	if (err || matches->cnt || !strpbrk(name, "-_"))
		return err;

	matches->is_exact = false;
	return find_matches(matches);
}

int module_look_up(const char *name, bool is_exact, struct bpf_module_info *info)
{
	struct name_matches matches = { .name = name, .is_exact = true, .fd = -1 };
	int err;

	err = is_exact ? find_matches(&matches) : find_by_name(&matches, name);
	if (!err)
		err = matches.is_held ? module_get_info(matches.fd, info) : -ENOENT;
	/* a kernel without modules has none of that name */
	if (err == -EINVAL)
		err = -ENOENT;
	/* it may have gone since then */
	if (!err && info->state != BPF_MODULE_STATE_LIVE &&
	    info->state != BPF_MODULE_STATE_DETACHED)
		err = -ENOENT;
	free_matches(&matches);
	return err;
}

/* The module that has the name, else the only one that is going. */
static int open_by_name(const char *name)
{
	struct name_matches matches;
	int err, fd = -1;

	if (!module_is_name(name))
		return module_bad_name(name);

	err = find_by_name(&matches, name);
	if (err) {
		p_err("can't look for module %s: %s", name, module_look_strerror(err));
	} else if (!matches.cnt) {
		p_err("no module named %s; see '%s module list'", name, bin_name);
	} else if (matches.cnt > 1) {
		p_err("%u modules named %s are %s; give one of their ids: %s", matches.cnt, name,
		      matches.is_held ? "loaded" : "going", matches.ids);
	} else {
		fd = matches.fd;
		matches.fd = -1;
	}
	free_matches(&matches);
	return fd;
}

bool module_parse_number(const char *text, unsigned long long max, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return isdigit((unsigned char)*text) && !*end && !errno && *value <= max;
}

static int open_by_id(const char *arg)
{
	unsigned long long id;
	int fd;

	if (!module_parse_number(arg, UINT32_MAX, &id) || !id) {
		p_err("'%s' is not a module id", arg);
		return -1;
	}

	fd = bpf_module_get_fd_by_id(id);
	if (fd == -ENOENT)
		p_err("no module with id %llu; see '%s module list'", id, bin_name);
	else if (fd < 0)
		p_err("can't open module with id %llu: %s", id, module_look_strerror(fd));
	return fd;
}

bool module_is_keyword(const char *word)
{
	return strcmp(word, "id") == 0 || strcmp(word, "name") == 0 ||
	       strcmp(word, "pinned") == 0;
}

/* Consume a MODULE: an fd, or -1 with the error printed. Keywords are not
 * abbreviated, since they could be names.
 */
int module_parse_fd(int *argc, char ***argv)
{
	const char *word = **argv, *key = NULL;

	NEXT_ARGP();
	if (module_is_keyword(word)) {
		if (!*argc) {
			p_err("what %s? A module of that name is 'name %s'", word, word);
			return -1;
		}
		key = word;
		word = **argv;
		NEXT_ARGP();
	}

	if (key && strcmp(key, "id") == 0)
		return open_by_id(word);
	if (key && strcmp(key, "pinned") == 0)
		return open_obj_pinned_any(word, BPF_OBJ_MODULE);
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

	/* before we open a module ourselves; the table has no column for pids */
	refs_table = NULL;
	if (argc || json_output)
		build_obj_refs_table(&refs_table, BPF_OBJ_MODULE);

	if (!argc) {
		err = module_list();
	} else {
		fd = parse_only_module(argc, argv);
		err = fd < 0 ? -1 : module_show(fd);
		if (fd >= 0)
			close(fd);
	}
	delete_obj_refs_table(refs_table);
	refs_table = NULL;
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
		err = module_pin_fd(fd, *argv);
	} else {
		p_err("need one FILE to pin the module to");
		err = -1;
	}

	close(fd);
	if (!err && json_output)
		jsonw_null(json_wtr);
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
		"       %1$s %2$s load OBJ... [name NAME] [ops OPS]... [pin FILE] [bound]\n"
		"                       [replace MODULE [reuse MAP[,MAP]...]] [dry-run]\n"
		"                       [PARAM=VALUE]...\n"
		"       %1$s %2$s { boot [dev DEVICE] | autoload NAME | aliases }\n"
		"       %1$s %2$s config [NAME]\n"
		"       %1$s %2$s unload MODULE... [deps] [drain | wait [SECONDS]]\n"
		"       %1$s %2$s dump MODULE\n"
		"       %1$s %2$s info OBJ\n"
		"       %1$s %2$s deps { OBJ | MODULE }\n"
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
	{ "unload",	module_unload },
	{ "dump",	do_dump },
	{ "info",	module_file_info },
	{ "deps",	module_deps },
	{ "pin",	do_pin },
	{ "boot",	module_boot },
	{ "autoload",	module_autoload },
	{ "aliases",	module_aliases },
	{ "config",	module_config },
	{ "help",	do_help },
	{ 0 }
};

/* Help and files need no particular kernel. */
static bool needs_kernel(int argc, char **argv)
{
	if (!argc)
		return true;
	if (is_prefix(*argv, "deps") && !is_prefix(*argv, "dump"))
		return argc > 1 && module_is_keyword(argv[1]);
	return !is_prefix(*argv, "help") && !is_prefix(*argv, "info") &&
	       !is_prefix(*argv, "config") && strcmp(*argv, "aliases");
}

/* If a system call filter refuses bpf(2), nothing is known about the kernel. */
static void no_modules_error(void)
{
	__u32 id;
	int err = bpf_module_get_next_id(0, &id);

	if (err == -ENOSYS || err == -EPERM)
		p_err("bpf(2) is refused here (%s), so it is unknown whether the kernel has BPF modules",
		      strerror(-err));
	else
		p_err("this kernel does not have BPF modules");
}

static int run_command(int argc, char **argv)
{
	if (needs_kernel(argc, argv) && !libbpf_probe_bpf_module(NULL)) {
		no_modules_error();
		return -1;
	}

	return cmd_select(cmds, argc, argv, do_help);
}

int do_module(int argc, char **argv)
{
	bool to_log = argc && is_prefix(*argv, "autoload") && module_log_begin();
	int err;

	err = run_command(argc, argv);
	if (to_log)
		module_log_end(err);
	return err;
}
