// SPDX-License-Identifier: GPL-2.0
/* bpf_module__set_param(): the input is "NAME=VALUE", more of it after each NUL. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fuzz.h"

#define MAX_MAPS 16

static void *values[MAX_MAPS];
static struct bpf_object *obj;
static struct bpf_module *mod;

static void open_object(void)
{
	size_t size;
	uint8_t *image = fuzz_edit_object(NULL, 0, &size, true);

	obj = bpf_object__open_mem(image, size, NULL);
	EXPECT(obj);
	mod = bpf_object__next_module(obj, NULL);
	EXPECT(mod);
}

static void keep(int i, const void *value, size_t size)
{
	values[i] = realloc(values[i], size);
	EXPECT(values[i]);
	memcpy(values[i], value, size);
}

/* Keep what all maps and ops hold, or compare it with what was kept. */
static void visit_values(bool compare)
{
	struct bpf_map *map;
	const void *value;
	size_t size;
	int i = 0;

	bpf_object__for_each_map(map, obj) {
		value = bpf_map__initial_value(map, &size);
		if (!value || i == MAX_MAPS)
			continue;
		if (compare)
			EXPECT(!memcmp(values[i], value, size));
		else
			keep(i, value, size);
		i++;
	}
}

static void set(char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		return;

	*value++ = '\0';
	visit_values(false);
	/* what is refused changes nothing */
	if (bpf_module__set_param(mod, text, value))
		visit_values(true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *pos;

	if (!obj)
		open_object();

	text = malloc(size + 1);
	EXPECT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (pos = text; pos <= text + size; ) {
		char *next = pos + strlen(pos) + 1;

		set(pos);
		pos = next;
	}
	free(text);
	return 0;
}
