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
struct bpf_program;
struct btf;
struct btf_member;
struct hashmap;

/* A module with all its arrays. */
struct module {
	struct bpf_module_info info;
	struct bpf_module_ops_info *ops;
	__u32 *prog_ids;
	__u32 *map_ids;
	struct bpf_module_link_info *links;
	struct bpf_module_func_info *funcs; /* with the ids of their callers */
	__u32 *dep_ids;
	const char *pin; /* of one that is gone: what it was found by */
	/* for how many there is memory, whatever @info counts now */
	__u32 ops_room;
	__u32 funcs_room;
	__u32 callers_room; /* of each function */
};

/* Digits and nothing else, in C's notation, up to @max. */
bool module_parse_number(const char *text, unsigned long long max, unsigned long long *value);
/* Is it one of those that a MODULE begins with, if not with a NAME? */
bool module_is_keyword(const char *word);
/* Consume the words of a MODULE: an fd, or -1 with the error printed. */
int module_parse_fd(int *argc, char ***argv);

/* What a negative error means to a person. */
const char *module_strerror(int err);
/* The same of one that came when modules were listed or looked for. */
const char *module_look_strerror(int err);
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

/* A table for people, with columns as wide as what is in them. Texts are made by
 * asprintf(), and freed with it.
 */
struct module_column {
	const char *title; /* NULL after the last one */
	bool is_number;
};

struct module_table;

/* NULL without memory. */
struct module_table *module_table_new(const struct module_column *columns);
/* The next cell of a row after the other; what is not set is empty. */
void module_table_row(struct module_table *table);
void __printf(3, 4) module_table_set(struct module_table *table, int column, const char *fmt, ...);
/* Print and free it: 0 or a negative error. */
int module_table_print(struct module_table *table);

/* With the paths by id in @pins, if it is not NULL: 0 or a negative error. */
int module_print_list(const struct module *mods, size_t cnt, const struct hashmap *pins);

/* The plain facts of a module, without its arrays: 0 or a negative error. */
int module_get_info(int fd, struct bpf_module_info *info);

/* All facts but the values of the ops. To be freed by module_free(), also when
 * it fails with a negative error.
 */
int module_read(int fd, struct module *mod);
/* After module_read(): the values of the ops. */
int module_read_values(int fd, struct module *mod);
void module_free(struct module *mod);

/* The links, what they attach and where, and whether they still do. */
void module_links_json(const struct module *mod);
void module_links_plain(const struct module *mod);
/* Has one of them been detached, by who holds it or as its target is gone? */
bool module_has_detached_link(const struct module *mod);

/* "int f(struct key *k, int n)" of the function @id of @btf, or its name alone if that
 * does not tell; to be freed, NULL without memory.
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
/* Who calls its functions, each once: "a, prog 12"; to be freed, NULL without memory. */
char *module_format_used_by(const struct module *mod);
/* The same as "module a (id 3), program b (id 12)", as it is now; NULL also on an error. */
char *module_describe_callers(int fd);
void module_used_by_json(const struct module *mod);
/* How many programs call them? */
size_t module_count_callers(const struct module *mod);

/* Names of programs and maps for people; "?" if that can't be told. */
void module_get_prog_name(__u32 id, char *name, size_t size);

/* A pin that a command is to make. */
struct module_pin {
	const char *path;
	const char *old; /* a pin is there of a module that is "gone" or "replaced" */
	const char *note; /* what a late failure leaves behind, "" for nothing */
	__u32 replaced_id; /* 0 for none */
};

/* Can a module, which replaces that behind @replace_fd unless it is -1, be pinned
 * to @path? Nothing is changed yet: 0, or -1 with the error printed.
 */
int module_pin_check(struct module_pin *pin, const char *path, int replace_fd);
/* Do it: 0, or -1 with the error printed. */
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

/* Before the load: have libbpf use what is pinned already, and pin nothing, which
 * others could come to use before the module is live. 0, or -1 with the error printed.
 */
