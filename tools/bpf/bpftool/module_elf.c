// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * BPF modules in an object file: the texts for people in its sections.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main.h"
#include "module.h"

struct module_elf {
	int fd;
	Elf *elf;
	Elf_Data *modinfo;
	Elf_Data *license;
	Elf_Data *map_rels;
	Elf_Data *symbols;
	size_t strtab;
};

static void take_section(struct module_elf *elf, Elf_Scn *scn, size_t shstrndx)
{
	const char *name;
	GElf_Shdr shdr;

	if (!gelf_getshdr(scn, &shdr))
		return;

	name = elf_strptr(elf->elf, shstrndx, shdr.sh_name);
	if (shdr.sh_type == SHT_SYMTAB) {
		elf->symbols = elf_getdata(scn, NULL);
		elf->strtab = shdr.sh_link;
	} else if (name && strcmp(name, ".modinfo") == 0) {
		elf->modinfo = elf_getdata(scn, NULL);
	} else if (name && strcmp(name, "license") == 0) {
		elf->license = elf_getdata(scn, NULL);
	} else if (name && strcmp(name, ".rel.maps") == 0 && shdr.sh_type == SHT_REL) {
		elf->map_rels = elf_getdata(scn, NULL);
	}
}

struct module_elf *module_elf_open(const char *file)
{
	struct module_elf *elf;
	Elf_Scn *scn = NULL;
	size_t shstrndx;

	elf = calloc(1, sizeof(*elf));
	if (!elf) {
		p_err("mem alloc failed");
		return NULL;
	}

	elf_version(EV_CURRENT);
	elf->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (elf->fd < 0) {
		p_err("can't open %s: %s", file, strerror(errno));
		free(elf);
		return NULL;
	}

	elf->elf = elf_begin(elf->fd, ELF_C_READ_MMAP, NULL);
	if (!elf->elf || elf_getshdrstrndx(elf->elf, &shstrndx)) {
		p_err("can't read %s: %s", file, elf_errmsg(-1));
		module_elf_close(elf);
		return NULL;
	}

	while ((scn = elf_nextscn(elf->elf, scn)))
		take_section(elf, scn, shstrndx);
	return elf;
}

void module_elf_close(struct module_elf *elf)
{
	if (!elf)
		return;

	elf_end(elf->elf);
	close(elf->fd);
	free(elf);
}

/* The first text at or after @pos that ends within the section; padding between
 * texts is skipped.
 */
static const char *text_at(const Elf_Data *data, const char *pos)
{
	const char *end = data->d_buf + data->d_size;

	while (pos < end && !*pos)
		pos++;
	return pos < end && memchr(pos, '\0', end - pos) ? pos : NULL;
}

const char *module_elf_license(const struct module_elf *elf)
{
	return elf->license && elf->license->d_buf ?
		       text_at(elf->license, elf->license->d_buf) : NULL;
}

const char *module_elf_next_info(const struct module_elf *elf, const char *key, const char *prev)
{
	const char *text;

	if (!elf->modinfo || !elf->modinfo->d_buf)
		return NULL;

	text = prev ? prev + strlen(prev) : elf->modinfo->d_buf;
	while ((text = text_at(elf->modinfo, text))) {
		if (strncmp(text, key, strlen(key)) == 0 && text[strlen(key)] == '=')
			return text;
		text += strlen(text);
	}
	return NULL;
}

bool module_elf_is_weak(const struct module_elf *elf, const char *name)
{
	GElf_Sym sym;
	int i;

	if (!elf->symbols)
		return false;

	for (i = 0; gelf_getsym(elf->symbols, i, &sym); i++) {
		const char *sym_name = elf_strptr(elf->elf, elf->strtab, sym.st_name);

		if (sym_name && strcmp(sym_name, name) == 0)
			return GELF_ST_BIND(sym.st_info) == STB_WEAK;
	}
	return false;
}

bool module_elf_is_in_maps(const struct module_elf *elf, const char *prog)
{
	GElf_Rel rel;
	GElf_Sym sym;
	int i;

	if (!elf->map_rels || !elf->symbols)
		return false;

	for (i = 0; gelf_getrel(elf->map_rels, i, &rel); i++) {
		const char *name;

		if (!gelf_getsym(elf->symbols, GELF_R_SYM(rel.r_info), &sym))
			continue;
		name = elf_strptr(elf->elf, elf->strtab, sym.st_name);
		if (name && strcmp(name, prog) == 0)
			return true;
	}
	return false;
}
