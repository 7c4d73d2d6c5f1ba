// SPDX-License-Identifier: GPL-2.0-only
/* The iterator target "bpf_module": a BPF program sees every listed module. */
#include <linux/bpf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/init.h>
#include "module.h"

struct bpf_iter__bpf_module {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct bpf_module *, module);
};

DEFINE_BPF_ITER_FUNC(bpf_module, struct bpf_iter_meta *meta, struct bpf_module *module)

/* seq->private is the id to continue from. */
static void *bpf_module_seq_start(struct seq_file *seq, loff_t *pos)
{
	struct bpf_module *mod = bpf_module_get_curr_or_next(seq->private);

	/* Position 0 is the start of the whole, before any module. */
	if (mod && !*pos)
		*pos = 1;
	return mod;
}

static void *bpf_module_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	u32 *id = seq->private;

	bpf_module_dec_direct(v);
	++*pos;
	++*id;
	return bpf_module_get_curr_or_next(id);
}

static int bpf_module_seq_run(struct seq_file *seq, struct bpf_module *mod, bool in_stop)
{
	struct bpf_iter_meta meta = { .seq = seq };
	struct bpf_iter__bpf_module ctx = {};
	struct bpf_prog *prog;

	prog = bpf_iter_get_info(&meta, in_stop);
	if (!prog)
		return 0;
	ctx.meta = &meta;
	ctx.module = mod;
	return bpf_iter_run_prog(prog, &ctx);
}

static int bpf_module_seq_show(struct seq_file *seq, void *v)
{
	return bpf_module_seq_run(seq, v, false);
}

static void bpf_module_seq_stop(struct seq_file *seq, void *v)
{
	if (v)
		bpf_module_dec_direct(v);
	else
		bpf_module_seq_run(seq, NULL, true);
}

static const struct seq_operations bpf_module_seq_ops = {
	.start	= bpf_module_seq_start,
	.next	= bpf_module_seq_next,
	.stop	= bpf_module_seq_stop,
	.show	= bpf_module_seq_show,
};

static const struct bpf_iter_seq_info bpf_module_seq_info = {
	.seq_ops	= &bpf_module_seq_ops,
	.seq_priv_size	= sizeof(u32),
};

static struct bpf_iter_reg bpf_module_iter_reg = {
	.target			= "bpf_module",
	.ctx_arg_info_size	= 1,
	.ctx_arg_info		= {
		{ offsetof(struct bpf_iter__bpf_module, module), PTR_TO_BTF_ID_OR_NULL },
	},
	.seq_info		= &bpf_module_seq_info,
};

BTF_ID_LIST_SINGLE(btf_bpf_module_id, struct, bpf_module)

static int __init bpf_module_iter_init(void)
{
	bpf_module_iter_reg.ctx_arg_info[0].btf_id = btf_bpf_module_id[0];
	return bpf_iter_reg_target(&bpf_module_iter_reg);
}
late_initcall(bpf_module_iter_init);
