// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * BPF modules of a skeleton.
 *
 * They are attached after its programs and maps, and detached before them. A
 * skeleton with modules is attached as a whole or not at all.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include "libbpf.h"
#include "libbpf_internal.h"

/* A skeleton made by an older bpftool ends before its modules. */
static bool has_modules(const struct bpf_object_skeleton *s)
{
	return s->sz >= offsetofend(struct bpf_object_skeleton, modules) && s->modules;
}

static int module_cnt(const struct bpf_object_skeleton *s)
{
	return has_modules(s) ? s->module_cnt : 0;
}

static struct bpf_module_skeleton *module_skel(const struct bpf_object_skeleton *s, int i)
{
	return (void *)s->modules + i * s->module_skel_sz;
}

int bpf_modules__open_skeleton(struct bpf_object_skeleton *s)
{
	int i;

	for (i = 0; i < module_cnt(s); i++) {
		struct bpf_module_skeleton *skel = module_skel(s, i);

		*skel->module = bpf_object__find_module_by_name(*s->obj, skel->name);
		if (!*skel->module) {
			pr_warn("skeleton '%s': the object has no module '%s'\n", s->name,
				skel->name);
			return -ESRCH;
		}
	}
	return 0;
}

/* It does not say which modules to attach, so none are. */
static void warn_of_old_skeleton(const struct bpf_object_skeleton *s)
{
	const struct bpf_module *mod;

	bpf_object__for_each_module(mod, *s->obj)
		if (bpf_module__is_declared(mod) && bpf_module__autoattach(mod) &&
		    bpf_module__is_loadable(mod))
			pr_warn("module '%s': BPF skeleton version is old, skipping module auto-attachment...\n",
				bpf_module__name(mod));
}

static struct bpf_prog_skeleton *prog_skel(const struct bpf_object_skeleton *s, int i)
{
	return (void *)s->progs + i * s->prog_skel_sz;
}

static int attach_modules(struct bpf_object_skeleton *s)
{
	int i;

	for (i = 0; i < module_cnt(s); i++) {
		struct bpf_module_skeleton *skel = module_skel(s, i);

		/* the user attaches it, or has left it or all its ops out */
		if (*skel->link || !bpf_module__autoattach(*skel->module) ||
		    !bpf_module__autocreate(*skel->module) ||
		    !bpf_module__is_loadable(*skel->module))
			continue;

		*skel->link = bpf_module__attach(*skel->module);
		if (!*skel->link)
			return -errno;
	}
	return 0;
}

/* A program whose link the user has put in the skeleton is not attached again. */
static int attach_modules_without(struct bpf_object_skeleton *s, const bool *was_there)
{
	bool *autoattach = calloc(s->prog_cnt ?: 1, sizeof(*autoattach));
	int i, err;

	if (!autoattach)
		return -ENOMEM;
	for (i = 0; i < s->prog_cnt; i++) {
		autoattach[i] = bpf_program__autoattach(*prog_skel(s, i)->prog);
		if (was_there[i])
			bpf_program__set_autoattach(*prog_skel(s, i)->prog, false);
	}

	err = attach_modules(s);
	for (i = 0; i < s->prog_cnt; i++)
		bpf_program__set_autoattach(*prog_skel(s, i)->prog, autoattach[i]);
	free(autoattach);
	return err;
}

/* Where the skeleton keeps its i-th link: those of programs, of maps, and of
 * modules. NULL if it has no place for it.
 */
static struct bpf_link **link_slot(const struct bpf_object_skeleton *s, int i)
{
	if (i < s->prog_cnt)
		return prog_skel(s, i)->link;

	i -= s->prog_cnt;
	if (i < s->map_cnt) {
		struct bpf_map_skeleton *map = (void *)s->maps + i * s->map_skel_sz;

		return s->map_skel_sz < sizeof(*map) ? NULL : map->link;
	}
	return module_skel(s, i - s->map_cnt)->link;
}

/* Destroy the links that were not there before, in reverse order. */
static void undo_attach(struct bpf_object_skeleton *s, const bool *was_there, int cnt)
{
	while (cnt-- > 0) {
		struct bpf_link **link = link_slot(s, cnt);

		if (!link || !*link || was_there[cnt])
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

int bpf_modules__attach_skeleton(struct bpf_object_skeleton *s,
				 int (*attach_rest)(struct bpf_object_skeleton *s))
{
	int cnt = s->prog_cnt + s->map_cnt + module_cnt(s), i, err;
	bool *was_there;

	if (!has_modules(s))
		warn_of_old_skeleton(s);
	if (!module_cnt(s))
		return attach_rest(s);

	was_there = calloc(cnt, sizeof(*was_there));
	if (!was_there)
		return -ENOMEM;
	for (i = 0; i < cnt; i++)
		was_there[i] = link_slot(s, i) && *link_slot(s, i);

	err = attach_rest(s) ?: attach_modules_without(s, was_there);
	if (err)
		undo_attach(s, was_there, cnt);

	free(was_there);
	return err;
}

void bpf_modules__detach_skeleton(struct bpf_object_skeleton *s)
{
	int i;

	for (i = module_cnt(s) - 1; i >= 0; i--) {
		struct bpf_module_skeleton *skel = module_skel(s, i);

		bpf_link__destroy(*skel->link);
		*skel->link = NULL;
	}
}

void bpf_modules__free_skeleton(struct bpf_object_skeleton *s)
{
	if (has_modules(s))
		free(s->modules);
}
