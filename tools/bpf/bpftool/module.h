/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef __BPFTOOL_MODULE_H
#define __BPFTOOL_MODULE_H

#include <linux/bpf_module.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

struct bpf_map;
struct bpf_object;
struct btf;
struct btf_member;
struct hashmap;

/* A module with all its arrays. */
struct module {
	struct bpf_module_info info;
	struct bpf_module_ops_info *ops;
	__u32 *prog_ids;
	__u32 *map_ids;
};

/* Consume the words of a MODULE: an fd, or -1 with the error printed. */
int module_parse_fd(int *argc, char ***argv);

/* What a negative error means to a person. */
const char *module_strerror(int err);
/* Print that a module's info could not be had, return -1. */
int module_info_error(int err);

/* Open the next module after *id. Modules that vanish meanwhile are skipped.
 * Returns an fd, -ENOENT after the last one, or another negative error.
 */
int module_open_next(__u32 *id);

/* One fact of a module for people: "live"; "9.7 KiB"; time since it was loaded;
 * name of a user, the number if there is none.
 */
const char *module_state_name(__u32 state);
void module_format_memory(char *buf, size_t size, __u64 bytes);
void module_format_age(char *buf, size_t size, __u64 load_time);
void module_format_user(char *buf, size_t size, __u32 uid);

/* With the paths by id in @pins, if it is not NULL: 0 or a negative error. */
int module_print_table(const struct module *mods, size_t cnt, const struct hashmap *pins);

/* The plain facts of a module, without its arrays: 0 or a negative error. */
int module_get_info(int fd, struct bpf_module_info *info);

/* All facts but the values of the ops. To be freed by module_free(), also when
 * it fails with a negative error.
 */
int module_read(int fd, struct module *mod);
/* After module_read(): the values of the ops. */
int module_read_values(int fd, struct module *mod);
void module_free(struct module *mod);

/* BTF of the kernel or of a kernel module by its id, kept until
 * module_free_kernel_btf(). NULL if it can't be had.
 */
const struct btf *module_kernel_btf(__u32 id);
void module_free_kernel_btf(void);

/* From _begin() to _end() keep what libbpf warns of, to be shown if it tells why
 * something failed.
 */
libbpf_print_fn_t module_warnings_begin(void);
void module_warnings_end(libbpf_print_fn_t old_print);
/* NULL with the error printed; between _begin() and _end(). */
struct bpf_object *module_open_object(const char *file);

/* A parameter: where it is, and what it is. */
struct module_param {
	const char *name; /* "beta", "cubic.name" */
	const struct btf *btf;
	__u32 type_id;
	const void *data;
};

typedef void (*visit_param_fn)(const struct module_param *param, void *ctx);

/* What of the type @type_id is at @offset of @data; NULL if that does not end within
 * @size: the BTF of a file can say anything.
 */
const void *module_data_at(const struct btf *btf, __u32 type_id, const void *data, size_t size,
			   size_t offset);

/* The same of a member of an object's ops. */
const void *module_member_data(const struct btf *btf, const struct bpf_map *map,
			       const struct btf_member *m);

/* Call @visit for each parameter of the .rodata section that is the type @sec_id. */
void module_visit_params(const struct btf *btf, __u32 sec_id, const void *data, size_t size,
			 visit_param_fn visit, void *ctx);
/* As they are in the kernel: for each in the maps and the ops of a module whose
 * values were read.
 */
void module_visit_loaded_params(const struct module *mod, visit_param_fn visit, void *ctx);
/* The value alone; null if its type is not to be trusted. */
void module_dump_value(json_writer_t *jw, bool is_plain_text, const struct module_param *param);
/* The same as text, to be freed; NULL without memory. */
char *module_format_value(const struct module_param *param);
/* Name, type, and as @value_name the value, into the JSON object that is open. */
void module_print_param_json(const struct module_param *param, const char *value_name);

