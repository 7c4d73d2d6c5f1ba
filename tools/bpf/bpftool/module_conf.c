// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Modules by name: where their objects are, and what the files in modules.d say
 * of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main.h"
#include "module.h"

/* The file in the first folder hides one of the same name in the second. */
static const char * const conf_dirs[] = { "/etc/bpf/modules.d", "/usr/lib/bpf/modules.d" };

#define MAX_WORDS 64

static const struct directive {
	const char *word;
	enum module_conf_kind kind;
	int min_args;
	int max_args;
	const char *form;
} directives[] = {
	{ "load", MODULE_CONF_LOAD, 1, 1, "load NAME" },
	{ "options", MODULE_CONF_OPTIONS, 2, MAX_WORDS, "options NAME PARAM=VALUE..." },
	{ "blacklist", MODULE_CONF_BLACKLIST, 1, 1, "blacklist NAME" },
	{ "alias", MODULE_CONF_ALIAS, 2, 2, "alias REQUEST NAME" },
};

/* These names stand in paths and in commands, so nothing but harmless letters. */
bool module_is_name(const char *name)
{
	size_t len = strlen(name);
	const char *c;

	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return len && len < BPF_MODULE_NAME_LEN && isalnum((unsigned char)name[0]);
}

int module_find_file(const char *name, char *path, size_t size)
{
	static const char * const endings[] = { ".bpf.o", ".o" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings) && module_is_name(name); i++) {
		snprintf(path, size, MODULE_DIR "/%s%s", name, endings[i]);
		if (!access(path, F_OK))
			return 0;
	}
	p_err("no file %s, and no module of that name in " MODULE_DIR, name);
	return -1;
}

bool module_is_file(const char *word)
{
	return strchr(word, '/') || !access(word, F_OK);
}

static int add_line(struct module_conf *conf, enum module_conf_kind kind, const char *name,
		    const char *text)
{
	struct module_conf_line *lines, *line;

	lines = realloc(conf->lines, (conf->cnt + 1) * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	conf->lines = lines;

	line = &lines[conf->cnt++];
	line->kind = kind;
	line->name = strdup(name);
	line->text = strdup(text);
	return line->name && line->text ? 0 : -ENOMEM;
}

static int add_args(struct module_conf *conf, enum module_conf_kind kind, char **args, int cnt)
{
	int i, err = 0;

	if (kind == MODULE_CONF_ALIAS)
		return add_line(conf, kind, args[1], args[0]);
	if (kind != MODULE_CONF_OPTIONS)
		return add_line(conf, kind, args[0], "");
	for (i = 1; i < cnt && !err; i++)
		err = add_line(conf, kind, args[0], args[i]);
	return err;
}

static bool is_param(const char *arg)
{
	return strchr(arg, '=') && arg[0] != '=';
}

/* The first argument that is not of the form, NULL if all are. */
static const char *find_bad_arg(const struct directive *d, char **args, int cnt)
{
	int i;

	for (i = 0; i < cnt; i++)
		if (d->kind == MODULE_CONF_OPTIONS && i ? !is_param(args[i]) :
							  !module_is_name(args[i]))
			return args[i];
	return NULL;
}

static const struct directive *find_directive(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(directives); i++)
		if (strcmp(directives[i].word, word) == 0)
			return &directives[i];
	return NULL;
}

static int read_words(struct module_conf *conf, char **words, int cnt, const char *where)
{
	const struct directive *d = find_directive(words[0]);
	const char *bad;

	if (!d) {
		p_info("%s: '%s' is none of load, options, blacklist, alias", where, words[0]);
	} else if (cnt - 1 < d->min_args || cnt - 1 > d->max_args) {
		p_info("%s: write '%s'", where, d->form);
	} else {
		bad = find_bad_arg(d, words + 1, cnt - 1);
		if (!bad)
			return add_args(conf, d->kind, words + 1, cnt - 1);
		p_info("%s: '%s' does not fit '%s'", where, bad, d->form);
	}
	conf->bad_lines++;
	return 0;
}

static int read_line(struct module_conf *conf, char *line, const char *where)
{
	char *words[MAX_WORDS + 1], *rest = line, *word;
	int cnt = 0;

	line[strcspn(line, "#")] = '\0';
	while ((word = strsep(&rest, " \t\r\n"))) {
		if (!*word)
			continue;
		if (cnt > MAX_WORDS) {
			p_info("%s: more than %d words", where, MAX_WORDS);
			conf->bad_lines++;
			return 0;
		}
		words[cnt++] = word;
	}
	return cnt ? read_words(conf, words, cnt, where) : 0;
}

static int read_file(struct module_conf *conf, const char *path)
{
	char *line = NULL, where[PATH_MAX + 16];
	unsigned int number = 0;
	size_t size = 0;
	int err = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		p_info("%s: %s", path, strerror(errno));
		conf->bad_lines++;
		return 0;
	}

	while (!err && getline(&line, &size, f) >= 0) {
		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		err = read_line(conf, line, where);
	}
	free(line);
	fclose(f);
	return err;
}

static int is_conf(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && ending && strcmp(ending, ".conf") == 0;
}

static int read_dirs(struct module_conf *conf)
{
	struct dirent **files[ARRAY_SIZE(conf_dirs)] = {};
	int cnt[ARRAY_SIZE(conf_dirs)] = {}, pos[ARRAY_SIZE(conf_dirs)] = {}, i, err = 0;
	char path[PATH_MAX];

	for (i = 0; i < (int)ARRAY_SIZE(conf_dirs); i++) {
		cnt[i] = scandir(conf_dirs[i], &files[i], is_conf, alphasort);
		if (cnt[i] < 0) {
			if (errno != ENOENT) {
				p_info("%s: %s", conf_dirs[i], strerror(errno));
				conf->bad_lines++;
			}
			files[i] = NULL;
			cnt[i] = 0;
		}
	}

	/* both folders as one, in the order of the names */
	while (!err && (pos[0] < cnt[0] || pos[1] < cnt[1])) {
		int order = pos[0] == cnt[0] ? 1 : pos[1] == cnt[1] ? -1 :
			    strcoll(files[0][pos[0]]->d_name, files[1][pos[1]]->d_name);
		int dir = order > 0;

		snprintf(path, sizeof(path), "%s/%s", conf_dirs[dir], files[dir][pos[dir]]->d_name);
		err = read_file(conf, path);
		pos[dir]++;
		if (!order)
			pos[1]++;
	}

	for (i = 0; i < (int)ARRAY_SIZE(conf_dirs); i++) {
		while (cnt[i]-- > 0)
			free(files[i][cnt[i]]);
		free(files[i]);
	}
	return err;
}

int module_conf_read(struct module_conf *conf)
{
	if (!read_dirs(conf))
		return 0;
	module_conf_free(conf);
	p_err("mem alloc failed");
	return -1;
}

void module_conf_free(struct module_conf *conf)
{
	while (conf->cnt-- > 0) {
		free(conf->lines[conf->cnt].name);
		free(conf->lines[conf->cnt].text);
	}
	free(conf->lines);
	memset(conf, 0, sizeof(*conf));
}

const struct module_conf_line *module_conf_next(const struct module_conf *conf,
						enum module_conf_kind kind, const char *name,
						const struct module_conf_line *prev)
{
	const struct module_conf_line *line = prev ? prev + 1 : conf->lines;

	for (; line && line < conf->lines + conf->cnt; line++)
		if (line->kind == kind && (!name || strcmp(line->name, name) == 0))
			return line;
	return NULL;
}
