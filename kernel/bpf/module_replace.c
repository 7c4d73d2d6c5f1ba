// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_F_MODULE_REPLACE: a module takes over from another in one step.
 *
 * Each op of the new module is switched with its counterpart by the subsystem's
 * update().  Both modules take users until the last one is switched and sync() has
 * seen to it that nobody finds an old one any more, so that who finds an op, the old
 * or the new, can use it.  If the subsystem refuses one, those before it are switched
 * back, and sync() does the same for the new ones.
 */
#include "module.h"
#include "struct_ops.h"

/* Which op of the old module each op of the new one replaces. */
struct bpf_module_pairs {
	struct bpf_module_op *old[BPF_MODULE_MAX_OPS];
};

static bool bpf_module_same_op(const struct bpf_module_op *a, const struct bpf_module_op *b)
{
	return a->inst->st_ops_desc == b->inst->st_ops_desc &&
	       !strcmp(a->name ?: "", b->name ?: "");
}

/* Ops that have the same type and name are paired in their order. */
static struct bpf_module_op *bpf_module_counterpart(struct bpf_module *old,
						    const struct bpf_module_op *op,
						    unsigned long *taken)
{
	u32 i;

	for (i = 0; i < old->ops_cnt; i++) {
		if (bpf_module_same_op(&old->ops[i], op) && !test_and_set_bit(i, taken))
			return &old->ops[i];
	}
	return NULL;
}

