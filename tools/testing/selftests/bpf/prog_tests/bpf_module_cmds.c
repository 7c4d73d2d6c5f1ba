// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of BPF modules have numbers above all others. Neither bpf(2) nor the
 * mask of a BPF token takes the numbers in the gap before them for commands.
 */
#include <bpf/btf.h>
#include <ctype.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <test_progs.h>
#include "bpf_module_file.h"
#include "bpf_module_syscall.h"
#include "bpf_module_token.h"
#include "bpf_module_type.h"

#define BM_CMD_BITS	64
#define BM_CMDS_LEN	2048

/* The numbers that have a command, and its name as mount options have it. */
struct cmds {
	__u64 mask;
	char name[BM_CMD_BITS][64];
};

static bool cmds_open(struct cmds *cmds)
{
	struct btf *btf = bm_vmlinux_btf();
	const struct btf_type *t;
	const struct btf_enum *e;
	const char *name;
	int i, c, id;

	memset(cmds, 0, sizeof(*cmds));
	id = btf__find_by_name_kind(btf, "bpf_cmd", BTF_KIND_ENUM);
	if (!ASSERT_GT(id, 0, "enum bpf_cmd"))
		return false;
	t = btf__type_by_id(btf, id);
	for (i = 0, e = btf_enum(t); i < btf_vlen(t); i++, e++) {
		name = btf__name_by_offset(btf, e->name_off);
		/* the end marker is no command, and only the first name of a command
		 * is shown
		 */
		if (strncmp(name, "BPF_", 4) || cmds->mask & (1ULL << e->val))
			continue;
		cmds->mask |= 1ULL << e->val;
		for (c = 0; name[c + 4]; c++)
			cmds->name[e->val][c] = tolower(name[c + 4]);
	}
	return true;
}

/* All commands in @mask, in the form of mount options. */
static void cmds_join(const struct cmds *cmds, __u64 mask, char *buf)
{
	int i, len = 0;

	buf[0] = 0;
	for (i = 0; i < BM_CMD_BITS; i++)
		if (cmds->mask & mask & (1ULL << i))
			len += snprintf(buf + len, BM_CMDS_LEN - len, "%s%s", len ? ":" : "",
					cmds->name[i]);
}

static void test_numbers(const struct cmds *cmds)
{
	ASSERT_STREQ(cmds->name[56], "module_load", "command 56");
	ASSERT_STREQ(cmds->name[57], "module_unload", "command 57");
	ASSERT_STREQ(cmds->name[58], "module_get_info", "command 58");
	ASSERT_STREQ(cmds->name[59], "module_get_next_id", "command 59");
	ASSERT_STREQ(cmds->name[60], "module_get_fd_by_id", "command 60");
}

static void test_no_command(const struct cmds *cmds)
{
	union bpf_attr attr;
	int cmd, cnt = 0;

	for (cmd = 0; cmd < 2 * BM_CMD_BITS; cmd++) {
		if (cmd < BM_CMD_BITS && cmds->mask & (1ULL << cmd))
			continue;
		memset(&attr, 0, sizeof(attr));
		if (!ASSERT_EQ(bm_sys_bpf(cmd, &attr, sizeof(attr)), -EINVAL, "no command") ||
		    !ASSERT_EQ(bm_sys_bpf(cmd, NULL, 0), -EINVAL, "no command, no attributes"))
			printf("number %d\n", cmd);
		cnt++;
	}
	ASSERT_GT(cnt, BM_CMD_BITS, "numbers tried");
}

/* The commands that the file system at @dir delegates according to mountinfo. */
static bool delegated(const char *dir, char *buf)
{
	char line[2 * BM_CMDS_LEN], *cmds;
	FILE *f = fopen("/proc/self/mountinfo", "r");
	bool found = false;

	if (!ASSERT_OK_PTR(f, "open mountinfo"))
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, dir);
	fclose(f);
	cmds = strstr(line, "delegate_cmds=");
	buf[0] = 0;
	if (found && cmds) {
		cmds += strlen("delegate_cmds=");
		snprintf(buf, BM_CMDS_LEN, "%.*s", (int)strcspn(cmds, ",\n"), cmds);
	}
	return ASSERT_TRUE(found, "mounted");
}

