// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the files in modules.d say about modules, by name.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "main.h"
#include "module.h"

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

/* Where a line is. */
struct place {
	const char *file;
	unsigned int number;
};

static int add_line(struct module_conf *conf, const struct place *at, enum module_conf_kind kind,
		    const char *name, const char *text)
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
	line->file = strdup(at->file);
	line->number = at->number;
	return line->name && line->text && line->file ? 0 : -ENOMEM;
}

/* Invalid lines are skipped, and reported by whoever reads the lines. */
static int __printf(3, 4) add_bad(struct module_conf *conf, const struct place *at,
				  const char *fmt, ...)
{
	char *text;
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (err < 0)
		return -ENOMEM;

	err = add_line(conf, at, MODULE_CONF_BAD, "", text);
	free(text);
	return err;
}

static int add_args(struct module_conf *conf, const struct place *at, enum module_conf_kind kind,
		    char **args, int cnt)
{
	int i, err = 0;

	if (kind == MODULE_CONF_ALIAS)
		return add_line(conf, at, kind, args[1], args[0]);
	if (kind != MODULE_CONF_OPTIONS)
		return add_line(conf, at, kind, args[0], "");
	for (i = 1; i < cnt && !err; i++)
		err = add_line(conf, at, kind, args[0], args[i]);
	return err;
}

/* A path may have a '=' in it, a parameter's name has no '/'. */
bool module_is_param(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && equals != word && !memchr(word, '/', equals - word);
}

