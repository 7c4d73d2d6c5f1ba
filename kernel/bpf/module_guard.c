// SPDX-License-Identifier: GPL-2.0-only
/* Who may load and unload BPF modules, and the record that somebody did. */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/sysctl.h>
#include "module.h"
#include "struct_ops.h"

static int bpf_modules_disabled;

/* What every change needs: the same as loading and attaching the programs.  A
 * BPF token does not give it: it delegates what stays within a container, and
 * ops serve the whole system.
 */
int bpf_module_check_caller(struct seq_buf *log)
{
	if (READ_ONCE(bpf_modules_disabled)) {
		bpf_module_log(log, "kernel.bpf_modules_disabled is set until the next boot\n");
		return -EPERM;
	}
	if (!bpf_capable() || !perfmon_capable()) {
		bpf_module_log(log, "needs CAP_BPF and CAP_PERFMON, which no BPF token gives\n");
		return -EPERM;
	}
	return 0;
}

static bool bpf_module_may_register(int capability)
{
	return !capability || capable(capability) || capable(CAP_SYS_ADMIN);
}

/* What ops of this type need beyond that, as their subsystem says. */
int bpf_module_check_type(const struct bpf_struct_ops_inst *inst)
{
	int capability = inst->st_ops_desc->st_ops->capability;

	if (bpf_module_may_register(capability))
		return 0;
	bpf_struct_ops_log(inst, NULL, "needs %s",
			   capability == CAP_NET_ADMIN ? "CAP_NET_ADMIN" : "CAP_SYS_ADMIN");
	return -EPERM;
}

/* May the caller, who passed bpf_module_check_caller(), unload @mod? */
int bpf_module_check_change(const struct bpf_module *mod)
{
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		if (!bpf_module_may_register(mod->ops[i].capability))
			return -EPERM;
	}
	return 0;
}

/* Context: process, may sleep. */
void bpf_module_audit(const struct bpf_module *mod, const char *op)
{
	struct audit_buffer *ab;

	if (audit_enabled == AUDIT_OFF)
		return;
	ab = audit_log_start(audit_context(), GFP_KERNEL, AUDIT_BPF);
	if (!ab)
		return;
	/* The characters that a name may have need no quotes. */
	audit_log_format(ab, "module-id=%u module-name=%s op=%s", mod->id, mod->name, op);
	audit_log_end(ab);
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
