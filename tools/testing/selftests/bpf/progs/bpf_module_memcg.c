// SPDX-License-Identifier: GPL-2.0
/* Observes which memcg is charged for the executable memory of a module. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* Only the loader is of interest. */
pid_t pid;

/* The last charge before an image was allocated, and the image. */
struct obj_cgroup *objcg;
__u64 charged;
__u64 image_size;
int uncharges;

static struct obj_cgroup *last_objcg;
static __u64 last_size;

static bool is_loader(void)
{
	return (__u32)bpf_get_current_pid_tgid() == pid;
}

SEC("fentry/obj_cgroup_charge")
int BPF_PROG(charge, struct obj_cgroup *cg, gfp_t gfp, size_t size)
{
	if (is_loader()) {
		last_objcg = cg;
		last_size = size;
	}
	return 0;
}

SEC("fentry/arch_alloc_bpf_trampoline")
int BPF_PROG(alloc, unsigned int size)
{
	if (!is_loader())
		return 0;
	image_size = size;
	objcg = last_objcg;
	charged = last_size;
	last_objcg = NULL;
	last_size = 0;
	return 0;
}

/* Runs in whatever task frees the module. */
SEC("fentry/obj_cgroup_uncharge")
int BPF_PROG(uncharge, struct obj_cgroup *cg, size_t size)
{
	if (objcg && cg == objcg && size == charged)
		uncharges++;
	return 0;
}
