// SPDX-License-Identifier: GPL-2.0
/*
 * An ops type to measure with.
 *
 * Registering costs next to nothing and does not depend on how many there are,
 * so that what is measured is what BPF does. The callbacks are called as a
 * subsystem would: through a pointer to the struct. The same loop calls
 * functions in C that do what the BPF programs do, which is nothing.
 */
#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/math.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "bench_ops.h"

struct bench_ops {
	void (*void_0)(void);
	void (*void_1)(int a);
	void (*void_3)(int a, int b, int c);
	void (*void_4)(int a, int b, int c, int d);
	void (*void_5)(int a, int b, int c, int d, int e);
	int (*int_0)(void);
	int (*int_1)(int a);
	int (*int_3)(int a, int b, int c);
	int (*int_4)(int a, int b, int c, int d);
	int (*int_5)(int a, int b, int c, int d, int e);
	int (*more_10)(int a);
	int (*more_11)(int a);
	int (*more_12)(int a);
	int (*more_13)(int a);
	int (*more_14)(int a);
	int (*more_15)(int a);
	int (*more_16)(int a);
	int (*more_17)(int a);
	int (*more_18)(int a);
	int (*more_19)(int a);
	int (*more_20)(int a);
	int (*more_21)(int a);
	int (*more_22)(int a);
	int (*more_23)(int a);
	int (*more_24)(int a);
	int (*more_25)(int a);
	int (*more_26)(int a);
	int (*more_27)(int a);
	int (*more_28)(int a);
	int (*more_29)(int a);
	int (*more_30)(int a);
	int (*more_31)(int a);
	int (*more_32)(int a);
};

static noinline void c_void_0(void)
{
	barrier();
}

static noinline void c_void_1(int a)
{
	barrier();
}

static noinline void c_void_3(int a, int b, int c)
{
	barrier();
}

static noinline void c_void_4(int a, int b, int c, int d)
{
	barrier();
}

static noinline void c_void_5(int a, int b, int c, int d, int e)
{
	barrier();
}

static noinline int c_int_0(void)
{
	return 0;
}

static noinline int c_int_1(int a)
{
	return 0;
}

static noinline int c_int_3(int a, int b, int c)
{
	return 0;
}

static noinline int c_int_4(int a, int b, int c, int d)
{
	return 0;
}

static noinline int c_int_5(int a, int b, int c, int d, int e)
{
	return 0;
}

/* The functions in C to compare with; the verifier knows the members by them too. */
static struct bench_ops c_ops = {
	.void_0 = c_void_0,
	.void_1 = c_void_1,
	.void_3 = c_void_3,
	.void_4 = c_void_4,
	.void_5 = c_void_5,
	.int_0 = c_int_0,
	.int_1 = c_int_1,
	.int_3 = c_int_3,
	.int_4 = c_int_4,
	.int_5 = c_int_5,
};

/* Protects what is registered from going while it is called. */
static DEFINE_MUTEX(bench_mutex);
static struct bench_ops *bench_last;

static int bench_reg(void *kdata, struct bpf_link *link)
{
	mutex_lock(&bench_mutex);
	bench_last = kdata;
	mutex_unlock(&bench_mutex);
	return 0;
}

static void bench_unreg(void *kdata, struct bpf_link *link)
{
	mutex_lock(&bench_mutex);
	if (bench_last == kdata)
		bench_last = NULL;
	mutex_unlock(&bench_mutex);
}

static int bench_init(struct btf *btf)
{
	return 0;
}

static int bench_init_member(const struct btf_type *t, const struct btf_member *member,
			     void *kdata, const void *udata)
{
	return 0;
}

/* Sleepable programs are welcome: the callers hold nothing. */
static int bench_check_member(const struct btf_type *t, const struct btf_member *member,
			      const struct bpf_prog *prog)
{
	return 0;
}

