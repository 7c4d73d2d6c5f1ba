// SPDX-License-Identifier: GPL-2.0
/*
 * Programs become callers of a library, run and go, while the library is unloaded, drained,
 * replaced and loaded again: whoever became a caller runs the function that he was linked
 * with, and in the end nothing is left.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/filter.h>
#include <pthread.h>
#include <test_progs.h>
#include "bpf_module_caller.h"
#include "bpf_module_func.h"
#include "bpf_module_info.h"
#include "bpf_module_report.h"
#include "bpf_module_syscall.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

#define NAME_RACE	"bm_race"
#define CALLERS		3	/* threads that load callers */
#define ENDS		300	/* times that a library is ended */
#define VALUE		40	/* what the function returns, and the round's number */

enum way { WAY_UNLOAD, WAY_DRAIN, WAY_REPLACE, WAYS };

static struct {
	struct bm_lib libs[2];		/* the same, each with a program of its own */
	int fd;				/* of the one that is loaded, -1 for none */
	bool stop;			/* enough callers */
	bool failed;
	int won, late, ended[WAYS], busy[WAYS];
} race;

static void race_fail(const char *what, int err)
{
	printf("%s: %d\n", what, err);
	WRITE_ONCE(race.failed, true);
}

/* Loads a caller of the library with that fd, and runs it. The log is each thread's own. */
static void call_once(int module_fd)
{
	const int fds[] = { -1, module_fd };
	const struct bpf_insn insns[] = {
		BPF_MOV64_IMM(BPF_REG_1, 2),
		BM_CALL(1, 1),
		BPF_EXIT_INSN(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds);
	long long ret;
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "bm_racer", "GPL", insns, ARRAY_SIZE(insns),
			   &opts);
	if (fd == -ENOENT) {
		__sync_fetch_and_add(&race.late, 1);
		return;
	}
	if (fd < 0) {
		race_fail("load a caller", fd);
		return;
	}
	__sync_fetch_and_add(&race.won, 1);
	/* it is there, whatever becomes of the module meanwhile */
	ret = bm_run(fd);
	if (ret != VALUE + 2)
		race_fail("what a function returns", ret);
	close(fd);
}

static void *load_callers(void *arg)
{
	int fd;

	while (!READ_ONCE(race.stop)) {
		/* its number may be another's next moment, this one's file is kept */
		fd = bpf_module_get_fd_by_id(bm_find(NAME_RACE));
		if (fd < 0) {
			usleep(100);
			continue;
		}
		call_once(fd);
		close(fd);
	}
	return NULL;
}

/* Loads the library that is not loaded, or has it take over. A program may be busy yet. */
static int load_next(int nr, int old_fd)
{
	struct bpf_module_func funcs[1];
	union bpf_attr attr;

	bm_lib_attr(&race.libs[nr], NAME_RACE, &attr, funcs);
	if (old_fd >= 0) {
		attr.module_load.flags = BPF_F_MODULE_REPLACE;
		attr.module_load.replace_fd = old_fd;
	}
	return bm_sys_bpf(BPF_MODULE_LOAD, &attr, sizeof(attr));
}

static int end_it(enum way way, int nr, int *next_fd)
{
	int fd = race.fd;

	*next_fd = -1;
	switch (way) {
	case WAY_UNLOAD:
		return bpf_module_unload(fd, NULL);
	case WAY_DRAIN:
		return bm_drain(fd);
	default:
		*next_fd = load_next(nr, fd);
		return *next_fd < 0 ? *next_fd : 0;
	}
}

static bool open_race_lib(struct bm_lib *l)
{
	int func;

	if (!bm_lib_open(l))
		return false;
	func = bm_lib_func(l, "forty", l->int_id, BTF_FUNC_GLOBAL);
	return bm_lib_load_btf(l) &&
	       BM_LIB_ADD(l, func, 0, NULL,
			  BPF_MOV64_REG(BPF_REG_0, BPF_REG_1),
			  BPF_ALU64_IMM(BPF_ADD, BPF_REG_0, VALUE),
			  BPF_EXIT_INSN());
}

/* Ends the library that is loaded, in any of the ways, and loads the other one. */
static void end_and_load(void)
{
	int i = 0, err, next_fd, nr = 0;

	while (i < ENDS && !READ_ONCE(race.failed)) {
		enum way way = rand() % WAYS;

		/* at once nobody has come, and later somebody is always there */
		if (rand() % 2)
			usleep(rand() % 2000);
		if (race.fd < 0) {
			race.fd = load_next(nr, -1);
			/* the drained one's callers keep the program */
			if (race.fd < 0 && race.fd != -EBUSY)
				race_fail(race.libs[nr].log, race.fd);
			continue;
		}
		err = end_it(way, !nr, &next_fd);
		if (err == -EBUSY) {
			race.busy[way]++;
			continue;
		}
		if (err) {
			race_fail("end it", err);
			break;
		}
		race.ended[way]++;
		i++;
		close(race.fd);
		race.fd = next_fd;
		nr = !nr;
	}
}

static int count_caller_progs(void)
{
	struct bpf_prog_info info;
	__u32 id = 0, len;
	int fd, cnt = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len))
			cnt += !strcmp(info.name, "bm_racer");
		bm_close(&fd);
	}
	return cnt;
}

void serial_test_bpf_module_func_race(void)
{
	pthread_t threads[CALLERS];
	int i, started;

	memset(&race, 0, sizeof(race));
	race.fd = -1;
	if (!open_race_lib(&race.libs[0]) || !open_race_lib(&race.libs[1]))
		return;
	for (started = 0; started < CALLERS; started++)
		if (!ASSERT_OK(pthread_create(&threads[started], NULL, load_callers, NULL),
			       "thread"))
			break;
	end_and_load();
	WRITE_ONCE(race.stop, true);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	ASSERT_FALSE(race.failed, "failed");
	ASSERT_GT(race.won, 0, "callers in time");
	for (i = 0; i < WAYS; i++)
		ASSERT_GT(race.ended[i], 0, "ended each way");

	if (race.fd >= 0)
		bm_drain(race.fd);
	bm_close(&race.fd);
	ASSERT_TRUE(bm_wait(!bm_find(NAME_RACE)), "gone");
	ASSERT_TRUE(bm_wait(!count_caller_progs()), "no callers are left");
	for (i = 0; i < 2; i++)
		bm_lib_close(&race.libs[i]);
	bm_report("bpf_module_func_race: %d callers in time, %d too late\n", race.won, race.late);
	bm_report("bpf_module_func_race: unloaded %d (busy %d), drained %d, replaced %d (%d)\n",
		  race.ended[WAY_UNLOAD], race.busy[WAY_UNLOAD], race.ended[WAY_DRAIN],
		  race.ended[WAY_REPLACE], race.busy[WAY_REPLACE]);
}
