// SPDX-License-Identifier: GPL-2.0
/* Opening an object with modules, and setting what its own BTF calls parameters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>
#include <linux/bpf_module.h>

#include "fuzz.h"

static const char * const texts[] = { "1", "-1", "0x7f", "y", "a", "18446744073709551615",
				      "1,2,3,4", "text", "COLOR_RED", "" };

static void set_all(struct bpf_module *mod, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		bpf_module__set_param(mod, name, texts[i]);
}

static void set_variables(const struct bpf_object *obj, struct bpf_module *mod)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t;
	uint32_t id;

	for (id = 1; id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		if (btf_is_var(t))
			set_all(mod, btf__name_by_offset(btf, t->name_off));
	}
}

static void set_members(const struct bpf_object *obj, struct bpf_module *mod)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t;
	struct bpf_map *map;
	char name[128];
	int i;

	bpf_object__for_each_map(map, obj) {
		if (bpf_map__module(map) != mod)
			continue;
		t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
		EXPECT(t && btf_is_struct(t));
		for (i = 0; i < btf_vlen(t); i++) {
			snprintf(name, sizeof(name), "%s.%s", bpf_map__name(map),
				 btf__name_by_offset(btf, btf_members(t)[i].name_off));
			set_all(mod, name);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_module *mod;
	struct bpf_object *obj;
	size_t image_size;
	uint8_t *image;

	image = fuzz_edit_object(data, size, &image_size, true);
	if (!image)
		return 0;

	obj = bpf_object__open_mem(image, image_size, NULL);
	if (obj) {
		bpf_object__for_each_module(mod, obj) {
			EXPECT(strlen(bpf_module__name(mod)) < BPF_MODULE_NAME_LEN);
			EXPECT(bpf_object__find_module_by_name(obj, bpf_module__name(mod)));
			EXPECT(bpf_module__fd(mod) == -1);
			set_variables(obj, mod);
			set_members(obj, mod);
		}
	}
	bpf_object__close(obj);
	free(image);
	return 0;
}
