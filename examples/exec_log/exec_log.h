/* SPDX-License-Identifier: GPL-2.0 */
/* A record of exec_log, as the program writes it and exec_tail reads it. */
#ifndef _EXEC_LOG_H
#define _EXEC_LOG_H

struct exec_record {
	__u64 time;	/* ns since boot */
	__u32 pid;
	__u32 uid;
	char file[240];
};

#endif