/* The first argument that is not of the required form, NULL if all are. */
static const char *find_bad_arg(const struct directive *d, char **args, int cnt)
{
	int i;

	for (i = 0; i < cnt; i++)
		if (d->kind == MODULE_CONF_OPTIONS && i ? !module_is_param(args[i]) :
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

static int read_words(struct module_conf *conf, const struct place *at, char **words, int cnt)
{
	const struct directive *d = find_directive(words[0]);
	const char *bad;

	if (!d)
		return add_bad(conf, at, "'%s' is not one of load, options, blacklist, alias",
			       words[0]);
	if (cnt - 1 < d->min_args || cnt - 1 > d->max_args)
		return add_bad(conf, at, "write '%s'", d->form);
	bad = find_bad_arg(d, words + 1, cnt - 1);
	if (bad)
		return add_bad(conf, at, "'%s' does not fit '%s'", bad, d->form);
	return add_args(conf, at, d->kind, words + 1, cnt - 1);
}

static int read_line(struct module_conf *conf, const struct place *at, char *line)
{
	char *words[MAX_WORDS + 1], *rest = line, *word;
	int cnt = 0;

	line[strcspn(line, "#")] = '\0';
	while ((word = strsep(&rest, " \t\r\n"))) {
		if (!*word)
			continue;
		if (cnt > MAX_WORDS)
			return add_bad(conf, at, "more than %d words", MAX_WORDS);
		words[cnt++] = word;
	}
	return cnt ? read_words(conf, at, words, cnt) : 0;
}

/* Administrators hide a file by linking it to /dev/null. */
static bool is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* NULL with the reason in @why. Does not wait for the other end of a pipe. */
static FILE *open_file(const char *path, const char **why)
{
	struct stat st;
	FILE *f;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		*why = strerror(errno);
	} else if (!S_ISREG(st.st_mode) && !is_dev_null(&st)) {
		*why = S_ISDIR(st.st_mode) ? strerror(EISDIR) : "it is not a regular file";
	} else {
		f = fdopen(fd, "r");
		if (f)
			return f;
		*why = strerror(errno);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int read_file(struct module_conf *conf, const char *path)
{
	struct place at = { .file = path }, whole = at;
	char *line = NULL;
	size_t size = 0;
	int err = 0;
	const char *why;
	ssize_t len;
	FILE *f;

	f = open_file(path, &why);
	if (!f)
		return add_bad(conf, &whole, "%s", why);

	while (!err && (len = getline(&line, &size, f)) >= 0) {
		at.number++;
		err = strlen(line) == (size_t)len ? read_line(conf, &at, line) :
						    add_bad(conf, &at, "a character of value 0");
	}
	if (!err && ferror(f))
		err = add_bad(conf, &whole, "%s", strerror(errno));
	free(line);
	fclose(f);
	return err;
}

/* A file in modules.d, and the folder that it is in. */
struct conf_file {
	char *name;
	size_t dir;
};

static int compare_files(const void *a, const void *b)
{
	const struct conf_file *one = a, *two = b;
	int order = strcmp(one->name, two->name);

	return order ?: one->dir < two->dir ? -1 : 1;
}

static int is_conf(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && ending && strcmp(ending, ".conf") == 0;
}

/* The files own the names from now on, even if it fails. */
static int add_files(struct conf_file **files, size_t *cnt, struct dirent **entries,
		     int entry_cnt, size_t dir)
{
	struct conf_file *tmp;
	int i, err = 0;

	tmp = realloc(*files, (*cnt + entry_cnt + 1) * sizeof(*tmp));
	if (tmp)
		*files = tmp;
	for (i = 0; i < entry_cnt; i++) {
		char *name = tmp ? strdup(entries[i]->d_name) : NULL;

		free(entries[i]);
		if (name)
			tmp[(*cnt)++] = (struct conf_file){ name, dir };
		else
			err = -ENOMEM;
	}
	free(entries);
	return err;
}

static int list_files(struct module_conf *conf, struct conf_file **files, size_t *cnt)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int entry_cnt, err = 0;
	size_t i;

	for (i = 0; i < MODULE_DIR_CNT && !err; i++) {
		struct place at = { .file = path };

		snprintf(path, sizeof(path), "%s/modules.d", module_dirs[i]);
		entry_cnt = scandir(path, &entries, is_conf, NULL);
		if (entry_cnt >= 0)
			err = add_files(files, cnt, entries, entry_cnt, i);
		else if (errno != ENOENT)
			err = add_bad(conf, &at, "%s", strerror(errno));
	}
	return err;
}

/* Read all folders as if they were one, in the order of the files' names. */
static int read_dirs(struct module_conf *conf)
{
	struct conf_file *files = NULL;
	char path[PATH_MAX];
	size_t cnt = 0, i;
	int err;

	err = list_files(conf, &files, &cnt);
	if (files)
		qsort(files, cnt, sizeof(*files), compare_files);

	for (i = 0; i < cnt && !err; i++) {
		/* hidden by that of an earlier folder */
		if (i && strcmp(files[i].name, files[i - 1].name) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/modules.d/%s", module_dirs[files[i].dir],
			 files[i].name);
		err = read_file(conf, path);
	}

	while (cnt-- > 0)
		free(files[cnt].name);
	free(files);
	return err;
}

static void print_bad(const struct module_conf_line *line)
{
	char number[16] = "";

	if (line->number)
		snprintf(number, sizeof(number), ":%u", line->number);
	if (json_output)
		p_err("%s%s: %s", line->file, number, line->text);
	else
		p_info("%s%s: %s", module_text(line->file), number, module_text(line->text));
}

static void print_all_bad(const struct module_conf *conf)
{
	const struct module_conf_line *line = NULL;

	while ((line = module_conf_next(conf, MODULE_CONF_BAD, NULL, line)))
		print_bad(line);
}

int module_conf_read(struct module_conf *conf)
{
	if (read_dirs(conf)) {
		module_conf_free(conf);
		p_err("mem alloc failed");
		return -1;
	}
	if (!json_output)
		print_all_bad(conf);
	module_free_texts();
	return 0;
}

int module_conf_check(const struct module_conf *conf)
{
	if (json_output)
		print_all_bad(conf);
	return module_conf_next(conf, MODULE_CONF_BAD, NULL, NULL) ? -1 : 0;
}

void module_conf_free(struct module_conf *conf)
{
	while (conf->cnt-- > 0) {
		free(conf->lines[conf->cnt].name);
		free(conf->lines[conf->cnt].text);
		free(conf->lines[conf->cnt].file);
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
		if (line->kind == kind && (!name || module_names_match(line->name, name)))
			return line;
	return NULL;
}

const struct module_conf_line *module_conf_next_option(const struct module_conf *conf,
						       const char *name,
						       const struct module_conf_line *prev)
{
	const char *target = module_conf_resolve(conf, name);

	while ((prev = module_conf_next(conf, MODULE_CONF_OPTIONS, NULL, prev)))
		if (module_names_match(prev->name, name) || module_names_match(prev->name, target))
			break;
	return prev;
}

const struct module_conf_line *module_conf_blacklist(const struct module_conf *conf,
						     const char *name)
{
	return module_conf_next(conf, MODULE_CONF_BLACKLIST, name, NULL) ?:
	       module_conf_next(conf, MODULE_CONF_BLACKLIST, module_conf_resolve(conf, name), NULL);
}

/* The first of several counts, as with the lines that modprobe gets. */
const struct module_conf_line *module_conf_alias(const struct module_conf *conf,
						 const char *name)
{
	const struct module_conf_line *line = NULL;

	while ((line = module_conf_next(conf, MODULE_CONF_ALIAS, NULL, line)))
		if (module_names_match(line->text, name))
			return line;
	return NULL;
}

const char *module_conf_resolve(const struct module_conf *conf, const char *name)
{
	const struct module_conf_line *alias = module_conf_alias(conf, name);

	return alias ? alias->name : name;
}