/* A file system with @given for delegate_cmds shows @expected, "" for nothing. */
static void check_shown(const char *given, const char *expected)
{
	char dir[] = "/tmp/bm_cmds.XXXXXX", shown[BM_CMDS_LEN], opts[BM_CMDS_LEN + 32];

	if (!ASSERT_OK_PTR(mkdtemp(dir), "mkdtemp"))
		return;
	snprintf(opts, sizeof(opts), "delegate_cmds=%s", given);
	if (ASSERT_OK(mount("bpffs", dir, "bpf", 0, opts), given)) {
		if (delegated(dir, shown))
			ASSERT_STREQ(shown, expected, given);
		ASSERT_OK(umount(dir), "umount");
	}
	rmdir(dir);
}

static void check_mask_shown(__u64 mask, const char *expected)
{
	char given[32];

	snprintf(given, sizeof(given), "0x%llx", mask);
	check_shown(given, expected);
}

static void test_mount(const struct cmds *cmds)
{
	char all[BM_CMDS_LEN], some[BM_CMDS_LEN];
	int i;

	cmds_join(cmds, ~0ULL, all);
	check_shown("any", "any");
	check_shown(all, "any");
	check_mask_shown(cmds->mask, "any");
	check_mask_shown(~0ULL, "any");

	check_shown("MODULE_LOAD:prog_load", "prog_load:module_load");
	cmds_join(cmds, ~(1ULL << BPF_MODULE_LOAD), some);
	check_mask_shown(cmds->mask & ~(1ULL << BPF_MODULE_LOAD), some);

	/* unknown commands are left out, as they are without a gap */
	check_mask_shown(~cmds->mask, "");
	check_mask_shown(~cmds->mask | 1ULL << BPF_MODULE_UNLOAD, "module_unload");
	check_mask_shown(1ULL << (BPF_MODULE_LOAD - 1), "");
	for (i = 0; i < BM_CMD_BITS; i++)
		if (cmds->mask & (1ULL << i)) {
			check_shown(cmds->name[i], cmds->name[i]);
			check_mask_shown(1ULL << i, cmds->name[i]);
		}
}

/* In a user namespace: what the token created there reports. */
static int token_says(const struct bm_talk *talk, const char *expected)
{
	char buf[256], *said;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 1;
	fd = bm_token_ask(talk);
	if (fd < 0)
		return 2;
	said = bm_fdinfo(fd, "allowed_cmds", buf, sizeof(buf));
	if (said && !strcmp(said, expected))
		return 0;
	dprintf(STDERR_FILENO, "allowed_cmds: %s, expected %s\n", said ?: "none", expected);
	return 3;
}

static void check_token(const char *given, const char *expected)
{
	struct bm_talk talk;
	pid_t child;
	int status;

	if (!bm_talk_open(&talk))
		return;
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(token_says(&talk, expected));
	if (!ASSERT_GT(child, 0, "fork"))
		return;
	bm_token_give_cmds(&talk, child, given);
	ASSERT_EQ(waitpid(child, &status, 0), child, "waitpid");
	ASSERT_EQ(status, 0, given);
}

static void test_token(const struct cmds *cmds)
{
	char all[32];

	snprintf(all, sizeof(all), "0x%llx", cmds->mask);
	check_token(all, "any");
	check_token("any", "any");
	check_token("module_load", "0x100000000000000");
	check_token("map_create:module_get_fd_by_id", "0x1000000000000001");
}

static const struct {
	const char *name;
	void (*run)(const struct cmds *cmds);
} tests[] = {
	{ "numbers", test_numbers },
	{ "no_command", test_no_command },
	{ "mount", test_mount },
	{ "token", test_token },
};

void serial_test_bpf_module_cmds(void)
{
	struct cmds cmds;
	int i;

	if (!cmds_open(&cmds))
		return;
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run(&cmds);
}
