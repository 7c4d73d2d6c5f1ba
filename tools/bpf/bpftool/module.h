/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of "bpftool module" share, each under the file that defines it. Commands
 * have arguments as in struct cmd.
 */
#ifndef __BPFTOOL_MODULE_H
#define __BPFTOOL_MODULE_H

#include <linux/bpf_module.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

struct bpf_map;
struct bpf_object;
struct bpf_program;
struct btf;
struct btf_member;
struct hashmap;

/* module_kernel.c: what the running kernel tells of its modules */

/* A module with all arrays of its info. */
struct module {
	struct bpf_module_info info;
	struct bpf_module_ops_info *ops;
	__u32 *prog_ids;
	__u32 *map_ids;
	struct bpf_module_link_info *links;
	struct bpf_module_func_info *funcs; /* with the ids of their callers */
	__u32 *dep_ids;
	const char *pin; /* of one that is gone: what it was found by */
	/* capacities of the arrays, whatever @info counts now */
	__u32 ops_room;
	__u32 funcs_room;
	__u32 callers_room; /* of each function */
};

/* A negative error, in words for people. */
const char *module_strerror(int err);
/* The same for an error from listing or looking up modules. */
const char *module_look_strerror(int err);
/* Print that a module's info can't be read, return -1. */
int module_info_error(int err);

/* Open the next module after *id. Modules that vanish in between are skipped.
 * Returns an fd, -ENOENT after the last one, or another negative error.
 */
int module_open_next(__u32 *id);

/* The info of a module without its arrays: 0 or a negative error. */
int module_get_info(int fd, struct bpf_module_info *info);

/* The whole info except the values of the ops. To be freed by module_free(), even if
 * it fails with a negative error.
 */
int module_read(int fd, struct module *mod);
/* After module_read(): the values of the ops. */
int module_read_values(int fd, struct module *mod);
void module_free(struct module *mod);

/* BTF of the kernel or of a kernel module by its id, kept until
 * module_free_kernel_btf(). NULL if it can't be loaded.
 */
const struct btf *module_kernel_btf(__u32 id);
const struct btf *module_vmlinux_btf(void);
void module_free_kernel_btf(void);

/* module_find.c: a loaded module by its words or name */

/* Digits and nothing else, in C's notation, up to @max. */
bool module_parse_number(const char *text, unsigned long long max, unsigned long long *value);
/* Is it a keyword that can begin a MODULE? */
bool module_is_keyword(const char *word);
/* Consume the words of a MODULE: an fd, or -1 with the error printed. */
int module_parse_fd(int *argc, char ***argv);

/* Look up the live or detached module of that name: its info, -ENOENT, or another
 * negative error. Names written by people are not @is_exact.
 */
int module_look_up(const char *name, bool is_exact, struct bpf_module_info *info);

/* module_format.c: single facts for people */

/* "live"; "9.7 KiB"; time since it was loaded;
 * name of a user, the number if there is none.
 */
const char *module_state_name(__u32 state);
void module_format_memory(char *buf, size_t size, __u64 bytes);
void module_format_age(char *buf, size_t size, __u64 load_time);
void module_format_user(char *buf, size_t size, __u32 uid);

/* The name of a program; "?" if not known. */
void module_get_prog_name(__u32 id, char *name, size_t size);

/* module_table.c: tables for people */

/* A table for people, with columns as wide as their contents. Texts are made by
 * asprintf(), and freed with it.
 */
struct module_column {
	const char *title; /* NULL after the last one */
	bool is_number;
};

struct module_table;

/* NULL without memory. */
struct module_table *module_table_new(const struct module_column *columns);
/* Begin the next row. Cells that are not set are empty. */
void module_table_row(struct module_table *table);
void __printf(3, 4) module_table_set(struct module_table *table, int column, const char *fmt, ...);
/* Print and free it: 0 or a negative error. */
int module_table_print(struct module_table *table);

/* module_list.c: the list of modules */