static bool bench_is_valid_access(int off, int size, enum bpf_access_type type,
				  const struct bpf_prog *prog, struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_verifier_ops bench_verifier_ops = {
	.is_valid_access = bench_is_valid_access,
};

static struct bpf_struct_ops bpf_bench_ops = {
	.verifier_ops = &bench_verifier_ops,
	.init = bench_init,
	.check_member = bench_check_member,
	.init_member = bench_init_member,
	.reg = bench_reg,
	.unreg = bench_unreg,
#if __has_include(<linux/bpf_module.h>)
	.calls_held = true,	/* by bench_mutex, which bench_unreg() takes */
#endif
	.cfi_stubs = &c_ops,
	.name = "bench_ops",
	.owner = THIS_MODULE,
};

#define LOOP(call)			\
	do {				\
		for (i = 0; i < n; i++)	\
			call;		\
	} while (0)

static int bench_loop(const struct bench_ops *ops, u32 member, u64 n)
{
	u64 i;

	if (!((void **)ops)[member])
		return -ENOENT;

	switch (member) {
	case BENCH_VOID_0:
		LOOP(ops->void_0());
		return 0;
	case BENCH_VOID_1:
		LOOP(ops->void_1(1));
		return 0;
	case BENCH_VOID_3:
		LOOP(ops->void_3(1, 2, 3));
		return 0;
	case BENCH_VOID_4:
		LOOP(ops->void_4(1, 2, 3, 4));
		return 0;
	case BENCH_VOID_5:
		LOOP(ops->void_5(1, 2, 3, 4, 5));
		return 0;
	case BENCH_INT_0:
		LOOP(ops->int_0());
		return 0;
	case BENCH_INT_1:
		LOOP(ops->int_1(1));
		return 0;
	case BENCH_INT_3:
		LOOP(ops->int_3(1, 2, 3));
		return 0;
	case BENCH_INT_4:
		LOOP(ops->int_4(1, 2, 3, 4));
		return 0;
	default:
		LOOP(ops->int_5(1, 2, 3, 4, 5));
		return 0;
	}
}

static int bench_call(struct bench_call __user *ucall)
{
	const struct bench_ops *ops;
	struct bench_call call;
	unsigned long flags;
	int err = -ENOENT;

	if (copy_from_user(&call, ucall, sizeof(call)))
		return -EFAULT;
	if (call.member >= BENCH_TYPED)
		return -EINVAL;

	mutex_lock(&bench_mutex);
	ops = call.bpf ? bench_last : &c_ops;
	if (ops) {
		/* An interrupt would be counted with the calls. */
		local_irq_save(flags);
		call.ticks = get_cycles();
		err = bench_loop(ops, call.member, call.count);
		call.ticks = get_cycles() - call.ticks;
		local_irq_restore(flags);
	}
	mutex_unlock(&bench_mutex);

	if (!err && copy_to_user(ucall, &call, sizeof(call)))
		err = -EFAULT;
	return err;
}

static atomic64_t bench_exec;

/* Programs and images share large pages, in pieces of this size. */
#define BENCH_EXEC_PIECE 64

static int bench_exec_alloc(struct kprobe *p, struct pt_regs *regs)
{
	atomic64_add(round_up((u32)regs_get_kernel_argument(regs, 0), BENCH_EXEC_PIECE),
		     &bench_exec);
	return 0;
}

static int bench_exec_free(struct kprobe *p, struct pt_regs *regs)
{
	atomic64_sub(round_up((u32)regs_get_kernel_argument(regs, 1), BENCH_EXEC_PIECE),
		     &bench_exec);
	return 0;
}

static struct kprobe bench_probes[] = {
	{ .symbol_name = "bpf_prog_pack_alloc", .pre_handler = bench_exec_alloc },
	{ .symbol_name = "bpf_prog_pack_free", .pre_handler = bench_exec_free },
};

/* Protects the probes and whether they are there. */
static DEFINE_MUTEX(bench_follow_mutex);
static bool bench_followed;

static int bench_follow(bool on)
{
	int err = 0, i;

	mutex_lock(&bench_follow_mutex);
	if (on == bench_followed)
		goto out;
	for (i = 0; on && i < ARRAY_SIZE(bench_probes); i++) {
		/* What is left of an earlier registration is refused. */
		bench_probes[i].addr = NULL;
		bench_probes[i].flags = 0;
		err = register_kprobe(&bench_probes[i]);
		if (err)
			break;
	}
	if (err)
		while (i--)
			unregister_kprobe(&bench_probes[i]);
	for (i = 0; !on && i < ARRAY_SIZE(bench_probes); i++)
		unregister_kprobe(&bench_probes[i]);
	if (!err) {
		bench_followed = on;
		atomic64_set(&bench_exec, 0);
	}
out:
	mutex_unlock(&bench_follow_mutex);
	return err;
}

#define HOOKS_8(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define HOOKS_64(X)				\
	HOOKS_8(X, 0) HOOKS_8(X, 1) HOOKS_8(X, 2) HOOKS_8(X, 3)	\
	HOOKS_8(X, 4) HOOKS_8(X, 5) HOOKS_8(X, 6) HOOKS_8(X, 7)

#define HOOK_FUNC(n)				\
	noinline int bench_hook_##n(int a)	\
	{					\
		barrier();			\
		return a;			\
	}
#define HOOK_ENTRY(n) bench_hook_##n,

__bpf_hook_start();
HOOKS_64(HOOK_FUNC)
__bpf_hook_end();

static int (* const bench_hooks[])(int) = { HOOKS_64(HOOK_ENTRY) };

/* Where a call is patched in, as it is with nothing attached. */
#define BENCH_ENTRY_BYTES 16
static u8 bench_entries[BENCH_HOOKS][BENCH_ENTRY_BYTES];

static void bench_note_entries(void)
{
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(bench_hooks) != BENCH_HOOKS);
	for (i = 0; i < BENCH_HOOKS; i++)
		memcpy(bench_entries[i], bench_hooks[i], BENCH_ENTRY_BYTES);
}

