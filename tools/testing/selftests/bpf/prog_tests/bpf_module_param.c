// SPDX-License-Identifier: GPL-2.0
/* Parameters of modules: what programs see of them, and what is refused. */
#include <test_progs.h>
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "progs/bpf_module_params.h"
#include "bpf_module_params.skel.h"

static const struct {
	const char *name;
	const char *value;
} values[] = {
	{ "p_u8", "255" },
	{ "p_s8", "-128" },
	{ "p_u16", "0xffff" },
	{ "p_s16", "-32768" },
	{ "p_u32", "4294967295" },
	{ "p_s32", "-2147483648" },
	{ "p_u64", "18446744073709551615" },
	{ "p_s64", "-9223372036854775808" },
	{ "p_bool", "on" },
	{ "p_char", "x" },
	{ "p_color", "COLOR_RED" },
	{ "p_level", "LEVEL_LOW" },
	{ "p_wide", "WIDE_BIG" },
	{ "p_text", "seven77" },
	{ "p_array", "10,65535" },
	{ "p_pair.second", "77" },
	{ "bm_params.name", "bm_renamed" },
};

static const struct {
	const char *name;
	const char *value;
	int err;
	const char *says;
} refusals[] = {
	{ "p_u8", "256", -ERANGE, "parameter p_u8: '256' is out of range; __u8 takes 0 to 255" },
	{ "p_u8", "-1", -ERANGE, "__u8 takes 0 to 255" },
	{ "p_s8", "128", -ERANGE, "__s8 takes -128 to 127" },
	{ "p_u16", "65536", -ERANGE, "__u16 takes 0 to 65535" },
	{ "p_s16", "-32769", -ERANGE, "__s16 takes -32768 to 32767" },
	{ "p_u32", "4294967296", -ERANGE, "__u32 takes 0 to 4294967295" },
	{ "p_s32", "2147483648", -ERANGE, "__s32 takes -2147483648 to 2147483647" },
	{ "p_u64", "18446744073709551616", -ERANGE, "__u64 takes 0 to 18446744073709551615" },
	{ "p_s64", "9223372036854775808", -ERANGE,
	  "__s64 takes -9223372036854775808 to 9223372036854775807" },
	{ "p_u64", "-1", -ERANGE, "'-1' is out of range" },
	{ "p_s8", "18446744073709551615", -ERANGE, "__s8 takes -128 to 127" },
	{ "p_s64", "-18446744073709551615", -ERANGE, "is out of range" },
	{ "p_u8", "+1", -EINVAL, "'+1' is not a number" },
	{ "p_u8", "", -EINVAL, "'' is not a number" },
	{ "p_u8", "1x", -EINVAL, "'1x' is not a number" },
	{ "p_u8", " 1", -EINVAL, "' 1' is not a number" },
	{ "p_bool", "2", -EINVAL, "bool takes y, n, 1, 0, on, off, true, false" },
	{ "p_color", "BLUE", -EINVAL, "enum color takes COLOR_RED, COLOR_GREEN" },
	{ "p_color", "0", -EINVAL, "'0' is not one of the names" },
	{ "p_text", "eight888", -ERANGE, "char[8] takes up to 7 characters" },
	{ "p_array", "1,2,3,4,5", -ERANGE, "'1,2,3,4,5' is too many values; __u16[4]" },
	{ "p_array", "1,65536", -ERANGE, "each 0 to 65535" },
	{ "p_array", "1,,2", -EINVAL, "not a number" },
	{ "p_grid", "1", -EOPNOTSUPP, "int[2][3] can't be set" },
	{ "p_pair", "1", -EOPNOTSUPP, "struct pair can't be set as a whole" },
	{ "p_pair.third", "1", -ENOENT, "no parameter p_pair.third" },
	{ "p_float", "1.5", -EOPNOTSUPP, "float can't be set" },
	{ "p_ptr", "0", -EOPNOTSUPP, "void * can't be set" },
	{ "p_built_in", "1", -EOPNOTSUPP, "unless it is declared 'const volatile'" },
	{ "p_writable", "1", -ENOENT, "no parameter p_writable; there are p_u8, p_s8" },
	{ "nothing", "1", -ENOENT, "no parameter nothing; there are p_u8, p_s8" },
	{ "", "1", -ENOENT, "no parameter" },
	{ "bm_params.init", "1", -EOPNOTSUPP, "a function pointer can't be set" },
	{ "bm_params.name", "sixteen_16_chars", -ERANGE, "char[16] takes up to 15 characters" },
	{ "bm_params", "1", -EOPNOTSUPP, "struct tcp_congestion_ops can't be set as a whole" },
};

