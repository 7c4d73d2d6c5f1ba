// SPDX-License-Identifier: GPL-2.0
/* Values that bpftool shows by their types. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

struct {
	unsigned __int128 low : 3, high : 125;
} wide = { 1, 1 };
bool flag = true;
struct {
	char one;
	int two;
} __attribute__((packed)) packed = { 1, 2 };

SEC("socket")
int use(void *ctx)
{
	return flag + wide.high + packed.two;
}
