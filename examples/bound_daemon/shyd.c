// SPDX-License-Identifier: GPL-2.0
/*
 * shyd [LIMIT]: run the congestion control "shy" as long as this daemon runs
 *
 * The module is bound: however the daemon ends, its fd is closed then, and the
 * kernel drains the module.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf_module.h>
#include "tcp_shy.skel.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

static void serve(struct tcp_shy *skel)
{
	while (!stop) {
		sleep(1);
		printf("shyd: limit %u, %llu segments acknowledged\n", skel->data->limit,
		       skel->bss->acks);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct tcp_shy *skel;
	int err = 1;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = tcp_shy__open_and_load();
	if (!skel) {
		fprintf(stderr, "shyd: can't load tcp_shy: %s\n", strerror(errno));
		return 1;
	}
	if (argc > 1)
		skel->data->limit = strtoul(argv[1], NULL, 0);

	bpf_module__set_flags(skel->modules.tcp_shy, BPF_F_MODULE_BOUND);
	/* libbpf prints the kernel's reason if it does not want the module */
	if (!tcp_shy__attach(skel)) {
		serve(skel);
		err = 0;
	}

	/* sockets that use it still keep their programs until they end */
	tcp_shy__destroy(skel);
	return err;
}