/* With the paths by id in @pins, unless that is NULL: 0 or a negative error. */
int module_print_list(const struct module *mods, size_t cnt, const struct hashmap *pins);

/* module_link.c: the links that a module holds */

/* The links: what they attach, where, and whether it is still attached. */
void module_links_json(const struct module *mod);
void module_links_plain(const struct module *mod);
/* Has one of them been detached, by a holder or because its target is gone? */
bool module_has_detached_link(const struct module *mod);

/* module_funcs.c: the functions that a module exports, and whose it calls */

/* "int f(struct key *k, int n)" for the function @id of @btf, or only its name if that is
 * not in @btf; to be freed, NULL without memory.
 */
char *module_format_proto(const struct btf *btf, __u32 id, const char *name);
/* The functions that it exports, each with its prototype and who calls it. @btf is its
 * own, or NULL.
 */
void module_funcs_json(const struct module *mod, const struct btf *btf);
void module_funcs_plain(const struct module *mod, const struct btf *btf);
/* For "dump", before anything is printed: fds of the functions' programs, for _close();
 * NULL with the error printed.
 */
int *module_funcs_open(const struct module *mod);
void module_funcs_close(const struct module *mod, int *fds);
/* Their instructions: 0, or -1 with the error printed. */
int module_funcs_dump(const struct module *mod, const int *fds);
/* The modules whose functions it calls. */
void module_deps_json(const struct module *mod);
void module_deps_plain(const struct module *mod);

/* module_used.c: who calls a module's functions */

/* The callers of its functions, each once: "a, prog 12"; to be freed, NULL without memory. */
char *module_format_used_by(const struct module *mod);
/* The same as "module a (id 3), program b (id 12)", as it is now; NULL also on an error. */
char *module_describe_callers(int fd);
void module_used_by_json(const struct module *mod);
/* The number of programs that call them. */
size_t module_count_callers(const struct module *mod);

/* module_pin.c: pins that a command makes */

/* A pin for a command to make. */
struct module_pin {
	const char *path;
	const char *old; /* state of the module of an existing pin: "gone" or "replaced" */
	const char *note; /* what a late failure leaves behind, "" for nothing */
	__u32 replaced_id; /* 0 for none */
};

/* Can a module be pinned to @path? It replaces the one behind @replace_fd, unless that
 * is -1. Nothing is changed yet: 0, or -1 with the error printed.
 */
int module_pin_check(struct module_pin *pin, const char *path, int replace_fd);
/* Make the pin: 0, or -1 with the error printed. */
int module_pin_put(struct module_pin *pin, int fd);
/* Both at once. */
int module_pin_fd(int fd, const char *path);

/* Maps that ask to be pinned, where there is nothing yet. */
struct module_map_pins {
	struct module_map_pin {
		struct bpf_map *map;
		char *path;
	} *pins;
	size_t cnt;
};

/* Before the load: let libbpf use existing pins and make none, since others could use
 * those before the module is live. 0, or -1 with the error printed.
 */
int module_map_pins_hold(struct module_map_pins *pins, const struct bpf_object *obj);
/* Pin them, all or none: 0, or -1 with the error printed, followed by @note. */
int module_map_pins_put(struct module_map_pins *pins, const char *note);
/* Remove the pins that were made. */
void module_map_pins_undo(struct module_map_pins *pins);
void module_map_pins_free(struct module_map_pins *pins);

/* module_why.c: what libbpf says, kept for errors */

/* From _begin() to _end() keep libbpf's warnings, to be shown if they explain a
 * failure.
 */
libbpf_print_fn_t module_warnings_begin(void);
void module_warnings_end(libbpf_print_fn_t old_print);
/* Between them: libbpf's last warning, without the prefix; @otherwise if it went to the
 * terminal.
 */
const char *module_last_warning(const char *otherwise);
/* Print that libbpf could not @what ("load") a file, and why. errno is its error. */
void module_object_error(const char *what, const char *file);
/* After the load of a file: print which weak functions were there and do not fit. */
void module_tell_missing(const char *file);

