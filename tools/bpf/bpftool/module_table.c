// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The list of BPF modules as a table for people.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/hashmap.h>

#include "main.h"
#include "module.h"

enum { ID, NAME, STATE, USERS, OPS, LINKS, MEMORY, AGE, LOADER, COLUMNS };

static const struct {
	const char *title;
	bool is_number;
} columns[COLUMNS] = {
	[ID]		= { "ID" },
	[NAME]		= { "NAME" },
	[STATE]		= { "STATE" },
	[USERS]		= { "USERS", true },
	[OPS]		= { "OPS", true },
	[LINKS]		= { "LINKS", true },
	[MEMORY]	= { "MEMORY", true },
	[AGE]		= { "AGE", true },
	[LOADER]	= { "LOADER" },
};

struct row {
	char cells[COLUMNS][BPF_MODULE_NAME_LEN];
};

static void fill_cell(struct row *row, int column, const struct bpf_module_info *info)
{
	const size_t size = sizeof(row->cells[column]);
	char *cell = row->cells[column];

	switch (column) {
	case ID:
		if (info->id)
			snprintf(cell, size, "%u", info->id);
		else
			snprintf(cell, size, "-");
		break;
	case NAME:
		snprintf(cell, size, "%s", info->name);
		break;
	case STATE:
		snprintf(cell, size, "%s", module_state_name(info->state));
		break;
	case USERS:
		snprintf(cell, size, "%llu", info->users);
		break;
	case OPS:
		snprintf(cell, size, "%u", info->ops_cnt);
		break;
	case LINKS:
		snprintf(cell, size, "%u", info->links_cnt);
		break;
	case MEMORY:
		module_format_memory(cell, size, info->memory);
		break;
	case AGE:
		module_format_age(cell, size, info->load_time);
		break;
	default: /* LOADER */
		module_format_user(cell, size, info->uid);
		break;
	}
}

/* As wide as the widest, numbers to the right. */
static void print_cell(int column, const char *text, const int *width)
{
	printf(columns[column].is_number ? "%*s" : "%-*s", width[column], text);
	if (column < COLUMNS - 1)
		printf("  ");
}

static void print_rows(const struct module *mods, const struct row *rows, size_t cnt,
		       const int *width, const struct hashmap *pins)
{
	struct hashmap_entry *entry;
	size_t i;
	int c;

	for (c = 0; c < COLUMNS; c++)
		print_cell(c, columns[c].title, width);
	printf("%s\n", pins ? "  PINNED" : "");

	for (i = 0; i < cnt; i++) {
		for (c = 0; c < COLUMNS; c++)
			print_cell(c, rows[i].cells[c], width);
		if (mods[i].pin)
			printf("  %s", module_text(mods[i].pin));
		else if (pins && mods[i].info.id)
			hashmap__for_each_key_entry(pins, entry, (long)mods[i].info.id)
				printf("  %s", module_text(entry->pvalue));
		printf("\n");
	}
}

int module_print_table(const struct module *mods, size_t cnt, const struct hashmap *pins)
{
	int width[COLUMNS], c;
	struct row *rows;
	size_t i;

	if (!cnt)
		return 0;

	rows = calloc(cnt, sizeof(*rows));
	if (!rows)
		return -ENOMEM;

	for (c = 0; c < COLUMNS; c++) {
		width[c] = strlen(columns[c].title);
		for (i = 0; i < cnt; i++) {
			fill_cell(&rows[i], c, &mods[i].info);
			width[c] = max_t(int, width[c], strlen(rows[i].cells[c]));
		}
	}
	if (!pins)
		width[COLUMNS - 1] = 0; /* nothing follows */
	print_rows(mods, rows, cnt, width, pins);
	free(rows);
	return 0;
}