int module_map_pins_hold(struct module_map_pins *pins, const struct bpf_object *obj);
/* Pin them, all or none: 0, or -1 with the error printed, and @note behind it. */
int module_map_pins_put(struct module_map_pins *pins, const char *note);
/* Take away those that were put. */
void module_map_pins_undo(struct module_map_pins *pins);
void module_map_pins_free(struct module_map_pins *pins);

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
/* Between them: what libbpf has just warned of, without its name; @otherwise if it
 * went to the terminal.
 */
const char *module_last_warning(const char *otherwise);
/* Print that libbpf could not @what ("load") a file, and why. errno is its error. */
void module_object_error(const char *what, const char *file);
/* After the load of a file: print which weak functions were there and do not fit. */
void module_tell_missing(const char *file);
/* NULL with the error printed; between _begin() and _end(). */
struct bpf_object *module_open_object(const char *file);

/* Do all types in the BTF of a file end somewhere? 0, or -1 with the error printed. */
int module_btf_check(const struct btf *btf, const char *file);

/* The text, or if there is more in it than a line of plain text, a copy with that
 * escaped; it stays until module_free_texts().
 */
const char *module_text(const char *text);
void module_free_texts(void);

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

/* A socket, or a network namespace that has it as its default. */
struct module_user {
	__u64 netns; /* inode */
	bool is_own_netns;
	bool is_socket;
	char src[64]; /* addresses as text */
	char dst[64];
	__u16 src_port;
	__u16 dst_port; /* 0 for one that listens */
};

/* Who uses a module, as far as it is known. */
struct module_users {
	struct module_user *users;
	size_t cnt;
};

/* None if they can't be told for sure. Values of @mod were read. */
void module_find_users(const struct module *mod, struct module_users *users);
void module_describe_user(char *buf, size_t size, const struct module_user *user);
void module_print_user_json(const struct module_user *user);
void module_free_users(struct module_users *users);

/* Is it a pointer to a function, as members of ops are? */
bool module_is_func_ptr(const struct btf *btf, __u32 type_id);

/* After the kernel's line @log that a name of ops is taken: "; WHO has it", or empty
 * if neither another op nor a module has.
 */
void module_find_clash(const struct bpf_object *obj, const char *log, char *text, size_t size);

/* Texts that a module tells of itself, in any number: description, author, version. */
#define MODULE_DESC_KEYS 3
extern const char * const module_desc_keys[MODULE_DESC_KEYS];
/* As they are in the object's BTF, which may be NULL. */
void module_print_desc_plain(const struct btf *btf);
void module_print_desc_json(const struct btf *btf);
/* The same of a parameter, NULL if nothing tells of it. */
const char *module_param_desc(const struct btf *btf, const char *param);

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

/* Is the program in the initial value of a map, as of an array for tail calls? */
bool module_elf_is_in_maps(const struct module_elf *elf, const char *prog);

/* Is the program a callback of ops, or one that a map holds from the start? */
bool module_prog_is_used(const struct bpf_object *obj, const struct module_elf *elf,
			 const struct bpf_program *prog);

/* How a module deals with a program that is no callback of its ops. */
enum module_prog_kind {
	MODULE_PROG_LINKED,	/* it attaches it by a link */
	MODULE_PROG_REFUSED,	/* what attaches it is no link */
	MODULE_PROG_OTHER,	/* nothing attaches it, or it runs at the begin or the end */
};

enum module_prog_kind module_prog_kind(const struct bpf_program *prog);
/* The parameter of a program without which it can't be attached, as "dev", and one that
 * it takes besides; "" for none.
 */
const char *module_prog_need(const struct bpf_program *prog);
const char *module_prog_option(const struct bpf_program *prog);
/* Is the program one that is to be attached with @mod? */
bool module_attaches(const struct bpf_module *mod, const struct bpf_program *prog);
/* Do @params, each "PARAM=VALUE", tell all programs of @mod what they need? 0, or -1 with
 * the error printed.
 */
