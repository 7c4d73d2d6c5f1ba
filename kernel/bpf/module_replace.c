// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_F_MODULE_REPLACE: a module takes over from another in one step.
 *
 * The subsystem's update() puts each op of the new module in the place of its
 * counterpart.  Both modules take users until the last op is switched and, after sync(),
 * nobody can find an old one: so whoever finds an op, old or new, can use it.  If the
 * subsystem refuses one, those before it are switched back, and sync() does the same for
 * the new ones.
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

/* Ops with the same type and name are paired in order. */
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
				   "the op to be replaced was withdrawn: %s",
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
			       "%u ops, expected %u as in module \"%s\" to be replaced\n",
			       mod->ops_cnt, old->ops_cnt, old->name);
		return -EINVAL;
	}
	for (i = 0; !err && i < mod->ops_cnt; i++) {
		pairs->old[i] = bpf_module_counterpart(old, &mod->ops[i], taken);
		err = bpf_module_check_pair(&mod->ops[i], pairs->old[i], old);
	}
	return err;
}

/* Let the subsystem put @to in the place of @from. */
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

/* A subsystem should be able to undo the update that it has just made.  If it refuses
 * anyway, the old op is as good as withdrawn: the new one, which is still registered,
 * goes with its module.
 */
static void bpf_module_switch_back(struct bpf_module_op *op, struct bpf_module_op *old_op)
{
	int err;

	err = bpf_module_switch_op(op, old_op);
	if (!err)
		return;
	WRITE_ONCE(old_op->state, BPF_MODULE_OPS_REGISTERED);
	bpf_struct_ops_withdrawn(old_op->inst->kdata,
				 "could not be switched back after a failed replacement, error %d",
				 -err);
}

/* The subsystem's own reason, if any, is better. */
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
	/* Before an old op is put back, wait for those who found it before the switch. */
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
	bpf_module_log(log, "module \"%s\" to be replaced is already unloaded\n",
		       old->name);
	return err;
}

/* Callers of the functions of @old would stay with them. */
static int bpf_module_log_callers(const struct bpf_module *old, struct seq_buf *log)
{
	u32 cnt = READ_ONCE(old->callers_cnt);

	bpf_module_log(log,
		       "module \"%s\" has functions that %u program%s, it cannot be replaced\n",
		       old->name, cnt, cnt == 1 ? " calls" : "s call");
	return -EBUSY;
}

/* Can @mod, which is built, take over from @old as it is now?  If not, the init program
 * does not run.  May sleep.
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

	/* Add symbols before the first callback can run and be traced. */
	for (i = 0; i < mod->ops_cnt; i++)
		bpf_struct_ops_inst_add_ksyms(mod->ops[i].inst);
	err = bpf_module_switch(mod, pairs);
	bpf_module_sync(mod);
	if (err)
		bpf_module_switch_links_back(mod, log);
	return err;
}

/* Put the ops of @mod in the place of those of @old, all or none, and set @old to GOING.
 * May sleep.  If it succeeds, the caller has to put the base of old->refs.
 */
int bpf_module_replace(struct bpf_module *mod, struct bpf_module *old,
		       struct seq_buf *log)
{
	struct bpf_module_pairs pairs;
	int err;

	/* Nobody else can end or replace it now. */
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
