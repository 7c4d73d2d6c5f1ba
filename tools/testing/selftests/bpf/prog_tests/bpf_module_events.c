// SPDX-License-Identifier: GPL-2.0
/* What is recorded about modules: tracepoints, and audit. */
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/stat.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_scx.h"
#include "bpf_module_tcp.h"
#include "bpf_module_type.h"
#include "bpf_module_unload.h"
#include "bpf_module_wait.h"

#define BM_TRACE "/sys/kernel/tracing/instances/bm_events/"

static bool trace_on(void)
{
	return ASSERT_OK(mkdir("/sys/kernel/tracing/instances/bm_events", 0700), "instance") &&
	       ASSERT_OK(write_sysctl(BM_TRACE "events/bpf_module/enable", "1"), "enable");
}

static void trace_off(void)
{
	rmdir("/sys/kernel/tracing/instances/bm_events");
}

/* Returns what is after "@event: " the @nth time, cut at its end of line. */
static char *find_event(char *buf, const char *event, int nth)
{
	char pattern[64], *line = buf;

	snprintf(pattern, sizeof(pattern), "%s: ", event);
	do {
		line = strstr(line, pattern);
		if (!line)
			return NULL;
		line += strlen(pattern);
	} while (nth--);
	return line;
}

static void check_event(char *buf, const char *event, int nth, const char *expected)
{
	/* none of these modules has links, and for one op nothing more is shown */
	const char *end = strstr(event, "withdraw") ? "\n" : " links=0\n";
	char *line = find_event(buf, event, nth);

	if (!ASSERT_OK_PTR(line, event))
		return;
	ASSERT_STRNEQ(line, expected, strlen(expected), event);
	ASSERT_STRNEQ(line + strlen(expected), end, strlen(end), "end of the line");
}

static void read_trace(char *buf, int size)
{
	int fd = open(BM_TRACE "trace", O_RDONLY);

	buf[0] = 0;
	if (ASSERT_OK_FD(fd, "open trace")) {
		bm_read_all(fd, buf, size);
		close(fd);
	}
}

/* Reads the trace; modules that other tests have unloaded may be freed, too. */
static bool freed(char *buf, int size, const char *expected)
{
	char *line;
	int i;

	read_trace(buf, size);
	for (i = 0; (line = find_event(buf, "bpf_module_free", i)); i++)
		if (!strncmp(line, expected, strlen(expected)))
			return true;
	return false;
}

static void test_tracepoints(void)
{
	char buf[4096], expected[2][64];
	struct bm_cc cc;
	int i, fd, sock;

	if (!bm_cc_open(&cc))
		return;
	if (!trace_on())
		goto out;
	bm_cc_add(&cc, "bm_traced");
	fd = bm_cc_load(&cc, "bm_traced");
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	for (i = 0; i < 2; i++)
		snprintf(expected[i], sizeof(expected[i]), "id=%u name=bm_traced users=%d",
			 bm_find("bm_traced"), i);
	sock = bm_socket(AF_INET, "bm_traced");
	ASSERT_OK(bm_drain(fd), "drain");
	close(sock);
	ASSERT_TRUE(bm_wait(freed(buf, sizeof(buf), expected[0])), "bpf_module_free");
	check_event(buf, "bpf_module_load", 0, expected[0]);
	/* the user is counted at both ends of its use */
	check_event(buf, "bpf_module_get", 0, expected[1]);
	check_event(buf, "bpf_module_unload", 0, expected[1]);
	check_event(buf, "bpf_module_put", 0, expected[1]);
	ASSERT_NULL(find_event(buf, "bpf_module_load", 1), "a second load");
	ASSERT_NULL(find_event(buf, "bpf_module_get", 1), "a second get");
	ASSERT_NULL(find_event(buf, "bpf_module_put", 1), "a second put");
	close(fd);
out:
	trace_off();
	bm_cc_close(&cc);
}

/* A failed load is not recorded as one; a replacement is a load and an unload. */
static void test_tracepoints_replace(void)
{
	char buf[4096], expected[64], expected_old[64];
	struct bm_cc old, cc;
	int fd, old_fd;

	old_fd = bm_cc_open_load(&old, "bm_traced", "bm_traced");
	if (old_fd < 0)
		return;
	if (!bm_cc_open(&cc))
		goto out_old;
	if (!trace_on())
		goto out;
	bm_cc_add(&cc, "bm_traced");
	ASSERT_EQ(bm_cc_load(&cc, "bm_traced"), -EEXIST, "load that fails");
	snprintf(expected_old, sizeof(expected_old), "id=%u name=bm_traced users=0",
		 bm_find("bm_traced"));
	fd = bm_cc_replace(&cc, old_fd);
	if (ASSERT_OK_FD(fd, "replace")) {
		snprintf(expected, sizeof(expected), "id=%u name=bm_traced users=0",
			 bm_find("bm_traced"));
		read_trace(buf, sizeof(buf));
		check_event(buf, "bpf_module_load", 0, expected);
		check_event(buf, "bpf_module_unload", 0, expected_old);
		ASSERT_NULL(find_event(buf, "bpf_module_load", 1), "a second load");
		bm_drain(fd);
		close(fd);
	}
out:
	trace_off();
	bm_cc_close(&cc);
out_old:
	bm_cc_cleanup(&old, old_fd);
}

