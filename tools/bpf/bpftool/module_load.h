/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Shared by the files of "bpftool module load". */
#ifndef __BPFTOOL_MODULE_LOAD_H
#define __BPFTOOL_MODULE_LOAD_H

#include <limits.h>
#include <linux/bpf_module.h>
#include <stdbool.h>

#include <bpf/libbpf.h>

#include "module.h"

struct load_args {
	const char **objs; /* files and names */
	int obj_cnt;
	const char *option; /* a word that is valid for one OBJ only, NULL for none */
	const char *file; /* of the OBJ that is being loaded */
	char path[PATH_MAX];
	const char *name;
	const char *pin;
	struct module_pin pin_to; /* the pin to make */
	struct module_progs left_out; /* found when the object is loaded */
	int replace_fd; /* of the module to replace, -1 for none */
	const char *reuse; /* names of maps to reuse from it, NULL for none */
	bool bound;
	const char **ops; /* none: all but the optional ones */
	int ops_cnt;
	struct load_param {
		const char *text; /* PARAM=VALUE, later ones win */
		const struct module_conf_line *line; /* of modules.d, NULL for a word */
	} *params;
	int param_cnt;
	bool dry_run;
	bool in_list; /* within an open JSON array */
	bool by_name; /* as with modprobe, an already loaded module is no error */
	bool by_need; /* another module needs it */
	const struct module_conf *conf; /* if it is by name */
	bool by_system; /* nobody needs to see what was loaded */
	bool waits; /* network devices may appear later */
	struct load_wait {
		const char *module;
		char dev[64]; /* that it waits for, "" for none */
	} *waiting; /* where to note that for the module that needs it */
	bool is_unchecked; /* it needs modules that a dry run does not load */
	bool has_begun_list;
	/* ids of modules that were loaded for it, and where to note its own, NULL for
	 * nowhere
	 */
	struct load_ids {
		__u32 *ids;
		int cnt;
	} needed, *loaded;
	/* modules to be loaded that are already live */
	struct bpf_module_info *present;
	int present_cnt;
	/* loaded modules with a link that has lost its target */
	struct load_anew {
		const struct bpf_module *mod;
		int fd; /* of the loaded one */
	} *anew;
	int anew_cnt;
};

/* module_load_args.c: words into struct load_args */

/* 0, or -1 with the error printed; the arrays are to be freed in any case. */
int load_parse_args(int argc, char **argv, struct load_args *args);

/* module_chosen.c: which modules of an object are to be loaded */

/* Is it one of the object's ops, or of those to be loaded one of @mod? */
bool load_is_ops_of(const struct bpf_map *map, const struct bpf_module *mod);
bool load_has_ops(const struct bpf_object *obj, const struct bpf_module *mod);
/* Has it ops to be loaded, programs to be attached, or functions? */
bool load_is_chosen(const struct bpf_object *obj, const struct bpf_module *mod);
/* The first module after @prev that is to be loaded, NULL for none. */
struct bpf_module *load_next_chosen(const struct bpf_object *obj, const struct bpf_module *prev);

/* module_choose.c: the choice, fitted to the arguments and to what is loaded */

/* A name alone loads what is missing; with 'replace' it is loaded in any case. */
bool load_may_be_present(const struct load_args *args);
/* Is a module of that name live? Then it is kept in args->present, and 0 returned;
 * -ENOENT if there is none; else -1 with the error printed.
 */
int load_find_present(const struct bpf_module *mod, struct load_args *args);
/* Of the module that @mod replaces, -1 for none. */
int load_get_replace_fd(const struct bpf_module *mod, const struct load_args *args);
/* Fit the object's modules to the arguments: 0, or -1 with the error printed. */
int load_set_up(struct bpf_object *obj, struct load_args *args);
/* What it needs waits: all of it does. */
void load_leave_out_all(struct bpf_object *obj, const struct load_wait *wait);

/* module_attach.c: from loaded programs to modules and their pins */

/* May modules be loaded at all? 0, or -1 with the error printed. */
int load_check_permission(void);
/* For a dry run: is a name taken? 0, or -1 with the error printed. */
int load_check_taken(const struct bpf_object *obj, const struct load_args *args);
/* Load what is chosen into the kernel, all or nothing: 0, or -1 with the error printed. */
int load_attach(struct bpf_object *obj, struct load_args *args, struct bpf_link **links, int *cnt);
/* Pin it with its maps, or, unless it has replaced another one, take it back. */
int load_pin(struct load_args *args, struct module_map_pins *map_pins, struct bpf_link **links,
	     int *cnt);

/* module_report.c: what it prints */

/* Ops of the object or of @mod as "a, b": to be freed, NULL without memory. */
char *load_list_ops(const struct bpf_object *obj, const struct bpf_module *mod);
/* Print that the module waits for a network device, or unless it is NULL, for @needed,
 * which does.
 */
void load_report_waiting(const struct bpf_module *mod, const char *dev, const char *needed);
/* Print what was loaded, or already was. */
void load_report(const struct bpf_object *obj, const struct load_args *args);

#endif /* __BPFTOOL_MODULE_LOAD_H */
