// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Finding a loaded BPF module: by the words of a MODULE, or by its name.
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

#include "main.h"
#include "module.h"

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
		return open_pinned_module(word);
	return open_by_name(word);
}