static int bpf_module_check_pair(const struct bpf_module_op *op,
				 const struct bpf_module_op *old_op,
				 const struct bpf_module *old)
{
	if (!old_op) {
		bpf_struct_ops_log(op->inst, NULL,
				   "module \"%s\" has no op of that name and type to replace",
				   old->name);
		return -EINVAL;
	}
	if (!op->inst->st_ops_desc->st_ops->update) {
		bpf_struct_ops_log(op->inst, NULL, "the subsystem cannot replace ops of this type");
		return -EOPNOTSUPP;
	}
	if (READ_ONCE(old_op->state) != BPF_MODULE_OPS_REGISTERED) {
		bpf_struct_ops_log(op->inst, NULL,
				   "the one to replace is not registered, it was withdrawn: %s",
				   old_op->reason);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int bpf_module_pair(struct bpf_module *mod, struct bpf_module *old,
			   struct bpf_module_pairs *pairs, struct seq_buf *log)
{
	DECLARE_BITMAP(taken, BPF_MODULE_MAX_OPS) = {};
	int err = 0;
	u32 i;

	if (mod->ops_cnt != old->ops_cnt) {
		bpf_module_log(log,
			       "%u ops, expected %u as in module \"%s\" that is to be replaced\n",
			       mod->ops_cnt, old->ops_cnt, old->name);
		return -EINVAL;
	}
	for (i = 0; !err && i < mod->ops_cnt; i++) {
		pairs->old[i] = bpf_module_counterpart(old, &mod->ops[i], taken);
		err = bpf_module_check_pair(&mod->ops[i], pairs->old[i], old);
	}
	return err;
}

/* Have the subsystem put @to in the place of @from. */
static int bpf_module_switch_op(struct bpf_module_op *from, struct bpf_module_op *to)
{
	u32 before = to->state;
	int err;

	/* The subsystem may withdraw it before update() returns. */
	WRITE_ONCE(to->state, BPF_MODULE_OPS_REGISTERED);
	err = to->inst->st_ops_desc->st_ops->update(to->inst->kdata, from->inst->kdata, NULL);
	if (err)
		WRITE_ONCE(to->state, before);
	else
		cmpxchg(&from->state, BPF_MODULE_OPS_REGISTERED, BPF_MODULE_OPS_UNREGISTERED);
	return bpf_struct_ops_errno(err);
}

/* An update that a subsystem has just made can be made back.  If it refuses all
 * the same, the old op is as good as withdrawn: the new one, which is still
 * registered, goes with its module.
 */
static void bpf_module_switch_back(struct bpf_module_op *op, struct bpf_module_op *old_op)
{
	int err;

	err = bpf_module_switch_op(op, old_op);
	if (!err)
		return;
	WRITE_ONCE(old_op->state, BPF_MODULE_OPS_REGISTERED);
	bpf_struct_ops_withdrawn(old_op->inst->kdata,
				 "not taken back after a failed replacement, error %d", -err);
}

/* What the subsystem itself says is better. */
static void bpf_module_log_update(const struct bpf_struct_ops_inst *inst, int err)
{
	if (bpf_struct_ops_has_reason(inst))
		return;
	if (err == -EOPNOTSUPP)
		bpf_struct_ops_log(inst, NULL, "the subsystem cannot replace ops of this type");
	else
		bpf_struct_ops_log(inst, NULL, "the subsystem refused the replacement, error %d",
				   -err);
}

static int bpf_module_switch(struct bpf_module *mod, struct bpf_module_pairs *pairs)
{
	int err = 0;
	u32 i;

	for (i = 0; i < mod->ops_cnt; i++) {
		err = bpf_module_switch_op(pairs->old[i], &mod->ops[i]);
		if (err)
			break;
	}
	if (!err)
		return 0;

	bpf_module_log_update(mod->ops[i].inst, err);
	/* What is switched back is not to be found by who found it before. */
	if (i)
		bpf_module_sync(mod);
	while (i-- > 0)
		bpf_module_switch_back(&mod->ops[i], pairs->old[i]);
	return err;
}

static int bpf_module_pair_loaded(struct bpf_module *mod, struct bpf_module *old,
				  struct bpf_module_pairs *pairs, struct seq_buf *log)
{
	int err;

	err = bpf_module_check_loaded(old);
	if (!err)
		return bpf_module_pair(mod, old, pairs, log);
	bpf_module_log(log, "module \"%s\", which is to be replaced, is unloaded already\n",
		       old->name);
	return err;
}

/* What calls the functions of @old would stay with them. */
static int bpf_module_log_callers(const struct bpf_module *old, struct seq_buf *log)
{
	u32 cnt = READ_ONCE(old->callers_cnt);

	bpf_module_log(log,
		       "module \"%s\" has functions that %u program%s, it cannot be replaced\n",
		       old->name, cnt, cnt == 1 ? " calls" : "s call");
	return -EBUSY;
}

/* Can @mod, which is built, take over from @old as it is now?  What is known to be
 * refused does not run the init program.  May sleep.
 */
int bpf_module_may_replace(struct bpf_module *mod, struct bpf_module *old,
			   struct seq_buf *log)
{
	struct bpf_module_pairs pairs;
	int err;

	guard(mutex)(&old->lock);
	err = bpf_module_pair_loaded(mod, old, &pairs, log);
	if (!err && READ_ONCE(old->callers_cnt))
		err = bpf_module_log_callers(old, log);
	return err;
}

static int bpf_module_switch_all(struct bpf_module *mod, struct bpf_module_pairs *pairs,
				 struct seq_buf *log)
{
	int err;
	u32 i;

	err = bpf_module_switch_links(mod, log);
	if (err)
		return err;

	/* Before the first callback can run and be traced. */
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_add_ksyms(mod->ops[i].inst);
	err = bpf_module_switch(mod, pairs);
	bpf_module_sync(mod);
	if (err)
		bpf_module_switch_links_back(mod, log);
	return err;
}

/* Switch every op of @old with one of @mod, or none, and make @old going.  May
 * sleep.  If it succeeds the base of old->refs is the caller's to put.
 */
int bpf_module_replace(struct bpf_module *mod, struct bpf_module *old,
		       struct seq_buf *log)
{
	struct bpf_module_pairs pairs;
	int err;

	/* Nobody else ends or replaces it meanwhile. */
	guard(mutex)(&old->lock);

	err = bpf_module_pair_loaded(mod, old, &pairs, log);
	if (err)
		return err;
	if (!bpf_module_close_callers(old, false))
		return bpf_module_log_callers(old, log);
	err = bpf_module_switch_all(mod, &pairs, log);
	if (err) {
		bpf_module_open_callers(old);
		return err;
	}

	bpf_module_move_links(mod, old);
	old->reason = BPF_MODULE_REASON_REPLACED;
	old->other_id = mod->own_id;
	WRITE_ONCE(old->closed, true);
	bpf_module_replace_name(old, mod);
	bpf_module_set_going(old);
	return 0;
}
