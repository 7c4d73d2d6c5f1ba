// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Where the programs of an object's modules are attached: which parameter each of them
 * needs, and whether it was given.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"

enum module_prog_kind module_prog_kind(const struct bpf_program *prog)
{
	const char *need = bpf_program__module_target(prog);

	if (need)
		return MODULE_PROG_LINKED;
	return errno == EOPNOTSUPP ? MODULE_PROG_REFUSED : MODULE_PROG_OTHER;
}

const char *module_prog_need(const struct bpf_program *prog)
{
	return bpf_program__module_target(prog) ?: "";
}

/* The optional parameter. */
const char *module_prog_option(const struct bpf_program *prog)
{
	switch (module_prog_kind(prog) == MODULE_PROG_LINKED ? bpf_program__type(prog) : 0) {
	case BPF_PROG_TYPE_XDP:
		return "mode";
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return "netns";
	default:
		return "";
	}
}

bool module_attaches(const struct bpf_module *mod, const struct bpf_program *prog)
{
	return module_prog_kind(prog) != MODULE_PROG_OTHER && bpf_program__autoload(prog) &&
	       bpf_program__module(prog) == mod;
}

bool module_exports(const struct bpf_module *mod, const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_MODULE_FUNC &&
	       bpf_program__autoload(prog) && bpf_program__module(prog) == mod;
}

/* The value that @param, "PROG.NEED=VALUE", has for @prog and @need, else NULL. */
static const char *told_by(const char *param, const struct bpf_program *prog, const char *need)
{
	const char *name = bpf_program__name(prog);
	size_t len = strlen(name), need_len = strlen(need);

	if (strncmp(param, name, len) || param[len] != '.' ||
	    strncmp(param + len + 1, need, need_len) || param[len + 1 + need_len] != '=')
		return NULL;
	return param + len + need_len + 2;
}

static const char *find_told(const char * const *params, int cnt, const struct bpf_program *prog,
			     const char *need)
{
	const char *told = NULL;

	/* the last one counts */
	while (cnt-- > 0 && !told)
		told = told_by(params[cnt], prog, need);
	return told;
}

static const char *need_value(const char *need)
{
	static const char * const values[][2] = {
		{ "dev",	"DEVICE" },
		{ "cgroup",	"PATH" },
		{ "hook",	"PF:HOOK:PRIORITY" },
		{ "map",	"NAME" },
		{ "prog",	"ID:FUNCTION" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i][0], need) == 0)
			return values[i][1];
	return "VALUE";
}

int module_check_needs(const struct bpf_object *obj, const struct bpf_module *mod,
		       const char * const *params, int cnt)
{
	struct bpf_program *prog;
	char *list = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&list, &size);
	if (!f) {
		p_err("mem alloc failed");
		return -1;
	}
	bpf_object__for_each_program(prog, obj) {
		const char *need = module_prog_need(prog);

		if (*need && module_attaches(mod, prog) && !find_told(params, cnt, prog, need))
			fprintf(f, "%s%s.%s=%s", ftell(f) ? ", " : "",
				module_text(bpf_program__name(prog)), need, need_value(need));
	}
	fclose(f);

	if (list && *list)
		p_err("module %s does not know where to attach its programs; set %s",
		      bpf_module__name(mod), list);
	size = list ? strlen(list) : 0;
	free(list);
	return size ? -1 : 0;
}

const char *module_param_devs(const char *param)
{
	static const char suffix[] = ".dev";
	size_t len = strcspn(param, "=");

	if (!param[len] || len < strlen(suffix) ||
	    strncmp(param + len - strlen(suffix), suffix, strlen(suffix)))
		return NULL;
	return param + len + 1;
}

bool module_list_has(const char *list, const char *word)
{
	size_t len;

	for (; *list; list += len + !!list[len]) {
		len = strcspn(list, ",");
		if (strlen(word) == len && strncmp(list, word, len) == 0)
			return true;
	}
	return false;
}

/* The first device of the list that does not exist. */
static bool find_missing(const char *list, char *dev, size_t size)
{
	size_t len;

	for (; *list; list += len + !!list[len]) {
		len = strcspn(list, ",");
		snprintf(dev, size, "%.*s", (int)len, list);
		if (!if_nametoindex(dev))
			return true;
	}
	return false;
}

bool module_find_missing_dev(const struct bpf_object *obj, const struct bpf_module *mod,
			     const char * const *params, int cnt, char *dev, size_t size)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		const char *list = NULL;

		if (module_attaches(mod, prog) && strcmp(module_prog_need(prog), "dev") == 0)
			list = find_told(params, cnt, prog, "dev");
		if (list && find_missing(list, dev, size))
			return true;
	}
	return false;
}