/* module_object.c: opening an object */

/* NULL with the error printed; between _begin() and _end(). */
struct bpf_object *module_open_object(const char *file);

/* module_btf.c: whether the BTF of a file can be followed */

/* Are all types in the BTF of a file finite? 0, or -1 with the error printed. */
int module_btf_check(const struct btf *btf, const char *file);

/* module_text.c: texts of files on a terminal */

/* The text, or if it is not one line of plain text, an escaped copy, which stays until
 * module_free_texts().
 */
const char *module_text(const char *text);
void module_free_texts(void);

/* module_data.c: values that BTF describes */

/* The address of a value of type @type_id at @offset of @data; NULL if it does not end
 * within @size: the BTF of a file can be anything.
 */
const void *module_data_at(const struct btf *btf, __u32 type_id, const void *data, size_t size,
			   size_t offset);

/* The same for a member of an object's ops. */
const void *module_member_data(const struct btf *btf, const struct bpf_map *map,
			       const struct btf_member *m);

/* Is it a pointer to a function, as members of ops are? */
bool module_is_func_ptr(const struct btf *btf, __u32 type_id);

/* module_param.c: parameters */

/* A parameter: its name, type and location. */
struct module_param {
	const char *name; /* "beta", "cubic.name" */
	const struct btf *btf;
	__u32 type_id;
	const void *data;
};

typedef void (*visit_param_fn)(const struct module_param *param, void *ctx);

/* Call @visit for each parameter of the .rodata section that is the type @sec_id. */
void module_visit_params(const struct btf *btf, __u32 sec_id, const void *data, size_t size,
			 visit_param_fn visit, void *ctx);
/* With their values in the kernel: for each in the maps and the ops of a module whose
 * values were read.
 */
void module_visit_loaded_params(const struct module *mod, visit_param_fn visit, void *ctx);
/* Only the value; null if its type can't be trusted. */
void module_dump_value(json_writer_t *jw, bool is_plain_text, const struct module_param *param);
/* The same as text, to be freed; NULL without memory. */
char *module_format_value(const struct module_param *param);
/* A JSON object: name, type, the value as @value_name, and @desc if there is one. */
void module_print_param_json(const struct module_param *param, const char *value_name,
			     const char *desc);

/* module_users.c: who uses a module */

/* A socket, or a network namespace that has it as its default. */
struct module_user {
	__u64 netns; /* inode */
	bool is_own_netns;
	bool is_socket;
	char src[64]; /* addresses as text */
	char dst[64];
	__u16 src_port;
	__u16 dst_port; /* 0 for a listening socket */
};

/* The known users of a module. */
struct module_users {
	struct module_user *users;
	size_t cnt;
};

/* None if they are ambiguous. Values of @mod were read. */
void module_find_users(const struct module *mod, struct module_users *users);
void module_describe_user(char *buf, size_t size, const struct module_user *user);
void module_print_user_json(const struct module_user *user);
void module_free_users(struct module_users *users);

/* module_clash.c: who has the name of an op */

/* For the kernel's line @log that an op's name is taken: "; WHO has it", or empty if
 * neither another op nor a module has it.
 */
void module_find_clash(const struct bpf_object *obj, const char *log, char *text, size_t size);

/* module_desc.c: what a module tells of itself */

/* Texts that describe a module, any number of each: description, author, version. */
#define MODULE_DESC_KEYS 3
extern const char * const module_desc_keys[MODULE_DESC_KEYS];
/* From the object's BTF, which may be NULL. */
void module_print_desc_plain(const struct btf *btf);
void module_print_desc_json(const struct btf *btf);
/* The description of a parameter, NULL for none. */
const char *module_param_desc(const struct btf *btf, const char *param);

/* module_enum.c: constants that a program takes from the kernel */

/* Before the object is loaded: 0, or -1 with the error printed. What this kernel does
 * not have stays zero.
 */
int module_set_enumerators(struct bpf_object *obj);

/* module_elf.c: sections of an object file */