int module_check_needs(const struct bpf_object *obj, const struct bpf_module *mod,
		       const char * const *params, int cnt);
/* Is one of the network devices that they are told not there? Then its name is @dev. */
bool module_find_missing_dev(const struct bpf_object *obj, const struct bpf_module *mod,
			     const char * const *params, int cnt, char *dev, size_t size);
/* If a parameter, "PROG.dev=VALUE", tells network devices, their list, else NULL. */
const char *module_param_devs(const char *param);
/* Is a word one of those between the commas of a list? */
bool module_list_has(const char *list, const char *word);

/* Give the maps of the object that @list names, with commas, the content that they have
 * in a loaded module: 0, or -1 with the error printed.
 */
int module_reuse_maps(struct bpf_object *obj, const char *list, int module_fd);
/* All that can have it: the module is loaded anew. */
void module_reuse_all_maps(struct bpf_object *obj, const struct bpf_module *mod, int module_fd);

/* Is the program a function that @mod exports? */
bool module_exports(const struct bpf_module *mod, const struct bpf_program *prog);

/* Functions that an object exports, and those that it needs, for "info". */
bool module_file_has_funcs(const struct bpf_object *obj);
void module_file_funcs_plain(const struct bpf_object *obj);
void module_file_funcs_json(const struct bpf_object *obj);

/* A module whose functions an object, or another module, calls. */
struct module_need {
	char *module;
	char *func; /* one of them, NULL if that is not known */
	bool is_optional; /* it can do without them */
	bool is_own; /* the object that calls them exports them, too */
};

struct module_needs {
	struct module_need *needs; /* each module once */
	size_t cnt;
};

/* To be freed, also if it fails: 0, or -1 with the error printed. */
int module_needs_read(struct module_needs *needs, const struct bpf_object *obj);
void module_needs_free(struct module_needs *needs);

/* A module, what it needs and how it is. */
struct module_step {
	char *name;
	char *path; /* of the object that is loaded by that name, NULL for none */
	__u32 id; /* of the module that is loaded, 0 for none */
	int state; /* BPF_MODULE_STATE_*, 0 if it is not loaded, negative if that can't be told */
	bool is_missing; /* neither loaded nor is there an object */
	struct module_needs needs;
};

/* Modules in the order in which they are to be loaded. */
struct module_plan {
	const struct module_conf *conf;
	bool is_to_load; /* without what is live; one that is missing is an error */
	struct module_step *steps;
	size_t cnt;
};

/* What the object @obj, the file @path of the name @name, needs, and what that needs:
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

/* Unload a module that was loaded for something that failed, if nobody uses it. */
void module_unload_again(__u32 id);

/* Print that there are neither ops, programs to attach nor functions, return -1. */
int module_nothing_to_load(const char *file);

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

/* Is "CONFIG_..." set in the running kernel? -ENOENT if that can't be told. */
int module_kconfig_is_set(const char *option);

/* What an object needs of the kernel and the running one has not. */
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

/* The commands behind "show", "list" and "dump": 0, or -1 with the error
 * printed.
 */
int module_list(void);
int module_show(int fd);
int module_dump(int fd);

/* A module of the system. */
struct module_name {
	struct module_name *next;
	__u32 id;
	char name[BPF_MODULE_NAME_LEN];
};

/* All modules as they were when one of these was first called, until module_names_free().
 * NULL if there is none, or who asks may not list modules.
 */
const struct module_name *module_name_of(__u32 id);
const struct module_name *module_name_of_prog(__u32 id);
/* By the ids of their programs or maps, NULL without memory. */
const struct hashmap *module_names_by(enum bpf_obj_type type);
void module_names_free(void);

/* Print the modules that a program (BPF_OBJ_PROG) or a map (BPF_OBJ_MAP) belongs
 * to, nothing if there are none; of a link (BPF_OBJ_LINK) the module whose id it has
 * itself. The first call finds them, module_refs_free() forgets them.
 */
