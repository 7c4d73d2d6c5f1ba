/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of "bpftool module load" share. */
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
	const char *option; /* a word that is for one OBJ only, NULL for none */
	const char *file; /* of the OBJ that is loaded now */
	char path[PATH_MAX];
	const char *name;
	const char *pin;
	struct module_pin pin_to; /* what is known of it */
	struct module_progs left_out; /* found when the object is loaded */
	int replace_fd; /* of the module to replace, -1 for none */
	const char *reuse; /* names of maps that are that one's, NULL for none */
	bool bound;
	const char **ops; /* none: all but the optional ones */
	int ops_cnt;
	struct load_param {
		const char *text; /* PARAM=VALUE, later ones win */
		const struct module_conf_line *line; /* of modules.d, NULL for a word */
	} *params;
	int param_cnt;
	bool dry_run;
	bool in_list; /* of a JSON array that is begun already */
	bool by_name; /* as with modprobe, what is loaded already is no error */
	bool by_need; /* of another module, which has it loaded first */
	const struct module_conf *conf; /* if it is by name */
	bool by_system; /* and nobody needs to be told of it */
	bool waits; /* network devices may come later */
	struct load_wait {
		const char *module;
		char dev[64]; /* the module waits for it, "" for none */
	} *waiting; /* where to note that, if it is needed by another one */
	bool is_unchecked; /* it needs what a dry run does not load */
	bool has_begun_list;
	/* ids of modules that were loaded for it, and where to note that of its own; NULL
	 * for nowhere
	 */
	struct load_ids {
		__u32 *ids;
		int cnt;
	} needed, *loaded;
	/* of the modules to be loaded those that are there already */
	struct bpf_module_info *present;
	int present_cnt;
	/* those that are there and have lost what a link was attached to */
	struct load_anew {
		const struct bpf_module *mod;
		int fd; /* of the one that is there */
	} *anew;
	int anew_cnt;
};

/* module_choose.c */

/* Is it one of the object's ops, or of those to be loaded one of @mod? */
bool load_is_ops_of(const struct bpf_map *map, const struct bpf_module *mod);
/* The first module after @prev that is to be loaded, NULL for none. */
struct bpf_module *load_next_chosen(const struct bpf_object *obj, const struct bpf_module *prev);
/* A name alone loads what is missing; with 'replace' it is about what is there. */
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

/* module_load.c */

/* Load what a name means: 0, or -1 with the error printed. The arguments are the same for
 * the next OBJ.
 */
int load_name(const struct load_args *args, const char *name, const struct module_conf *conf);

/* module_load_deps.c */

/* Load the modules that the object needs, in order: 0, or -1 with the error printed. */
int load_needed(struct bpf_object *obj, struct load_args *args);
/* Note what was loaded. */
void load_note(const struct load_args *args, int module_fd);
/* When it is done, or, with @failed, when they are needed no more: unload them then. */
void load_end_needed(struct load_args *args, bool failed);

/* module_report.c */

/* Ops of the object or of @mod as "a, b": to be freed, NULL without memory. */
char *load_list_ops(const struct bpf_object *obj, const struct bpf_module *mod);
/* The module waits for a network device, or for @needed that does, if it is not NULL. */
void load_report_waiting(const struct bpf_module *mod, const char *dev, const char *needed);
/* What was loaded, or was there already. */
void load_report(const struct bpf_object *obj, const struct load_args *args);

#endif /* __BPFTOOL_MODULE_LOAD_H */
