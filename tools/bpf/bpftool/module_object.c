// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Opening an object, and what is wrong with a file that is not one: libbpf only returns
 * an error number for that, which can mean other things.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"

#ifndef EM_BPF
#define EM_BPF 247
#endif

struct sections {
	bool has_btf;
	bool has_symbols;
};

static int file_error(const char *file, const char *why)
{
	p_err("can't open %s: %s", file, why);
	return -1;
}

/* Does not wait for the other end of a pipe. */
static int open_file(const char *file)
{
	struct stat st;
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		file_error(file, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		file_error(file, strerror(EISDIR));
	else if (!S_ISREG(st.st_mode))
		file_error(file, "it is not a regular file");
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int find_sections(Elf *elf, struct sections *found)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t shstrndx;
	GElf_Shdr shdr;

	if (elf_getshdrstrndx(elf, &shstrndx))
		return -1;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			return -1;
		name = elf_strptr(elf, shstrndx, shdr.sh_name);
		found->has_symbols |= shdr.sh_type == SHT_SYMTAB;
		found->has_btf |= name && strcmp(name, ".BTF") == 0;
	}
	return 0;
}

/* The table of sections comes last in an object; if it is cut off, libelf finds none. */
static bool is_cut_off(Elf *elf, const GElf_Ehdr *header)
{
	size_t size = 0;

	elf_rawfile(elf, &size);
	return header->e_shoff > size ||
	       (size_t)header->e_shnum * header->e_shentsize > size - header->e_shoff;
}

static int check_elf(const char *file, Elf *elf)
{
	struct sections found = {};
	GElf_Ehdr header;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return file_error(file, "it is not an ELF file");
	if (header.e_type != ET_REL || (header.e_machine != EM_BPF && header.e_machine != EM_NONE))
		return file_error(file, "it is not an object of BPF programs");

	if (is_cut_off(elf, &header) || find_sections(elf, &found))
		p_err("can't open %s: it is cut off or damaged", file);
	else if (!found.has_btf)
		p_err("no BTF in %s; compile with -g", file);
	else if (!found.has_symbols)
		p_err("no symbols in %s, it was stripped; 'llvm-strip -g' leaves what is needed",
		      file);
	else
		return 0;
	return -1;
}

static int check_btf(const char *file)
{
	struct btf *btf;
	int err;

	btf = btf__parse_elf(file, NULL);
	if (!btf) {
		p_err("the BTF of %s is broken: %s", file, strerror(errno));
		return -1;
	}
	err = module_btf_check(btf, file);
	btf__free(btf);
	return err;
}

static int check_object(const char *file)
{
	Elf *elf;
	int fd, err;

	fd = open_file(file);
	if (fd < 0)
		return -1;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	err = check_elf(file, elf);
	elf_end(elf);
	close(fd);
	return err ?: check_btf(file);
}

struct bpf_object *module_open_object(const char *file)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .relaxed_maps = relaxed_maps);
	struct bpf_object *obj;

	if (check_object(file))
		return NULL;

	if (verifier_logs)
		/* log_level1 + log_level2 + stats, but not stable UAPI */
		opts.kernel_log_level = 1 + 2 + 4;

	obj = bpf_object__open_file(file, &opts);
	if (!obj)
		module_object_error("open", file);
	return obj;
}
