// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The description of a loaded module: texts that bpf_module.h has put into the BTF of
 * its object, as tags "module:KEY=TEXT".
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define TAG "module:"

const char * const module_desc_keys[MODULE_DESC_KEYS] = { "description", "author", "version" };

/* The next text of @key after the type *id, NULL after the last one. */
static const char *next_text(const struct btf *btf, const char *key, __u32 *id)
{
	const size_t len = strlen(key);

	while (btf && ++*id < btf__type_cnt(btf)) {
		const struct btf_type *t = btf__type_by_id(btf, *id);
		const char *tag = btf__name_by_offset(btf, t->name_off);

		if (!btf_is_decl_tag(t) || !tag || !str_has_pfx(tag, TAG))
			continue;
		tag += strlen(TAG);
		if (strncmp(tag, key, len) == 0 && tag[len] == '=')
			return tag + len + 1;
	}
	return NULL;
}

void module_print_desc_plain(const struct btf *btf)
{
	const char *text;
	size_t i;
	__u32 id;

	for (i = 0; i < MODULE_DESC_KEYS; i++)
		for (id = 0; (text = next_text(btf, module_desc_keys[i], &id));)
			printf("%-9s %s\n", module_desc_keys[i], module_text(text));
}

void module_print_desc_json(const struct btf *btf)
{
	const char *text;
	size_t i;
	__u32 id;

	for (i = 0; i < MODULE_DESC_KEYS; i++) {
		jsonw_name(json_wtr, module_desc_keys[i]);
		jsonw_start_array(json_wtr);
		for (id = 0; (text = next_text(btf, module_desc_keys[i], &id));)
			jsonw_string(json_wtr, text);
		jsonw_end_array(json_wtr);
	}
}

const char *module_param_desc(const struct btf *btf, const char *param)
{
	size_t len = strlen(param);
	const char *text;
	__u32 id = 0;

	while ((text = next_text(btf, "parm", &id)))
		if (strncmp(text, param, len) == 0 && text[len] == ':')
			return text + len + 1;
	return NULL;
}