static char said[4096];

static int keep(enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t len = strlen(said);

	return level == LIBBPF_WARN ? vsnprintf(said + len, sizeof(said) - len, fmt, args) : 0;
}

/* A socket that asks for the module's congestion control runs its init. */
static void run_init(const char *name)
{
	int sock, listener = bm_listen(AF_INET, "reno");

	if (!ASSERT_OK_FD(listener, "listen"))
		return;
	sock = bm_connect(listener, name);
	ASSERT_OK_FD(sock, "connect");
	close(sock);
	close(listener);
}

static void check_seen(const struct bpf_module_params__bss *bss)
{
	ASSERT_EQ(bss->seen_u8, 255, "u8");
	ASSERT_EQ(bss->seen_s8, -128, "s8");
	ASSERT_EQ(bss->seen_u16, 0xffff, "u16");
	ASSERT_EQ(bss->seen_s16, -32768, "s16");
	ASSERT_EQ(bss->seen_u32, UINT32_MAX, "u32");
	ASSERT_EQ(bss->seen_s32, INT32_MIN, "s32");
	ASSERT_EQ(bss->seen_u64, UINT64_MAX, "u64");
	ASSERT_EQ(bss->seen_s64, INT64_MIN, "s64");
	ASSERT_EQ(bss->seen_bool, 1, "bool");
	ASSERT_EQ(bss->seen_char, 'x', "char");
	ASSERT_EQ(bss->seen_color, 0, "enum");
	ASSERT_EQ(bss->seen_level, -1, "signed enum");
	ASSERT_EQ(bss->seen_wide, 0x123456789abcULL, "64-bit enum");
	ASSERT_STREQ(bss->seen_text, "seven77", "text");
	ASSERT_EQ(bss->seen_array[0], 10, "array");
	ASSERT_EQ(bss->seen_array[1], 65535, "array");
	ASSERT_EQ(bss->seen_array[2], 3, "rest of the array");
	ASSERT_EQ(bss->seen_second, 77, "member of a struct");
}

static void test_set(void)
{
	struct bpf_module_params *skel = bpf_module_params__open();
	size_t i;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		ASSERT_OK(bpf_module__set_param(skel->modules.bm_params, values[i].name,
						values[i].value), values[i].name);
	if (ASSERT_OK(bpf_module_params__load(skel), "load") &&
	    ASSERT_OK(bpf_module_params__attach(skel), "attach")) {
		ASSERT_FALSE(bm_tcp_has("bm_params"), "old name registered");
		run_init("bm_renamed");
		check_seen(skel->bss);
		ASSERT_EQ(bpf_module__set_param(skel->modules.bm_params, "p_u8", "1"), -EBUSY,
			  "set after load");
	}
	bpf_module_params__destroy(skel);
}

/* Each refusal is one line that says what is wrong, and changes nothing. */
static void test_refused(void)
{
	struct bpf_module_params *skel = bpf_module_params__open();
	libbpf_print_fn_t old;
	size_t i;
	int err;

	if (!ASSERT_OK_PTR(skel, "open"))
		return;
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		said[0] = '\0';
		old = libbpf_set_print(keep);
		err = bpf_module__set_param(skel->modules.bm_params, refusals[i].name,
					    refusals[i].value);
		libbpf_set_print(old);
		ASSERT_EQ(err, refusals[i].err, refusals[i].name);
		ASSERT_HAS_SUBSTR(said, refusals[i].says, "line");
		ASSERT_EQ(strcspn(said, "\n") + 1, strlen(said), "end of the only line");
	}
	ASSERT_EQ(skel->rodata->p_u8, 1, "p_u8");
	ASSERT_EQ(skel->rodata->p_array[0], 1, "p_array");
	ASSERT_STREQ((char *)skel->rodata->p_text, "seven..", "p_text");
	bpf_module_params__destroy(skel);
}

void serial_test_bpf_module_param(void)
{
	int netns = bm_netns_enter();

	if (test__start_subtest("set"))
		test_set();
	if (test__start_subtest("refused"))
		test_refused();
	bm_netns_leave(netns);
}