/* Who uses a module, a text for each that is known. */
struct module_users {
	char **names;
	size_t cnt;
};

/* None if they can't be told for sure. Values of @mod were read. */
void module_find_users(const struct module *mod, struct module_users *users);
void module_free_users(struct module_users *users);

/* Is it a pointer to a function, as members of ops are? */
bool module_is_func_ptr(const struct btf *btf, __u32 type_id);

/* What is in an object file and that libbpf does not tell of. */
struct module_elf;

/* NULL with the error printed; to be freed by module_elf_close(). */
struct module_elf *module_elf_open(const char *file);
void module_elf_close(struct module_elf *elf);
/* The license, NULL for none. */
const char *module_elf_license(const struct module_elf *elf);
/* The next text "KEY=..." after @prev, NULL after the last one. */
const char *module_elf_next_info(const struct module_elf *elf, const char *key, const char *prev);
/* Is the symbol one that the object can do without? */
bool module_elf_is_weak(const struct module_elf *elf, const char *name);

/* What an object needs of the kernel and the running one has not. */
struct module_missing {
	char what[16]; /* "feature", "ops type", "member", "kfunc", "symbol" */
	char name[192];
	bool is_optional;
};

/* An array to be freed, NULL with *cnt 0 if nothing is missing. -ENOENT if the
 * kernel can't be asked.
 */
int module_find_missing(const struct bpf_object *obj, const char *file,
			const struct module_elf *elf, struct module_missing **missing, size_t *cnt);

/* The commands behind "show", "list" and "dump": 0, or -1 with the error
 * printed.
 */
int module_list(void);
int module_show(int fd);
int module_dump(int fd);

/* Print the modules that a program (BPF_OBJ_PROG) or a map (BPF_OBJ_MAP) belongs
 * to, nothing if there are none. The first call finds them, module_refs_free()
 * forgets them.
 */
void module_refs_plain(enum bpf_obj_type type, __u32 id);
void module_refs_json(enum bpf_obj_type type, __u32 id);
void module_refs_free(void);

/* Where modules are that are loaded by name. */
#define MODULE_DIR "/usr/lib/bpf/modules"

enum module_conf_kind {
	MODULE_CONF_LOAD,
	MODULE_CONF_OPTIONS,	/* text is PARAM=VALUE */
	MODULE_CONF_BLACKLIST,
	MODULE_CONF_ALIAS,	/* text is what stands for the name */
};

struct module_conf_line {
	enum module_conf_kind kind;
	char *name;
	char *text;
};

/* What the files in modules.d say, in their order. */
struct module_conf {
	struct module_conf_line *lines;
	size_t cnt;
	unsigned int bad_lines; /* were told of, and left out */
};

/* Read into @conf, which is zero: 0, or -1 with the error printed. */
int module_conf_read(struct module_conf *conf);
void module_conf_free(struct module_conf *conf);
/* The next line of @kind after @prev, for any name if @name is NULL. */
const struct module_conf_line *module_conf_next(const struct module_conf *conf,
						enum module_conf_kind kind, const char *name,
						const struct module_conf_line *prev);
/* Can it be the name of a module, and stand in a path or a command as it is? */
bool module_is_name(const char *name);
/* The path of the object of that name: 0, or -1 with the error printed. */
int module_find_file(const char *name, char *path, size_t size);
/* Is an OBJ a file, which comes before a name? */
bool module_is_file(const char *word);
/* Load it with its options unless it is loaded: 0, or -1 with the error printed. */
int module_load_by_name(const char *name, const struct module_conf *conf);
/* Is there a live module of that name? */
bool module_is_live(const char *name);

/* Commands with arguments as in struct cmd. */
int module_load(int argc, char **argv);
int module_file_info(int argc, char **argv);
int module_boot(int argc, char **argv);
int module_autoload(int argc, char **argv);
int module_aliases(int argc, char **argv);

#endif /* __BPFTOOL_MODULE_H */
