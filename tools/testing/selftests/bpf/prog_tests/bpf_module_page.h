/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that nobody pages in: whoever accesses it, even the kernel, is stuck until
 * the test releases it.
 */
#ifndef __BPF_MODULE_PAGE_H
#define __BPF_MODULE_PAGE_H

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_wait.h"

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

#endif /* __BPF_MODULE_PAGE_H */
