// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool module load: its arguments.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

#include "main.h"
#include "module.h"
#include "module_load.h"

static int parse_replace(int *argc, char ***argv, struct load_args *args)
{
	if (args->replace_fd >= 0) {
		p_err("one module can be replaced, not two");
		return -1;
	}
	args->replace_fd = module_parse_fd(argc, argv);
	return args->replace_fd < 0 ? -1 : 0;
}

static int check_args(const struct load_args *args)
{
	if (args->obj_cnt > 1 && args->option) {
		p_err("what is '%s'? With several objects '%s' can't be given", args->objs[1],
		      args->option);
		return -1;
	}
	if (args->bound && !args->pin) {
		p_err("a bound module ends with its last handle, and this command closes its own; use 'pin'");
		return -1;
	}
	if (args->name && args->replace_fd >= 0) {
		p_err("a module gets the name of the one that it replaces; leave out 'name'");
		return -1;
	}
	if (args->reuse && args->replace_fd < 0) {
		p_err("'reuse' takes maps of a module that is replaced; use 'replace'");
		return -1;
	}
	return 0;
}

/* Consume the value of a keyword. */
static int parse_value(const char *key, int *argc, char ***argv, struct load_args *args)
{
	if (strcmp(key, "replace") == 0)
		return parse_replace(argc, argv, args);

	if (strcmp(key, "name") == 0)
		args->name = **argv;
	else if (strcmp(key, "pin") == 0)
		args->pin = **argv;
	else if (strcmp(key, "reuse") == 0)
		args->reuse = **argv;
	else
		args->ops[args->ops_cnt++] = **argv;
	NEXT_ARGP();
	return 0;
}

static bool has_value(const char *key)
{
	return strcmp(key, "replace") == 0 || strcmp(key, "name") == 0 ||
	       strcmp(key, "pin") == 0 || strcmp(key, "ops") == 0 || strcmp(key, "reuse") == 0;
}

/* Keywords are not abbreviated, since they could be names. */
int load_parse_args(int argc, char **argv, struct load_args *args)
{
	args->objs = calloc(argc + 1, sizeof(*args->objs));
	args->ops = calloc(argc + 1, sizeof(*args->ops));
	args->params = calloc(argc + 1, sizeof(*args->params));
	if (!args->objs || !args->ops || !args->params) {
		p_err("mem alloc failed");
		return -1;
	}

	args->objs[args->obj_cnt++] = GET_ARG();
	while (argc) {
		const char *key = *argv;

		if (strcmp(key, "dry-run") == 0) {
			args->dry_run = true;
			NEXT_ARG();
			continue;
		}
		if (*key && !module_is_param(key) && !has_value(key) && strcmp(key, "bound") &&
		    !args->option) {
			args->objs[args->obj_cnt++] = GET_ARG();
			continue;
		}
		args->option = args->option ?: key;

		if (module_is_param(key)) {
			args->params[args->param_cnt++].text = GET_ARG();
		} else if (strcmp(key, "bound") == 0) {
			args->bound = true;
			NEXT_ARG();
		} else if (has_value(key)) {
			NEXT_ARG();
			if (!REQ_ARGS(1) || parse_value(key, &argc, &argv, args))
				return -1;
		} else {
			return BAD_ARG();
		}
	}
	return check_args(args);
}
