// SPDX-License-Identifier: GPL-2.0
/*
 * What libbpf tells of BPF modules on the kernel it runs on: one line "STEP
 * RESULT" for each step. The argument is an object with declared modules.
 */
#include <stdio.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_module *mod;
	__u32 id = 0;

	if (argc != 2)
		return 2;
	printf("probe %d\n", libbpf_probe_bpf_module(NULL));
	printf("next_id %d\n", bpf_module_get_next_id(0, &id));

	obj = bpf_object__open_file(argv[1], NULL);
	mod = bpf_object__next_module(obj, NULL);
	if (!mod)
		return 1;
	printf("load %d\n", bpf_object__load(obj));
	printf("attach %s\n", bpf_module__attach(mod) ? "done" : "refused");
	printf("fd %d\n", bpf_module__fd(mod));
	bpf_object__close(obj);

	/* its modules left out, it is an object as good as any */
	obj = bpf_object__open_file(argv[1], NULL);
	bpf_object__for_each_module(mod, obj)
		bpf_module__set_autocreate(mod, false);
	printf("load_without %d\n", bpf_object__load(obj));
	bpf_object__close(obj);
	return 0;
}
