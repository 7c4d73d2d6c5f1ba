// SPDX-License-Identifier: GPL-2.0
/*
 * What libbpf tells of BPF modules on the kernel it runs on: one line "STEP
 * RESULT" for each step. The argument is an object with declared modules. It is
 * linked with --wrap=syscall, to stand for a newer kernel without modules, too.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static bool newer;

long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

/* A newer kernel has commands where this one has none yet, but the modules'. */
long __wrap_syscall(long nr, ...)
{
	long arg[6];
	va_list args;
	int i;

	va_start(args, nr);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (newer && nr == __NR_bpf && arg[0] > BPF_TOKEN_CREATE && arg[0] < 56)
		return 0;
	return __real_syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

/* In a process of its own, as libbpf asks a kernel once. */
static void probe_newer(void)
{
	fflush(stdout);
	if (!fork()) {
		newer = true;
		printf("newer_probe %d\n", libbpf_probe_bpf_module(NULL));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_module *mod;
	__u32 id = 0;

	if (argc != 2)
		return 2;
	probe_newer();
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
