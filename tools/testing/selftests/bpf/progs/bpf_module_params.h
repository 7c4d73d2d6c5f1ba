/* SPDX-License-Identifier: GPL-2.0 */
/* Types of parameters, which a skeleton does not define. */
#ifndef __BPF_MODULE_PARAMS_H
#define __BPF_MODULE_PARAMS_H

enum color {
	COLOR_RED,
	COLOR_GREEN = 7,
};

enum level {
	LEVEL_LOW = -1,
	LEVEL_HIGH = 1,
};

enum wide {
	WIDE_ZERO,
	WIDE_BIG = 0x123456789abcULL,
};

struct pair {
	int first;
	__u8 second;
};

#endif /* __BPF_MODULE_PARAMS_H */