static int bench_hooked(void)
{
	int cnt = 0, i;

	for (i = 0; i < BENCH_HOOKS; i++)
		cnt += !!memcmp(bench_entries[i], bench_hooks[i], BENCH_ENTRY_BYTES);
	return cnt;
}

static int bench_hook_call(struct bench_call __user *ucall)
{
	struct bench_call call;
	unsigned long flags;
	u64 i;

	if (copy_from_user(&call, ucall, sizeof(call)))
		return -EFAULT;
	local_irq_save(flags);
	call.ticks = get_cycles();
	for (i = 0; i < call.count; i++)
		bench_hook_00(1);
	call.ticks = get_cycles() - call.ticks;
	local_irq_restore(flags);
	return copy_to_user(ucall, &call, sizeof(call)) ? -EFAULT : 0;
}

__bpf_kfunc_start_defs();

/* Does as little as the function in BPF that it is compared with. */
__bpf_kfunc int bench_kernel_func(int n)
{
	return n + 1;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(bench_kfunc_ids)
BTF_ID_FLAGS(func, bench_kernel_func)
BTF_KFUNCS_END(bench_kfunc_ids)

static const struct btf_kfunc_id_set bench_kfuncs = {
	.owner = THIS_MODULE,
	.set = &bench_kfunc_ids,
};

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case BENCH_CALL:
		return bench_call((void __user *)arg);
	case BENCH_FOLLOW:
		return bench_follow(arg);
	case BENCH_EXEC:
		return put_user(atomic64_read(&bench_exec), (s64 __user *)arg);
	case BENCH_HOOKED:
		return bench_hooked();
	case BENCH_HOOK_CALL:
		return bench_hook_call((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bench_ops",
	.fops = &bench_fops,
	.mode = 0600,
};

static int __init bench_module_init(void)
{
	void **member = (void **)&c_ops;
	int err, i;

	BUILD_BUG_ON(sizeof(c_ops) != BENCH_MEMBERS * sizeof(*member));
	for (i = BENCH_TYPED; i < BENCH_MEMBERS; i++)
		member[i] = c_int_1;

	bench_note_entries();
	err = register_bpf_struct_ops(&bpf_bench_ops, bench_ops);
	err = err ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &bench_kfuncs);
	return err ?: misc_register(&bench_device);
}

static void __exit bench_module_exit(void)
{
	misc_deregister(&bench_device);
	bench_follow(false);
}

module_init(bench_module_init);
module_exit(bench_module_exit);
MODULE_DESCRIPTION("An ops type to measure BPF modules and struct_ops maps with");
MODULE_LICENSE("GPL");