/* Contents of an object file that libbpf gives no access to. */
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

/* Is the program in the initial value of a map, such as an array for tail calls? */
bool module_elf_is_in_maps(const struct module_elf *elf, const char *prog);

/* module_progs.c: programs that are not loaded with a module */

/* Is the program a callback of ops, or in the initial value of a map? */
bool module_prog_is_used(const struct bpf_object *obj, const struct module_elf *elf,
			 const struct bpf_program *prog);

/* Programs of an object that are not loaded with its modules. */
struct module_progs {
	const struct bpf_program **progs;
	size_t cnt;
};

/* Before the load: 0, or -1 with the error printed. To be freed in any case. */
int module_progs_leave_out(struct module_progs *left_out, const struct bpf_object *obj,
			   const char *file);
void module_progs_plain(const struct module_progs *left_out);
void module_progs_json(const struct module_progs *left_out);
void module_progs_free(struct module_progs *left_out);

/* module_target.c: where programs are attached */

/* What a module does with a program that is not a callback of its ops. */
enum module_prog_kind {
	MODULE_PROG_LINKED,	/* the module attaches it by a link */
	MODULE_PROG_REFUSED,	/* it is attached by something other than a link */
	MODULE_PROG_OTHER,	/* nothing attaches it, or it is init or exit */
};

enum module_prog_kind module_prog_kind(const struct bpf_program *prog);
/* The parameter that a program needs to be attached, such as "dev", and one that it also
 * takes; "" for none.
 */
const char *module_prog_need(const struct bpf_program *prog);
const char *module_prog_option(const struct bpf_program *prog);
/* Is the program attached with @mod? */
bool module_attaches(const struct bpf_module *mod, const struct bpf_program *prog);
/* Do @params, each "PARAM=VALUE", have everything that the programs of @mod need? 0, or
 * -1 with the error printed.
 */
int module_check_needs(const struct bpf_object *obj, const struct bpf_module *mod,
		       const char * const *params, int cnt);
/* Does one of the network devices in them not exist? Then its name is @dev. */
bool module_find_missing_dev(const struct bpf_object *obj, const struct bpf_module *mod,
			     const char * const *params, int cnt, char *dev, size_t size);
/* The list of network devices in a parameter "PROG.dev=VALUE", NULL for others. */
const char *module_param_devs(const char *param);
/* Is a word one of those between the commas of a list? */
bool module_list_has(const char *list, const char *word);

/* Is the program a function that @mod exports? */
bool module_exports(const struct bpf_module *mod, const struct bpf_program *prog);

/* module_reuse.c: maps that a new version takes over */

/* Let the maps of the object that @list names, with commas, be those of a loaded module:
 * 0, or -1 with the error printed.
 */
int module_reuse_maps(struct bpf_object *obj, const char *list, int module_fd);
/* All maps that can: the module is reloaded. */
void module_reuse_all_maps(struct bpf_object *obj, const struct bpf_module *mod, int module_fd);

/* module_info_funcs.c: the functions in what "info" prints */

/* Functions that an object exports, and those that it needs, for "info". */
bool module_file_has_funcs(const struct bpf_object *obj);
void module_file_funcs_plain(const struct bpf_object *obj);
void module_file_funcs_json(const struct bpf_object *obj);

/* module_plan.c: what has to be loaded before a module */

/* A module whose functions an object, or another module, calls. */
struct module_need {
	char *module;
	char *func; /* one of them, NULL if that is not known */
	bool is_optional; /* the caller can do without them */
	bool is_own; /* the object that calls them exports them, too */
};

struct module_needs {
	struct module_need *needs; /* each module once */
	size_t cnt;
};

/* To be freed, even if it fails: 0, or -1 with the error printed. */
int module_needs_read(struct module_needs *needs, const struct bpf_object *obj);
void module_needs_free(struct module_needs *needs);

