// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module: load, list and unload BPF modules.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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
