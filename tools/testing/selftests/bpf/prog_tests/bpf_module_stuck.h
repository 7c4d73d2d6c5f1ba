/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that nobody pages in: whoever accesses it, even the kernel, is stuck until
 * the test releases it.
 */
#ifndef __BPF_MODULE_STUCK_H
#define __BPF_MODULE_STUCK_H

#include "bpf_module_helpers.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

struct bm_page {
	void *addr;
	size_t size;
	int uffd;
};

static inline void bm_page_close(struct bm_page *page)
{
	if (page->uffd >= 0)
		close(page->uffd);
	munmap(page->addr, page->size);
}

static inline bool bm_page_open(struct bm_page *page)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	page->size = getpagesize();
	page->addr = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (!ASSERT_NEQ(page->addr, MAP_FAILED, "mmap"))
		return false;
	reg.range.start = (unsigned long)page->addr;
	reg.range.len = page->size;
	page->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (ASSERT_OK_FD(page->uffd, "userfaultfd") &&
	    ASSERT_OK(ioctl(page->uffd, UFFDIO_API, &api), "userfaultfd api") &&
	    ASSERT_OK(ioctl(page->uffd, UFFDIO_REGISTER, &reg), "userfaultfd register"))
		return true;
	bm_page_close(page);
	return false;
}

/* Waits until somebody is stuck at @page. */
static inline bool bm_page_reached(const struct bm_page *page)
{
	struct pollfd pfd = { .fd = page->uffd, .events = POLLIN };

	return poll(&pfd, 1, BM_WAIT_MS) == 1 && pfd.revents == POLLIN;
}

/* Provides @page, with @len bytes of @data and zeroes after that. */
static inline void bm_page_release(const struct bm_page *page, const void *data, size_t len)
{
	struct uffdio_copy copy = { .dst = (unsigned long)page->addr, .len = page->size };
	void *buf = calloc(1, page->size);

	if (!ASSERT_OK_PTR(buf, "calloc"))
		return;
	if (len)
		memcpy(buf, data, len);
	copy.src = (unsigned long)buf;
	ASSERT_OK(ioctl(page->uffd, UFFDIO_COPY, &copy), "bring the page in");
	free(buf);
}

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

#endif /* __BPF_MODULE_STUCK_H */
