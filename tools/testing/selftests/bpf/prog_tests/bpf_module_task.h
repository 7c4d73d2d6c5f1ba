/* SPDX-License-Identifier: GPL-2.0 */
/* Threads: something that may get stuck, and somebody without capabilities. */
#ifndef __BPF_MODULE_TASK_H
#define __BPF_MODULE_TASK_H

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_wait.h"

/* Something that may get stuck, and so runs in a thread. It asserts nothing itself. */
struct bm_task {
	pthread_t thread;
	void *(*fn)(void *arg);
	void *arg;
	void *ret;
	bool done;
};

static inline void *bm_task_run(void *arg)
{
	struct bm_task *task = arg;

	task->ret = task->fn(task->arg);
	__atomic_store_n(&task->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline bool bm_task_start(struct bm_task *task, void *(*fn)(void *arg), void *arg)
{
	task->fn = fn;
	task->arg = arg;
	task->ret = NULL;
	task->done = false;
	return ASSERT_OK(pthread_create(&task->thread, NULL, bm_task_run, task), "thread");
}

/* Waits as long as the task itself may wait, and some more. */
static inline bool bm_task_ends(struct bm_task *task)
{
	int i;

	for (i = 0; i < 3; i++)
		if (bm_wait(__atomic_load_n(&task->done, __ATOMIC_ACQUIRE)))
			return true;
	return false;
}

static inline void *bm_task_join(struct bm_task *task)
{
	pthread_join(task->thread, NULL);
	return task->ret;
}

/* Only this thread is user 1000 from now on, without any capability. */
static inline bool bm_become_user(void)
{
	return !syscall(__NR_setresgid, 1000, 1000, 1000) &&
	       !syscall(__NR_setresuid, 1000, 1000, 1000);
}

/* After a thread has changed its user, the owner may not look at the process. */
static inline void bm_users_left(void)
{
	ASSERT_OK(prctl(PR_SET_DUMPABLE, 1), "dumpable");
}

#endif /* __BPF_MODULE_TASK_H */
