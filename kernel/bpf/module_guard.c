// SPDX-License-Identifier: GPL-2.0-only
/* Who may load and unload BPF modules, and the audit records of both. */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/sysctl.h>
#include "module.h"
#include "struct_ops.h"

static int bpf_modules_disabled;

/* What every change needs, beside what the programs and ops require.  A BPF token does
 * not grant it: a token delegates what stays within a container, and a module serves the
 * whole system.
 */
int bpf_module_check_caller(struct seq_buf *log)
{
	if (READ_ONCE(bpf_modules_disabled)) {
		bpf_module_log(log, "kernel.bpf_modules_disabled is set until the next boot\n");
		return -EPERM;
	}
	if (!bpf_capable()) {
		bpf_module_log(log, "needs CAP_BPF, which no BPF token gives\n");
		return -EPERM;
	}
	return 0;
}

static bool bpf_module_may_load(u32 caps)
{
	return (!(caps & BPF_MODULE_NEEDS_PERFMON) || perfmon_capable()) &&
	       (!(caps & BPF_MODULE_NEEDS_NET_ADMIN) || capable(CAP_NET_ADMIN) ||
		capable(CAP_SYS_ADMIN));
}

/* May the caller load @prog as part of @mod?  Unloading @mod needs the same as loading
 * @prog.
 */
int bpf_module_check_prog(struct bpf_module *mod, const struct bpf_prog *prog)
{
	u32 caps = 0;

	/* Loading a cgroup_skb program needs only CAP_BPF, attaching it needs more. */
	if (is_net_admin_prog_type(prog->type) || prog->type == BPF_PROG_TYPE_CGROUP_SKB)
		caps |= BPF_MODULE_NEEDS_NET_ADMIN;
	if (is_perfmon_prog_type(prog->type))
		caps |= BPF_MODULE_NEEDS_PERFMON;
	if (!bpf_module_may_load(caps))
		return -EPERM;
	mod->prog_caps |= caps;
	return 0;
}

/* May the caller load programs of ops, which @mod has? */
int bpf_module_check_ops(struct bpf_module *mod, struct seq_buf *log)
{
	if (!perfmon_capable()) {
		bpf_module_log(log, "ops need CAP_PERFMON, which no BPF token gives\n");
		return -EPERM;
	}
	mod->prog_caps |= BPF_MODULE_NEEDS_PERFMON;
	return 0;
}

static bool bpf_module_may_register(int capability)
{
	return !capability || capable(capability) || capable(CAP_SYS_ADMIN);
}

/* What ops of this type also need, according to their subsystem. */
int bpf_module_check_type(const struct bpf_struct_ops_inst *inst)
{
	int capability = inst->st_ops_desc->st_ops->capability;

	if (bpf_module_may_register(capability))
		return 0;
	bpf_struct_ops_log(inst, NULL, "needs %s",
			   capability == CAP_NET_ADMIN ? "CAP_NET_ADMIN" : "CAP_SYS_ADMIN");
	return -EPERM;
}

/* May the caller, which passed bpf_module_check_caller(), unload @mod? */
int bpf_module_check_change(const struct bpf_module *mod)
{
	u32 i;

	if (!bpf_module_may_load(mod->prog_caps))
		return -EPERM;
	for (i = 0; i < mod->ops_cnt; i++) {
		if (!bpf_module_may_register(mod->ops[i].capability))
			return -EPERM;
	}
	return 0;
}

/* Links per record; the rest goes to the next one. */
#define BPF_MODULE_AUDIT_LINKS 256

static u32 bpf_module_audit_links(struct audit_buffer *ab, struct bpf_module *mod, u32 i)
{
	const char *before = " link-ids=";
	u32 end;

	/* Another task may end a listed module. */
	guard(mutex)(&mod->links_lock);
	end = min(mod->links_cnt, i + BPF_MODULE_AUDIT_LINKS);
	for (; i < end; i++) {
		if (!mod->links[i].link)
			continue;
		audit_log_format(ab, "%s%u", before, mod->links[i].link->id);
		before = ",";
	}
	return i;
}

/* Context: process, may sleep. */
void bpf_module_audit(struct bpf_module *mod, const char *op)
{
	struct audit_buffer *ab;
	u32 i = 0;

	if (audit_enabled == AUDIT_OFF)
		return;
	do {
		ab = audit_log_start(audit_context(), GFP_KERNEL, AUDIT_BPF);
		if (!ab)
			return;
		/* The characters allowed in a name need no quotes. */
		audit_log_format(ab, "module-id=%u module-name=%s op=%s", mod->id, mod->name, op);
		i = bpf_module_audit_links(ab, mod, i);
		audit_log_end(ab);
	} while (i < READ_ONCE(mod->links_cnt));
}

static struct ctl_table bpf_module_table[] = {
	{
		.procname	= "bpf_modules_disabled",
		.data		= &bpf_modules_disabled,
		.maxlen		= sizeof(bpf_modules_disabled),
		.mode		= 0644,
		/* There is no way back from 1. */
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ONE,
		.extra2		= SYSCTL_ONE,
	},
};

static int __init bpf_module_sysctl_init(void)
{
	register_sysctl_init("kernel", bpf_module_table);
	return 0;
}
late_initcall(bpf_module_sysctl_init);
