// SPDX-License-Identifier: GPL-2.0
/* modules.d/ *.conf: the part of the input after a NUL is the second folder's file. */
#include <string.h>

#include "fuzz.h"
#include "main.h"
#include "module.h"

static void check_line(const struct module_conf_line *line)
{
	EXPECT(*line->file);
	if (line->kind == MODULE_CONF_BAD) {
		EXPECT(*line->text);
		return;
	}
	EXPECT(module_is_name(line->name));
	if (line->kind == MODULE_CONF_OPTIONS)
		EXPECT(strchr(line->text, '=') > line->text);
	if (line->kind == MODULE_CONF_ALIAS)
		EXPECT(module_is_name(line->text));
}

static void check_conf(const struct module_conf *conf)
{
	const struct module_conf_line *line;
	size_t seen = 0;
	int kind;

	for (kind = MODULE_CONF_LOAD; kind <= MODULE_CONF_BAD; kind++) {
		line = NULL;
		while ((line = module_conf_next(conf, kind, NULL, line))) {
			check_line(line);
			EXPECT(module_conf_next(conf, kind, line->name, NULL));
			seen++;
		}
	}
	EXPECT(seen == conf->cnt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = memchr(data, 0, size);
	size_t first = split ? (size_t)(split - data) : size;
	struct module_conf conf = {};

	fuzz_add_file("/etc/bpf/modules.d/a.conf", data, first);
	if (split) {
		fuzz_add_file("/usr/lib/bpf/modules.d/a.conf", "load hidden", 11);
		fuzz_add_file("/usr/lib/bpf/modules.d/b.conf", split + 1, size - first - 1);
	}

	fuzz_begin_output(true);
	EXPECT(!module_conf_read(&conf));
	fuzz_end_output();
	check_conf(&conf);
	EXPECT(!module_conf_next(&conf, MODULE_CONF_LOAD, "hidden", NULL) ||
	       memmem(data, size, "hidden", 6));
	module_conf_free(&conf);
	fuzz_forget_files();
	return 0;
}
