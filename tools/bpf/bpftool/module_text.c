// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Texts from object files, for a terminal: the author of a file decides what they say, but
 * must not control the terminal or fake lines of bpftool.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

/* The escaped copies, until module_free_texts(). */
static struct text {
	struct text *next;
	char *text;
} *texts;

/* Control characters are those of ASCII, and U+0080 to U+009F. */
static bool is_plain(const char *c, int len)
{
	const unsigned char *u = (const unsigned char *)c;

	return len && u[0] >= 0x20 && u[0] != 0x7f && !(len == 2 && u[0] == 0xc2 && u[1] < 0xa0);
}

static bool is_plain_text(const char *text)
{
	int len;

	for (; *text; text += len) {
		len = jsonw_utf8_len(text);
		if (!is_plain(text, len))
			return false;
	}
	return true;
}

/* As in C. */
static void put_escaped(FILE *f, const char *c, int len)
{
	static const char codes[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
	const char *code = strchr(codes, *c);
	int i;

	if (code && *code) {
		fprintf(f, "\\%c", letters[code - codes]);
		return;
	}
	for (i = 0; i < max(len, 1); i++)
		fprintf(f, "\\x%02hhx", c[i]);
}

static char *escape(const char *text)
{
	char *escaped = NULL;
	size_t size;
	FILE *f;
	int len;

	f = open_memstream(&escaped, &size);
	if (!f)
		return NULL;
	for (; *text; text += max(len, 1)) {
		len = jsonw_utf8_len(text);
		if (is_plain(text, len))
			fwrite(text, 1, len, f);
		else
			put_escaped(f, text, len);
	}
	fclose(f);
	return escaped;
}

const char *module_text(const char *text)
{
	struct text *kept;

	if (is_plain_text(text))
		return text;

	kept = calloc(1, sizeof(*kept));
	if (kept)
		kept->text = escape(text);
	if (!kept || !kept->text) {
		free(kept);
		return "?";
	}
	kept->next = texts;
	texts = kept;
	return kept->text;
}

void module_free_texts(void)
{
	struct text *kept;

	while ((kept = texts)) {
		texts = kept->next;
		free(kept->text);
		free(kept);
	}
}