/* The reason for which an op was withdrawn, too. */
static void test_tracepoint_withdraw(void)
{
	char buf[4096], expected[128];
	struct bm_type type;
	struct bm_cc cc;
	int fd;

	if (!bm_type_open(&type, NULL, "sched_ext_ops"))
		return;
	if (!bm_cc_open_empty(&cc))
		goto out;
	cc.extra_fd = bm_prog_load(&type, "init", "bm_init", 0);
	bm_scx_add(&cc, &type, "bm_withdraw", cc.extra_fd);
	fd = bm_cc_load(&cc, "bm_withdraw");
	if (ASSERT_OK_FD(fd, "load") && trace_on()) {
		snprintf(expected, sizeof(expected),
			 "id=%u name=bm_withdraw reason=disabled by sysrq-S",
			 bm_find("bm_withdraw"));
		bm_scx_sysrq();
		ASSERT_EQ(bm_revents(fd, BM_WAIT_MS), POLLHUP, "poll");
		read_trace(buf, sizeof(buf));
		check_event(buf, "bpf_module_withdraw", 0, expected);
		ASSERT_NULL(find_event(buf, "bpf_module_withdraw", 1), "a second time");
		trace_off();
	}
	bm_cc_cleanup(&cc, fd);
out:
	bm_type_close(&type);
}

/* Switches the audit subsystem on or off. */
static int audit_enable(int sock, __u32 on)
{
	struct {
		struct nlmsghdr nlh;
		struct audit_status status;
	} msg = {
		.nlh = {
			.nlmsg_len = sizeof(msg),
			.nlmsg_type = AUDIT_SET,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.status = { .mask = AUDIT_STATUS_ENABLED, .enabled = on },
	};

	return send(sock, &msg, sizeof(msg), 0) == sizeof(msg) ? 0 : -errno;
}

/* Waits for a record of BPF that has @text. */
static bool audit_wait(int sock, const char *text)
{
	struct {
		struct nlmsghdr nlh;
		char data[2048];
	} msg;
	int len;

	for (;;) {
		len = recv(sock, &msg, sizeof(msg) - 1, 0);
		if (len < (int)sizeof(msg.nlh))
			return false;
		((char *)&msg)[len] = 0;
		if (msg.nlh.nlmsg_type == AUDIT_BPF && strstr(msg.data, text))
			return true;
	}
}

static void test_audit(void)
{
	struct timeval timeout = { .tv_sec = BM_WAIT_MS / 1000 };
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	char load[128], unload[128];
	struct bm_cc cc;
	int fd, sock;

	if (!bm_cc_open(&cc))
		return;
	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (!ASSERT_OK_FD(sock, "socket"))
		goto out;
	ASSERT_OK(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "timeout");
	ASSERT_OK(bind(sock, (void *)&addr, sizeof(addr)), "bind");
	ASSERT_OK(audit_enable(sock, 1), "audit on");
	bm_cc_add(&cc, "bm_audit");
	fd = bm_cc_load(&cc, "bm_audit");
	if (ASSERT_OK_FD(fd, "load")) {
		snprintf(load, sizeof(load), "module-id=%u module-name=bm_audit op=LOAD",
			 bm_find("bm_audit"));
		snprintf(unload, sizeof(unload), "module-id=%u module-name=bm_audit op=UNLOAD",
			 bm_find("bm_audit"));
		ASSERT_TRUE(audit_wait(sock, load), "record of the load");
		ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
		ASSERT_TRUE(audit_wait(sock, unload), "record of the unload");
		close(fd);
	}
	ASSERT_OK(audit_enable(sock, 0), "audit off");
	close(sock);
out:
	bm_cc_close(&cc);
}

void serial_test_bpf_module_events(void)
{
	if (test__start_subtest("tracepoints"))
		test_tracepoints();
	if (test__start_subtest("tracepoints_replace"))
		test_tracepoints_replace();
	if (test__start_subtest("tracepoint_withdraw"))
		test_tracepoint_withdraw();
	if (test__start_subtest("audit"))
		test_audit();
}
