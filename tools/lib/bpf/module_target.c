// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Parameters of BPF modules that say where a program is attached: PROG.dev and such.
 *
 * Their syntax is checked when they are set. Devices, control groups and namespaces are
 * looked up when the module is attached, since they may appear later.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/socket.h>
#include <linux/if_link.h>
#include <linux/kernel.h>
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "module_internal.h"

static const struct module_target no_target = { .prog_fd = -1 };

const struct module_target *
bpf_module__target(const struct bpf_module *mod, const struct bpf_program *prog)
{
	const struct module_target *target;

	for (target = mod->targets; target; target = target->next)
		if (target->prog == prog)
			return target;
	return &no_target;
}

static struct module_target *get_target(struct bpf_module *mod, const struct bpf_program *prog)
{
	struct module_target *target;

	for (target = mod->targets; target; target = target->next)
		if (target->prog == prog)
			return target;

	target = malloc(sizeof(*target));
	if (!target)
		return NULL;
	*target = no_target;
	target->prog = prog;
	target->next = mod->targets;
	mod->targets = target;
	return target;
}

void bpf_module__free_targets(struct bpf_module *mod)
{
	struct module_target *target;

	while ((target = mod->targets)) {
		mod->targets = target->next;
		if (target->prog_fd >= 0)
			close(target->prog_fd);
		free(target->dev);
		free(target->cgroup);
		free(target->netns);
		free(target);
	}
}

int bpf_module__lacks_target(const struct bpf_module *mod, const struct bpf_program *prog)
{
	static const struct {
		const char *what;
		const char *example;
	} needs[] = {
		[TARGET_DEV]	= { "device", "dev=NAME" },
		[TARGET_CGROUP]	= { "cgroup", "cgroup=PATH" },
		[TARGET_HOOK]	= { "hook", "hook=PF:HOOK:PRIORITY" },
		[TARGET_MAP]	= { "map", "map=NAME" },
		[TARGET_PROG]	= { "program", "prog=ID:FUNCTION" },
	};
	enum target_kind kind = bpf_program__target_kind(prog);

	pr_warn("module '%s': program '%s' needs a %s: set %s.%s\n", mod->name,
		bpf_program__name(prog), needs[kind].what, bpf_program__name(prog),
		needs[kind].example);
	return -EINVAL;
}

/* What is being set. */
struct setting {
	const struct bpf_module *mod;
	struct bpf_program *prog;
	const char *name;
	const char *value;
	struct module_target *target;
};

static int bad_setting(const struct setting *s, int err, const char *problem)
{
	pr_warn("module '%s': parameter %s: '%s' %s\n", s->mod->name, s->name, s->value, problem);
	return err;
}

static int replace_text(char **to, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static int set_dev(const struct setting *s)
{
	const char *dev = s->value;
	size_t len;

	/* each name between commas */
	do {
		len = strcspn(dev, ",");
		if (!len || len >= IF_NAMESIZE)
			return bad_setting(s, -EINVAL,
					   "is not a list of network devices, as in \"eth0,eth1\"");
		dev += len;
	} while (*dev++);

	return replace_text(&s->target->dev, s->value);
}

static int set_mode(const struct setting *s)
{
	if (strcmp(s->value, "native") == 0)
		s->target->xdp_flags = XDP_FLAGS_DRV_MODE;
	else if (strcmp(s->value, "generic") == 0)
		s->target->xdp_flags = XDP_FLAGS_SKB_MODE;
	else
		return bad_setting(s, -EINVAL, "is neither native nor generic");
	return 0;
}

static int set_path(const struct setting *s, char **path)
{
	if (!*s->value)
		return bad_setting(s, -EINVAL, "is not a path");
	return replace_text(path, s->value);
}

static int set_cgroup(const struct setting *s)
{
	return set_path(s, &s->target->cgroup);
}

static int set_netns(const struct setting *s)
{
	return set_path(s, &s->target->netns);
}

static bool parse_num(const char *text, long min, long max, long *num)
{
	char *end;

	errno = 0;
	*num = strtol(text, &end, 0);
	return *text && !*end && !errno && *num >= min && *num <= max;
}

/* One of @names, or a number */
static bool parse_word(const char *text, const char * const *names, int cnt, long *num)
{
	for (*num = 0; *num < cnt; ++*num)
		if (names[*num] && strcmp(names[*num], text) == 0)
			return true;
	return parse_num(text, 0, UCHAR_MAX, num);
}

/* "PF:HOOK:PRIORITY" */
static bool parse_hook(char *text, struct module_target *target)
{
	/* NFPROTO_IPV4 and NFPROTO_IPV6, NF_INET_*, which have the same numbers */
	static const char * const families[] = { [AF_INET] = "ipv4", [AF_INET6] = "ipv6" };
	static const char * const hooks[] = { "prerouting", "input", "forward", "output",
					      "postrouting" };
	const char *pf = strsep(&text, ":"), *hook = strsep(&text, ":");
	long pf_num, hook_num, priority;

	if (!hook || !text || !parse_word(pf, families, ARRAY_SIZE(families), &pf_num) ||
	    !parse_word(hook, hooks, ARRAY_SIZE(hooks), &hook_num) ||
	    !parse_num(text, INT_MIN, INT_MAX, &priority))
		return false;

	target->has_hook = true;
	target->pf = pf_num;
	target->hooknum = hook_num;
	target->priority = priority;
	return true;
}

static int set_hook(const struct setting *s)
{
	char *text = strdup(s->value);
	bool ok;

	if (!text)
		return -ENOMEM;
	ok = parse_hook(text, s->target);
	free(text);
	return ok ? 0 : bad_setting(s, -EINVAL,
				    "is not of the form PF:HOOK:PRIORITY, as in \"ipv4:input:-10\"");
}

static int set_map(const struct setting *s)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(s->mod->obj, s->value);

	if (!map)
		return bad_setting(s, -ENOENT, "is not a map of the object");
	s->target->map = map;
	return 0;
}