/* A module, what it needs and its state. */
struct module_step {
	char *name;
	char *path; /* of the object that is loaded by that name, NULL for none */
	__u32 id; /* of the module that is loaded, 0 for none */
	int state; /* BPF_MODULE_STATE_*, 0 if it is not loaded, negative if not known */
	bool is_missing; /* it is not loaded, and has no object */
	struct module_needs needs;
};

/* Modules in load order. */
struct module_plan {
	const struct module_conf *conf;
	bool is_to_load; /* leave out live modules; a missing one is an error */
	struct module_step *steps;
	size_t cnt;
};

/* What the object @obj, the file @path of the name @name, needs directly or indirectly:
 * 0, or -1 with the error printed. To be freed in any case.
 */
int module_plan_object(struct module_plan *plan, const char *name, const char *path,
		       const struct bpf_object *obj);
/* The object itself, as the last one. */
int module_plan_add_object(struct module_plan *plan, const char *name, const char *path,
			   const struct bpf_object *obj);
/* The module of that id, after those that it needs. */
int module_plan_loaded(struct module_plan *plan, __u32 id);
void module_plan_free(struct module_plan *plan);

/* module_unload.c: the command "unload" */

/* Unload a module that was loaded for something that failed, if nobody uses it. */
void module_unload_again(__u32 id);
int module_unload(int argc, char **argv);

/* module_chosen.c: which modules of an object are to be loaded */

/* Print that there are neither ops, programs to attach nor functions, return -1. */
int module_nothing_to_load(const char *file);

/* module_kconfig.c: the configuration of the running kernel */

/* Is "CONFIG_..." set in the running kernel? -ENOENT if not known. */
int module_kconfig_is_set(const char *option);

/* module_missing.c: what an object needs and the kernel lacks */

/* What an object needs that the running kernel lacks. */
struct module_missing {
	const char *what; /* "feature", "ops type", "member", "kfunc", "symbol", "config", ... */
	char *name;
	bool is_optional;
};

/* An array to be freed by module_free_missing(), NULL with *cnt 0 if nothing is
 * missing. -ENOENT if the kernel can't be asked.
 */
int module_find_missing(const struct bpf_object *obj, const char *file,
			const struct module_elf *elf, struct module_missing **missing, size_t *cnt);
void module_free_missing(struct module_missing *missing, size_t cnt);

/* module_show.c: the commands "show", "list" and "dump" */

/* 0, or -1 with the error printed. */
int module_list(void);
int module_show(int fd);
int module_dump(int fd);

/* module_names.c: all modules by their ids and parts */

/* A module of the system. */
struct module_name {
	struct module_name *next;
	__u32 id;
	char name[BPF_MODULE_NAME_LEN];
};

/* All modules at the time of the first call of one of these, until module_names_free().
 * NULL if there are none, or the user may not list modules.
 */
const struct module_name *module_name_of(__u32 id);
const struct module_name *module_name_of_prog(__u32 id);
/* By the ids of their programs or maps, NULL without memory. */
const struct hashmap *module_names_by(enum bpf_obj_type type);
void module_names_free(void);

/* module_refs.c: the modules of programs, maps and links */

/* Print the modules that a program (BPF_OBJ_PROG) or a map (BPF_OBJ_MAP) belongs to, if
 * any; for a link (BPF_OBJ_LINK) @id is that of the module. The first call finds the
 * modules, module_refs_free() forgets them.
 */
void module_refs_plain(enum bpf_obj_type type, __u32 id);
void module_refs_json(enum bpf_obj_type type, __u32 id);
void module_refs_free(void);

/* module_name.c: names and the folders of objects */

/* The folders that have modules/, objects that load by name, and modules.d/, their
 * configuration. Files in an earlier one hide those in a later one.
 */
#define MODULE_DIR_CNT 4
extern const char * const module_dirs[MODULE_DIR_CNT];

