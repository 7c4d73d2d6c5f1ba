// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Tables for people.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

struct module_table {
	const struct module_column *columns;
	int column_cnt;
	char **cells; /* row by row, NULL for empty ones */
	size_t row_cnt;
	int err;
};

struct module_table *module_table_new(const struct module_column *columns)
{
	struct module_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	while (columns[table->column_cnt].title)
		table->column_cnt++;
	return table;
}

void module_table_row(struct module_table *table)
{
	char **cells;

	cells = libbpf_reallocarray(table->cells, (table->row_cnt + 1) * table->column_cnt,
				    sizeof(*cells));
	if (!cells) {
		table->err = -ENOMEM;
		return;
	}
	table->cells = cells;
	memset(cells + table->row_cnt++ * table->column_cnt, 0,
	       table->column_cnt * sizeof(*cells));
}

static char **table_cell(const struct module_table *table, size_t row, int column)
{
	return &table->cells[row * table->column_cnt + column];
}

void module_table_set(struct module_table *table, int column, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	if (table->err)
		return;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		table->err = -ENOMEM;
		return;
	}
	free(*table_cell(table, table->row_cnt - 1, column));
	*table_cell(table, table->row_cnt - 1, column) = text;
}

static int column_width(const struct module_table *table, int column)
{
	int width = strlen(table->columns[column].title);
	size_t i;

	for (i = 0; i < table->row_cnt; i++) {
		const char *text = *table_cell(table, i, column);

		width = max(width, text ? (int)strlen(text) : 0);
	}
	return width;
}

/* Numbers are aligned to the right, and lines have no trailing blanks. */
static void print_row(const struct module_table *table, const char * const *texts,
		      const int *width)
{
	int c, last = table->column_cnt - 1;

	while (last > 0 && (!texts[last] || !*texts[last]))
		last--;
	for (c = 0; c <= last; c++) {
		const char *text = texts[c] ?: "";

		if (table->columns[c].is_number)
			printf("%*s", width[c], text);
		else
			printf("%-*s", c < last ? width[c] : 0, text);
		printf("%s", c < last ? "  " : "\n");
	}
}

static int print_rows(const struct module_table *table)
{
	const char **titles = calloc(table->column_cnt, sizeof(*titles));
	int *width = calloc(table->column_cnt, sizeof(*width)), c;
	size_t i;

	for (c = 0; titles && width && c < table->column_cnt; c++) {
		titles[c] = table->columns[c].title;
		width[c] = column_width(table, c);
	}
	if (titles && width)
		print_row(table, titles, width);
	for (i = 0; titles && width && i < table->row_cnt; i++)
		print_row(table, (const char * const *)table_cell(table, i, 0), width);
	c = titles && width ? 0 : -ENOMEM;
	free(titles);
	free(width);
	return c;
}

int module_table_print(struct module_table *table)
{
	size_t i;
	int err;

	err = table->err ?: table->row_cnt ? print_rows(table) : 0;
	for (i = 0; i < table->row_cnt * table->column_cnt; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	return err;
}