void module_refs_plain(enum bpf_obj_type type, __u32 id);
void module_refs_json(enum bpf_obj_type type, __u32 id);
void module_refs_free(void);

/* The folders of modules/, objects that load by name, and of modules.d/, their
 * configuration. What is in the first one hides what is in the next.
 */
#define MODULE_DIR_CNT 4
extern const char * const module_dirs[MODULE_DIR_CNT];

/* Can it be the name of a module, and stand in a path or a command as it is? */
bool module_is_name(const char *name);
/* Print that it can't, return -1. */
int module_bad_name(const char *name);
/* Are they the same to who looks for one, who may write '-' for '_'? */
bool module_names_match(const char *a, const char *b);
/* "cubic" of "cubic.bpf.o" or "cubic.o"; false if it is no object's name. */
bool module_name_of_file(const char *file, char *name, size_t size);
/* Is an OBJ a file, and not a name? */
bool module_is_file(const char *word);
/* The path of the object of that name, false if there is none. */
bool module_find_file(const char *name, char *path, size_t size);
/* Print that there is none, return -1. */
int module_not_found(const char *name);

enum module_conf_kind {
	MODULE_CONF_LOAD,
	MODULE_CONF_OPTIONS,	/* text is PARAM=VALUE */
	MODULE_CONF_BLACKLIST,
	MODULE_CONF_ALIAS,	/* text is what stands for the name */
	MODULE_CONF_BAD,	/* not understood: text tells why, name is "" */
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

/* Read into @conf, which is zero: 0, or -1 with the error printed. Bad lines are
 * told of, too, but not in JSON.
 */
int module_conf_read(struct module_conf *conf);
void module_conf_free(struct module_conf *conf);
/* The next line of @kind after @prev, for any name if @name is NULL. */
const struct module_conf_line *module_conf_next(const struct module_conf *conf,
						enum module_conf_kind kind, const char *name,
						const struct module_conf_line *prev);
/* A word of C, C++ or their headers that can't be an identifier? */
bool module_is_reserved_word(const char *word);
/* The next option of a name, or of what it is an alias of, after @prev. */
const struct module_conf_line *module_conf_next_option(const struct module_conf *conf,
						       const char *name,
						       const struct module_conf_line *prev);
/* The same without those that a later one overrides. */
const struct module_conf_line *module_conf_next_set(const struct module_conf *conf,
						    const char *name,
						    const struct module_conf_line *prev);
/* Is the name, or what it is an alias of, not to be loaded by the system? The line that
 * says so, or NULL.
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
/* 0, or -1 if there are bad lines, which are now told of in JSON. */
int module_conf_check(const struct module_conf *conf);
/* Load what a name or an alias means, with its options, unless it is loaded: 0, or -1
 * with the error printed. In JSON, what is printed goes to an array. With @waits it is
 * no error that a network device is missing, which comes later.
 */
int module_load_by_name(const char *name, const struct module_conf *conf, bool waits);
/* What there is of that name in the kernel, live or detached: its facts, -ENOENT, or
 * another negative error. Not @is_exact is for names that a person writes.
 */
int module_look_up(const char *name, bool is_exact, struct bpf_module_info *info);

/* Keep what goes to stderr from here on, if nobody has that open: the kernel's
 * helpers are started so. Then have @failed decide whether it goes to the system log.
 */
bool module_log_begin(void);
void module_log_end(bool failed);

/* Commands with arguments as in struct cmd. */
int module_load(int argc, char **argv);
int module_unload(int argc, char **argv);
int module_deps(int argc, char **argv);
int module_file_info(int argc, char **argv);
int module_boot(int argc, char **argv);
int module_autoload(int argc, char **argv);
int module_aliases(int argc, char **argv);
int module_config(int argc, char **argv);

#endif /* __BPFTOOL_MODULE_H */
