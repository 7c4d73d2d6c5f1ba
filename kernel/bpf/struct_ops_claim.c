// SPDX-License-Identifier: GPL-2.0-only
/*
 * The owner of a program: a BPF module, or struct_ops maps.  Never both, nor two
 * modules, so that the module of a running program is known.
 */
#include <linux/bpf.h>
#include "module.h"
#include "struct_ops.h"

/* Protects bpf_module and struct_ops_maps of all programs.  Innermost. */
static DEFINE_SPINLOCK(bpf_struct_ops_claim_lock);

static void bpf_struct_ops_log_claimed(const struct bpf_struct_ops_inst *inst,
				       const struct btf_member *member,
				       const struct bpf_prog *prog)
{
	const struct bpf_module *mod;

	/* Pairs with kfree_rcu() of the module. */
	guard(rcu)();
	mod = READ_ONCE(prog->aux->bpf_module);
	if (!mod)
		bpf_struct_ops_log(inst, member, "program %s (id %u) is used by a struct_ops map",
				   prog->aux->name, prog->aux->id);
	else if (READ_ONCE(mod->id))
		bpf_struct_ops_log(inst, member, "program %s (id %u) belongs to module %s (id %u)",
				   prog->aux->name, prog->aux->id, mod->name, mod->id);
	else
		bpf_struct_ops_log(inst, member,
				   "program %s (id %u) belongs to module %s, which is being loaded, or was refused and still has %lu users",
				   prog->aux->name, prog->aux->id, mod->name,
				   bpf_module_users(mod));
}

static bool bpf_struct_ops_try_claim(struct bpf_module *mod, struct bpf_prog_aux *aux)
{
	unsigned long flags;
	bool is_free;

	spin_lock_irqsave(&bpf_struct_ops_claim_lock, flags);
	is_free = aux->bpf_module ? aux->bpf_module == mod : !mod || !aux->struct_ops_maps;
	/* bpf_module is read without the lock, under RCU. */
	if (is_free && mod)
		WRITE_ONCE(aux->bpf_module, mod);
	else if (is_free)
		aux->struct_ops_maps++;
	spin_unlock_irqrestore(&bpf_struct_ops_claim_lock, flags);
	return is_free;
}

/* Claim @prog for @inst, as function @member.  A program can fill several members of a
 * module, and be used by several maps.  Returns -EBUSY if it has another owner.
 */
int bpf_struct_ops_claim_prog(const struct bpf_struct_ops_inst *inst,
			      const struct btf_member *member, struct bpf_prog *prog)
{
	if (bpf_struct_ops_try_claim(inst->mod, prog->aux))
		return 0;
	bpf_struct_ops_log_claimed(inst, member, prog);
	return -EBUSY;
}

/* Undo the claims of @inst.  A module's programs are free as soon as it is gone, and
 * released again with its memory: those claimed by another module since then stay there.
 *
 * Context: any.
 */
void bpf_struct_ops_release_progs(const struct bpf_struct_ops_inst *inst)
{
	unsigned long flags;
	u32 i;

	/* Before another module can claim them. */
	if (inst->mod)
		bpf_struct_ops_clear_assoc(inst);
	spin_lock_irqsave(&bpf_struct_ops_claim_lock, flags);
	for (i = 0; i < inst->funcs_cnt; i++) {
		struct bpf_prog *prog = inst->funcs[i].prog;

		if (!inst->mod)
			prog->aux->struct_ops_maps--;
		else if (prog->aux->bpf_module == inst->mod)
			WRITE_ONCE(prog->aux->bpf_module, NULL);
	}
	spin_unlock_irqrestore(&bpf_struct_ops_claim_lock, flags);
}

/* Claim @prog for @mod: one of a link, a function, init or exit.  False if it has another
 * owner.
 */
bool bpf_module_claim_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
	return bpf_struct_ops_try_claim(mod, prog->aux);
}

/* Undo bpf_module_claim_prog(), unless another module has claimed it since.  Context: any. */
void bpf_module_release_prog(struct bpf_module *mod, struct bpf_prog *prog)
{
	unsigned long flags;

	bpf_module_dissoc_prog(mod, prog);
	spin_lock_irqsave(&bpf_struct_ops_claim_lock, flags);
	if (prog->aux->bpf_module == mod)
		WRITE_ONCE(prog->aux->bpf_module, NULL);
	spin_unlock_irqrestore(&bpf_struct_ops_claim_lock, flags);
}