/* "ID:FUNCTION" */
static int set_prog(const struct setting *s)
{
	const char *func = strchr(s->value, ':');
	char id_text[16] = "";
	int fd, err;
	long id;

	if (func && func[1] && func - s->value < sizeof(id_text))
		memcpy(id_text, s->value, func - s->value);
	if (!parse_num(id_text, 1, INT_MAX, &id))
		return bad_setting(s, -EINVAL, "is not of the form ID:FUNCTION, as in \"12:main\"");

	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0) {
		err = -errno;
		return bad_setting(s, err, err == -ENOENT ? "names no program that is loaded" :
							    "names a program that can't be opened");
	}
	err = bpf_program__set_attach_target(s->prog, fd, func + 1);
	if (err) {
		close(fd);
		return bad_setting(s, err, "names a program without BTF, or without that function");
	}
	/* the program has the fd number until it is loaded */
	if (s->target->prog_fd >= 0)
		close(s->target->prog_fd);
	s->target->prog_fd = fd;
	return 0;
}

static bool takes_mode(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_XDP;
}

/* Even if its section names a kernel function, it can be attached to a program instead. */
static bool takes_prog(const struct bpf_program *prog)
{
	switch (bpf_program__expected_attach_type(prog)) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
		return bpf_program__type(prog) == BPF_PROG_TYPE_TRACING;
	default:
		return false;
	}
}

static const struct {
	const char *name;
	enum target_kind kind;
	int (*set)(const struct setting *s);
	bool (*takes)(const struct bpf_program *prog); /* if not every program of the kind does */
} params[] = {
	{ "dev",	TARGET_DEV,	set_dev },
	{ "mode",	TARGET_UNFIT,	set_mode,	takes_mode },
	{ "cgroup",	TARGET_CGROUP,	set_cgroup },
	{ "netns",	TARGET_NETNS,	set_netns },
	{ "hook",	TARGET_HOOK,	set_hook },
	{ "map",	TARGET_MAP,	set_map },
	{ "prog",	TARGET_PROG,	set_prog,	takes_prog },
};

static bool takes_param(const struct bpf_program *prog, int i)
{
	enum target_kind kind = bpf_program__target_kind(prog);

	return (kind != TARGET_UNFIT && kind == params[i].kind) ||
	       (params[i].takes && params[i].takes(prog));
}

/* "dev, mode" */
static void format_params(const struct bpf_program *prog, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	snprintf(buf, size, "none");
	for (i = 0; i < ARRAY_SIZE(params); i++)
		if (takes_param(prog, i))
			len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
					params[i].name);
}

static int no_such_param(const struct setting *s, int err)
{
	char names[64];

	format_params(s->prog, names, sizeof(names));
	pr_warn("module '%s': no parameter %s, program '%s' takes %s\n", s->mod->name, s->name,
		bpf_program__name(s->prog), names);
	return err;
}

static int set_param(const struct setting *s, const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		if (strcmp(params[i].name, name) != 0)
			continue;
		return takes_param(s->prog, i) ? params[i].set(s) : no_such_param(s, -EINVAL);
	}
	return no_such_param(s, -ENOENT);
}

static int check_owner(const struct setting *s)
{
	const struct bpf_module *owner = bpf_program__module(s->prog);

	if (owner == s->mod)
		return 0;
	pr_warn("module '%s': parameter %s: program '%s' belongs to %s%s\n", s->mod->name, s->name,
		bpf_program__name(s->prog), owner ? "module " : "no module",
		owner ? owner->name : "");
	return -EINVAL;
}

static struct bpf_program *find_prog(const struct bpf_object *obj, const char *name, size_t len)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (strlen(bpf_program__name(prog)) == len &&
		    strncmp(bpf_program__name(prog), name, len) == 0)
			return prog;
	return NULL;
}

int bpf_module__set_target(struct bpf_module *mod, const char *name, const char *value)
{
	struct setting s = { .mod = mod, .name = name, .value = value };
	size_t len = strcspn(name, ".");
	int err;

	s.prog = name[len] ? find_prog(mod->obj, name, len) : NULL;
	if (!s.prog)
		return -ESRCH;

	err = check_owner(&s);
	if (err)
		return err;

	s.target = get_target(mod, s.prog);
	return s.target ? set_param(&s, name + len + 1) : -ENOMEM;
}
