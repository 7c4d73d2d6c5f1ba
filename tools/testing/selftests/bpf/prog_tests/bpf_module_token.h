/* SPDX-License-Identifier: GPL-2.0 */
/* A BPF token for a child in a user namespace of its own. */
#ifndef __BPF_MODULE_TOKEN_H
#define __BPF_MODULE_TOKEN_H

#include <linux/mount.h>
#include <sys/syscall.h>
#include <test_progs.h>

/* The two ends of a conversation between parent and child. */
struct bm_talk {
	int up[2];
	int down[2];
};

static inline bool bm_talk_open(struct bm_talk *talk)
{
	return ASSERT_OK(pipe(talk->up) || pipe(talk->down), "pipe");
}

/* In the child, in its own user and mount namespace: a token fd or -1. */
static inline int bm_token_ask(const struct bm_talk *talk)
{
	int fs_fd, mnt_fd, dir_fd;
	char c;

	fs_fd = syscall(__NR_fsopen, "bpf", 0);
	if (write(talk->up[1], &fs_fd, sizeof(fs_fd)) != sizeof(fs_fd) ||
	    read(talk->down[0], &c, 1) != 1)
		return -1;
	mnt_fd = syscall(__NR_fsmount, fs_fd, 0, 0);
	dir_fd = openat(mnt_fd, ".", O_RDONLY);
	return bpf_token_create(dir_fd, NULL);
}

/* Allows the child's file system to create tokens for @cmds, and for everything else. */
static inline bool bm_token_delegate(pid_t child, int child_fs_fd, const char *cmds)
{
	static const char * const keys[] = { "delegate_maps", "delegate_progs",
					     "delegate_attachs" };
	int i, pidfd, fs_fd, err;

	pidfd = syscall(__NR_pidfd_open, child, 0);
	fs_fd = syscall(__NR_pidfd_getfd, pidfd, child_fs_fd, 0);
	close(pidfd);
	if (!ASSERT_OK_FD(fs_fd, "child's file system"))
		return false;
	err = syscall(__NR_fsconfig, fs_fd, FSCONFIG_SET_STRING, "delegate_cmds", cmds, 0);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		err |= syscall(__NR_fsconfig, fs_fd, FSCONFIG_SET_STRING, keys[i], "any", 0);
	err |= syscall(__NR_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	close(fs_fd);
	return ASSERT_OK(err, "delegate");
}

/* In the parent: answers the child's requests. */
static inline void bm_token_give_cmds(struct bm_talk *talk, pid_t child, const char *cmds)
{
	int fs_fd;

	close(talk->up[1]);
	close(talk->down[0]);
	if (ASSERT_EQ(read(talk->up[0], &fs_fd, sizeof(fs_fd)), sizeof(fs_fd), "child's fd") &&
	    bm_token_delegate(child, fs_fd, cmds))
		ASSERT_EQ(write(talk->down[1], "", 1), 1, "let the child go on");
	close(talk->down[1]);
	close(talk->up[0]);
}

static inline void bm_token_give(struct bm_talk *talk, pid_t child)
{
	bm_token_give_cmds(talk, child, "any");
}

#endif /* __BPF_MODULE_TOKEN_H */
