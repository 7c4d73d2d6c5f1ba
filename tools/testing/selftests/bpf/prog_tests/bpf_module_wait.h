/* SPDX-License-Identifier: GPL-2.0 */
/* Waiting for what the kernel does asynchronously. */
#ifndef __BPF_MODULE_WAIT_H
#define __BPF_MODULE_WAIT_H

#include <poll.h>
#include <test_progs.h>

/* Freeing and the closing of connections are asynchronous. */
#define BM_WAIT_MS	20000

#define bm_wait(cond) ({					\
	int ___ms;						\
	bool ___ok;						\
								\
	for (___ms = 0; !(___ok = (cond)); ___ms++) {		\
		if (___ms == BM_WAIT_MS)			\
			break;					\
		usleep(1000);					\
	}							\
	___ok;							\
})

/* Returns what the fd polls within @timeout ms, 0 for nothing. */
static inline short bm_revents(int fd, int timeout)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, timeout) < 0 ? -1 : pfd.revents;
}

#endif /* __BPF_MODULE_WAIT_H */
