// SPDX-License-Identifier: GPL-2.0
/*
 * Objects to read: a seed that clang made, with bytes changed in those sections
 * whose content BPF modules read. An input is a row of edits:
 *
 *	section (1 byte, modulo), offset (2, modulo its size), length (1), bytes
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "fuzz.h"

#define MAX_SECTIONS 32
#define MAX_DEPTH 16

static uint8_t *seed;
static size_t seed_size;
static Elf64_Shdr *sections[MAX_SECTIONS], *btf_section;
static int section_cnt;

void fuzz_fail(const char *file, int line, const char *cond)
{
	fprintf(stderr, "%s:%d: expected: %s\n", file, line, cond);
	abort();
}

static bool is_edited(const char *name)
{
	static const char * const prefixes[] = { ".module", "?.module", ".modinfo", "license",
						 ".rodata", ".strtab", ".BTF" };
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return strcmp(name, ".BTF.ext") != 0;
	return false;
}

static void find_sections(void)
{
	Elf64_Ehdr *header = (void *)seed;
	Elf64_Shdr *all = (void *)(seed + header->e_shoff);
	const char *names = (char *)seed + all[header->e_shstrndx].sh_offset;
	int i;

	for (i = 1; i < header->e_shnum && section_cnt < MAX_SECTIONS; i++) {
		const char *name = names + all[i].sh_name;

		if (!all[i].sh_size || all[i].sh_type == SHT_NOBITS || !is_edited(name))
			continue;
		if (strcmp(name, ".BTF") == 0)
			btf_section = &all[i];
		sections[section_cnt++] = &all[i];
	}
	EXPECT(btf_section && section_cnt > 2);
}

static void read_seed(void)
{
	const char *path = getenv("FUZZ_SEED");
	FILE *f = fopen(path ? path : "", "rb");

	EXPECT(f && !fseek(f, 0, SEEK_END));
	seed_size = ftell(f);
	EXPECT(!fseek(f, 0, SEEK_SET));
	seed = malloc(seed_size);
	EXPECT(seed && fread(seed, 1, seed_size, f) == seed_size);
	fclose(f);
	find_sections();
}

static void apply(uint8_t *obj, const uint8_t *edits, size_t size)
{
	while (size > 4) {
		const Elf64_Shdr *sec = sections[edits[0] % section_cnt];
		size_t off = (edits[1] | edits[2] << 8) % sec->sh_size;
		size_t len = edits[3] % 16 + 1;

		edits += 4;
		size -= 4;
		if (len > size)
			len = size;
		memcpy(obj + sec->sh_offset + off, edits, len < sec->sh_size - off ?
		       len : sec->sh_size - off);
		edits += len;
		size -= len;
	}
}

/* Does the type end somewhere? libbpf follows typedefs and qualifiers without asking. */
static bool ends(const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int i;

	if (!t || depth > MAX_DEPTH)
		return false;
	if (btf_is_mod(t) || btf_is_typedef(t) || btf_is_var(t))
		return ends(btf, t->type, depth + 1);
	if (btf_is_array(t))
		return ends(btf, btf_array(t)->type, depth + 1);
	for (i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
		if (!ends(btf, btf_members(t)[i].type, depth + 1))
			return false;
	return true;
}

/* Can libbpf be asked to open it? */
static bool is_sound(const uint8_t *data, size_t size)
{
	struct btf *btf = btf__new(data, size);
	bool sound = btf;
	uint32_t id;

	for (id = 1; sound && id < btf__type_cnt(btf); id++)
		sound = ends(btf, id, 0);
	btf__free(btf);
	return sound;
}

uint8_t *fuzz_edit_object(const uint8_t *edits, size_t edits_size, size_t *size, bool for_libbpf)
{
	uint8_t *obj;

	if (!seed)
		read_seed();
	obj = malloc(seed_size);
	EXPECT(obj);
	memcpy(obj, seed, seed_size);
	apply(obj, edits, edits_size);
	if (for_libbpf && !is_sound(obj + btf_section->sh_offset, btf_section->sh_size)) {
		free(obj);
		return NULL;
	}
	*size = seed_size;
	return obj;
}

/* What libbpf warns of is what it found, not a finding. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	/* format all the same: a bad argument would show */
	vsnprintf(line, sizeof(line), format, args);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	libbpf_set_print(say_nothing);
	return 0;
}
