// SPDX-License-Identifier: GPL-2.0
/* bpftool module info FILE and bpftool module aliases, plain and as JSON. */
#include <stdlib.h>

#include "fuzz.h"
#include "main.h"
#include "module.h"

#define OBJECT "/usr/lib/bpf/modules/fuzz.bpf.o"

static void run(int (*command)(int argc, char **argv), int argc, bool json)
{
	char *argv[] = { OBJECT, NULL };

	fuzz_begin_output(json);
	command(argc, argv);
	fuzz_end_output();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t image_size, seed_size;
	uint8_t *image, *seed;

	image = fuzz_edit_object(data, size, &image_size, false);
	if (!image)
		return 0;

	/* the kernel that it is compared with has the types of the seed */
	seed = fuzz_edit_object(NULL, 0, &seed_size, false);
	fuzz_add_file(OBJECT, image, image_size);
	fuzz_add_file("/sys/kernel/btf/vmlinux", seed, seed_size);
	fuzz_add_file("/proc/kallsyms", "0 T x\n", 6);

	run(module_file_info, 1, false);
	run(module_file_info, 1, true);
	run(module_aliases, 0, false);
	run(module_aliases, 0, true);

	fuzz_forget_files();
	free(seed);
	free(image);
	return 0;
}