/* Is it a valid name of a module, and so safe in a path or a command? */
bool module_is_name(const char *name);
/* Print that it can't, return -1. */
int module_bad_name(const char *name);
/* Are they the same in a lookup, where '-' and '_' are? */
bool module_names_match(const char *a, const char *b);
/* "cubic" of "cubic.bpf.o" or "cubic.o"; false if it is no object's name. */
bool module_name_of_file(const char *file, char *name, size_t size);
/* Is an OBJ a file, and not a name? */
bool module_is_file(const char *word);
/* The path of the object of that name, false if there is none. */
bool module_find_file(const char *name, char *path, size_t size);
/* Print that there is none, return -1. */
int module_not_found(const char *name);

/* module_conf.c: the files in modules.d */

enum module_conf_kind {
	MODULE_CONF_LOAD,
	MODULE_CONF_OPTIONS,	/* text is PARAM=VALUE */
	MODULE_CONF_BLACKLIST,
	MODULE_CONF_ALIAS,	/* text is the alias of the name */
	MODULE_CONF_BAD,	/* invalid: text is the reason, name is "" */
};

struct module_conf_line {
	enum module_conf_kind kind;
	char *name;
	char *text;
	char *file;
	unsigned int number; /* of the line in the file, 0 for the file as a whole */
};

/* What the files in modules.d say, in their order. */
struct module_conf {
	struct module_conf_line *lines;
	size_t cnt;
};

/* Read into @conf, which is zero: 0, or -1 with the error printed. Invalid lines are
 * printed, too, but not in JSON.
 */
int module_conf_read(struct module_conf *conf);
void module_conf_free(struct module_conf *conf);
/* The next line of @kind after @prev, for any name if @name is NULL. */
const struct module_conf_line *module_conf_next(const struct module_conf *conf,
						enum module_conf_kind kind, const char *name,
						const struct module_conf_line *prev);

/* The next option of a name, or of its target if it is an alias, after @prev. */
const struct module_conf_line *module_conf_next_option(const struct module_conf *conf,
						       const char *name,
						       const struct module_conf_line *prev);

/* The line that keeps the system from loading the name, or its target if it is an alias;
 * NULL for none.
 */
const struct module_conf_line *module_conf_blacklist(const struct module_conf *conf,
						     const char *name);
/* Has the word the form of PARAM=VALUE? */
bool module_is_param(const char *word);
/* The alias that stands for a name, NULL for none. */
const struct module_conf_line *module_conf_alias(const struct module_conf *conf,
						 const char *name);
/* The name itself, or what it is an alias of. */
const char *module_conf_resolve(const struct module_conf *conf, const char *name);
/* 0, or -1 if there are invalid lines, which are now printed in JSON. */
int module_conf_check(const struct module_conf *conf);

/* module_ident.c: reserved words */

/* A word of C, C++ or their headers that can't be an identifier? */
bool module_is_reserved_word(const char *word);

/* module_config.c: the command "config" */

/* The next option of a name after @prev, without those that a later one overrides. */
const struct module_conf_line *module_conf_next_set(const struct module_conf *conf,
						    const char *name,
						    const struct module_conf_line *prev);
int module_config(int argc, char **argv);

/* module_load.c: the command "load" */

/* Load the module of a name or an alias, with its options, unless it is loaded: 0, or -1
 * with the error printed. In JSON, output goes to an array. With @waits it is no error if
 * a network device is missing: it may appear later.
 */
int module_load_by_name(const char *name, const struct module_conf *conf, bool waits);

int module_load(int argc, char **argv);

/* module_log.c: errors when nobody looks */

/* Keep stderr output from now on if stderr is closed, as it is for helpers that the
 * kernel starts. At the end, if @failed, it goes to the system log.
 */
bool module_log_begin(void);
void module_log_end(bool failed);

/* module_deps.c: the command "deps" */

int module_deps(int argc, char **argv);

/* module_info.c: the command "info" */

int module_file_info(int argc, char **argv);

/* module_boot.c: the commands "boot", "autoload" and "aliases" */

int module_boot(int argc, char **argv);
int module_autoload(int argc, char **argv);
int module_aliases(int argc, char **argv);

#endif /* __BPFTOOL_MODULE_H */
