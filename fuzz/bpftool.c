// SPDX-License-Identifier: GPL-2.0
/* What the files of bpftool take from its main.c, which has a main() of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "main.h"

const char *bin_name = "bpftool";
json_writer_t *json_wtr;
bool json_output, show_pinned, block_mount, verifier_logs, relaxed_maps;
struct hashmap *refs_table;

static FILE *terminal;
static char *text;
static size_t text_size;

int cmd_select(const struct cmd *cmds, int argc, char **argv, int (*help)(int argc, char **argv))
{
	return argc ? cmds->func(argc, argv) : help(argc, argv);
}

bool is_prefix(const char *word, const char *whole)
{
	return strncmp(word, whole, strlen(word)) == 0;
}

void usage(void)
{
	abort();
}

/* pids.c needs a skeleton and a kernel */
int build_obj_refs_table(struct hashmap **table, enum bpf_obj_type type)
{
	return -1;
}

void delete_obj_refs_table(struct hashmap *table)
{
}

void emit_obj_refs_json(struct hashmap *table, __u32 id, json_writer_t *json_writer)
{
}

void emit_obj_refs_plain(struct hashmap *table, __u32 id, const char *prefix)
{
}

/* link.c asks a kernel */
int link_visit(int fd, link_visit_fn visit, void *ctx)
{
	return -1;
}

void link_target_json(struct bpf_link_info *info)
{
}

void link_target_plain(struct bpf_link_info *info)
{
}

void link_free_syms(void)
{
}

/* prog.c does, too */
int dump_prog_xlated(int fd)
{
	return -1;
}

void fuzz_begin_output(bool json)
{
	terminal = stdout;
	stdout = open_memstream(&text, &text_size);
	EXPECT(stdout);
	json_output = json;
	json_wtr = json ? jsonw_new(stdout) : NULL;
}

/* What is printed as JSON is a whole value, of characters that JSON has: all that was
 * opened is closed.
 */
static void check_json(void)
{
	bool in_string = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < text_size; i++) {
		unsigned char c = text[i];

		EXPECT(c >= 0x20 || (c == '\n' && i == text_size - 1));
		if (c >= 0x80) {
			EXPECT(in_string && jsonw_utf8_len(text + i) > 1);
			i += jsonw_utf8_len(text + i) - 1;
			continue;
		}
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && strchr("{[", text[i]))
			depth++;
		else if (!in_string && strchr("}]", text[i]))
			depth--;
		EXPECT(depth >= 0);
	}
	EXPECT(!in_string && !depth);
}

void fuzz_end_output(void)
{
	if (json_wtr)
		jsonw_destroy(&json_wtr);
	fclose(stdout);
	stdout = terminal;
	if (json_output)
		check_json();
	json_output = false;
	free(text);
	text = NULL;
}
