// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Pins that commands make of BPF modules.
 *
 * A pin is checked as far as possible before a module is loaded for it, and nothing is
 * mounted: a refused command changes nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "main.h"
#include "module.h"

static int pin_error(const char *path, const char *why)
{
	p_err("can't pin to %s: %s", path, why);
	return -1;
}

/* The state of the module of a dead pin: "gone", or "replaced" if it is @replaced_id.
 * NULL for any other file.
 */
static const char *what_became_of(const char *path, __u32 replaced_id)
{
	struct bpf_module_info info;
	const char *became = NULL;
	int fd;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return NULL;

	if (get_fd_type(fd) == BPF_OBJ_MODULE && !module_get_info(fd, &info)) {
		if (info.state == BPF_MODULE_STATE_GONE)
			became = "gone";
		else if (replaced_id && info.id == replaced_id)
			became = "replaced";
	}
	close(fd);
	return became;
}

static int check_folder(const char *path, const char *folder)
{
	struct stat st;

	if (stat(folder, &st))
		p_err("can't pin to %s: folder %s: %s", path, folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		p_err("can't pin to %s: %s is not a folder", path, folder);
	else if (!is_bpffs(folder))
		p_err("can't pin to %s: no BPF file system is mounted at %s", path, folder);
	else if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS))
		p_err("can't pin to %s: folder %s: %s", path, folder, strerror(errno));
	else
		return 0;
	return -1;
}

int module_pin_check(struct module_pin *pin, const char *path, int replace_fd)
{
	const char *name = strrchr(path, '/');
	struct bpf_module_info info = {};
	struct stat st;
	char *copy;
	int err;

	pin->path = path;
	name = name ? name + 1 : path;
	if (!*name)
		return pin_error(path, "a name is missing");

	copy = strdup(path);
	if (!copy)
		return pin_error(path, strerror(ENOMEM));
	err = check_folder(path, dirname(copy));
	free(copy);
	if (err)
		return err;
	if (strchr(name, '.'))
		return pin_error(path, "a name in a BPF file system has no '.'");

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : pin_error(path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return pin_error(path, "it is a symbolic link");
	if (replace_fd >= 0)
		module_get_info(replace_fd, &info);
	pin->replaced_id = info.id;
	pin->old = what_became_of(path, info.id);
	return pin->old ? 0 : pin_error(path, strerror(EEXIST));
}

int module_pin_put(struct module_pin *pin, int fd)
{
	/* it may be another pin by now */
	if (pin->old && what_became_of(pin->path, pin->replaced_id))
		unlink(pin->path);
	if (bpf_obj_pin(fd, pin->path)) {
		p_err("can't pin to %s: %s%s", pin->path, strerror(errno), pin->note ?: "");
		return -1;
	}
	if (pin->old)
		p_info("%s, the pin of a module that is %s, now belongs to the new one",
		       pin->path, pin->old);
	return 0;
}

int module_pin_fd(int fd, const char *path)
{
	struct module_pin pin = {};

	return module_pin_check(&pin, path, -1) ?: module_pin_put(&pin, fd);
}

/* Is there something where the map is to be pinned? */
static bool is_pinned_already(const struct bpf_map *map)
{
	const char *path = bpf_map__pin_path(map);

	return path && !access(path, F_OK);
}

/* Missing folders are made, within a mounted BPF file system. */
static bool is_below_bpffs(char *path)
{
	struct stat st;

	do {
		path = dirname(path);
	} while (stat(path, &st) && errno == ENOENT);
	return is_bpffs(path);
}

static int hold_map_pin(struct module_map_pin *pin, struct bpf_map *map)
{
	char *copy = strdup(bpf_map__pin_path(map));
	bool is_there = copy && is_below_bpffs(copy);

	free(copy);
	pin->map = map;
	pin->path = strdup(bpf_map__pin_path(map));
	if (!copy || !pin->path || bpf_map__set_pin_path(map, NULL))
		p_err("mem alloc failed");
	else if (!is_there)
		p_err("can't pin map %s to %s: no BPF file system is mounted there",
		      module_text(bpf_map__name(map)), pin->path);
	else
		return 0;
	return -1;
}

int module_map_pins_hold(struct module_map_pins *pins, const struct bpf_object *obj)
{
	struct bpf_map *map;
	size_t cnt = 0;

	bpf_object__for_each_map(map, obj)
		cnt++;
	pins->pins = calloc(cnt + 1, sizeof(*pins->pins));
	if (!pins->pins) {
		p_err("mem alloc failed");
		return -1;
	}
	bpf_object__for_each_map(map, obj)
		if (bpf_map__pin_path(map) && !is_pinned_already(map) &&
		    hold_map_pin(&pins->pins[pins->cnt++], map))
			return -1;
	return 0;
}

/* Remove the pins before @end, which we have made. */
static void undo_map_pins(struct module_map_pins *pins, struct module_map_pin *end)
{
	while (end-- > pins->pins)
		if (bpf_map__fd(end->map) >= 0)
			bpf_map__unpin(end->map, end->path);
}

void module_map_pins_undo(struct module_map_pins *pins)
{
	undo_map_pins(pins, pins->pins + pins->cnt);
}

int module_map_pins_put(struct module_map_pins *pins, const char *note)
{
	struct module_map_pin *pin;

	for (pin = pins->pins; pin < pins->pins + pins->cnt; pin++) {
		/* left out of the load */
		if (bpf_map__fd(pin->map) < 0 || !bpf_map__pin(pin->map, pin->path))
			continue;
		p_err("can't pin map %s to %s: %s%s", module_text(bpf_map__name(pin->map)),
		      pin->path, strerror(errno), note);
		undo_map_pins(pins, pin);
		return -1;
	}
	return 0;
}

void module_map_pins_free(struct module_map_pins *pins)
{
	while (pins->cnt)
		free(pins->pins[--pins->cnt].path);
	free(pins->pins);
}
