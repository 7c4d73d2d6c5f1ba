// SPDX-License-Identifier: GPL-2.0-only
/* One line that tells the user why an instance could not be built. */
#include <linux/btf.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include "struct_ops.h"

/* The error that user space gets for @err, which comes from a subsystem, a security module
 * or arch code: user space has no name for some of these, and would take a positive one
 * for an fd.
 */
int bpf_struct_ops_errno(int err)
{
	switch (err) {
	case -ENOTSUPP:
		return -EOPNOTSUPP;
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
		return -EINTR;
	default:
		return err > 0 || err <= -ERESTARTSYS ? -EINVAL : err;
	}
}

/* Has a reason been written? */
bool bpf_struct_ops_has_reason(const struct bpf_struct_ops_inst *inst)
{
	return inst->log && seq_buf_used(inst->log);
}

static const char *bpf_struct_ops_type_name(const struct bpf_struct_ops_inst *inst)
{
	return btf_name_by_offset(inst->btf, inst->st_ops_desc->type->name_off);
}

static void bpf_struct_ops_log_start(const struct bpf_struct_ops_inst *inst)
{
	if (inst->name)
		seq_buf_printf(inst->log, "op %s (%s)", inst->name, bpf_struct_ops_type_name(inst));
	else
		seq_buf_printf(inst->log, "op #%u (%s)", inst->nr, bpf_struct_ops_type_name(inst));
}

static void bpf_struct_ops_vlog(const struct bpf_struct_ops_inst *inst,
				const struct btf_member *member, struct va_format *vaf)
{
	if (!inst->log)
		return;
	bpf_struct_ops_log_start(inst);
	if (member)
		seq_buf_printf(inst->log, ", member %s",
			       btf_name_by_offset(inst->btf, member->name_off));
	seq_buf_printf(inst->log, ": %pV\n", vaf);
}

/**
 * bpf_struct_ops_log - write a reason to the log of an instance
 * @inst: the instance; nothing is written if it has no log
 * @member: member of the struct that is at fault, NULL for the whole
 * @fmt: the reason, without a newline
 *
 * Context: process, may sleep.
 */
void bpf_struct_ops_log(const struct bpf_struct_ops_inst *inst,
			const struct btf_member *member, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	bpf_struct_ops_vlog(inst, member, &vaf);
	va_end(args);
}

/**
 * bpf_struct_ops_refused - say why a subsystem refuses an op
 * @kdata: the kernel struct that its reg() or update() was called with
 * @fmt: the reason in one line, without a newline, for a person to read
 *
 * The loader of a BPF module gets it in place of the error number. The user of a
 * struct_ops map gets only the number.
 *
 * Context: process, in reg() or update() of @kdata.
 */
void bpf_struct_ops_refused(const void *kdata, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	bpf_struct_ops_vlog(container_of(kdata, struct bpf_struct_ops_inst, kdata), NULL, &vaf);
	va_end(args);
}
EXPORT_SYMBOL_GPL(bpf_struct_ops_refused);

/**
 * bpf_struct_ops_log_prog - say what a program is, and what it should be
 * @inst: the instance
 * @member: the function pointer that @prog was given for
 * @prog: a program that does not implement @member
 *
 * Context: process, may sleep.
 */
void bpf_struct_ops_log_prog(const struct bpf_struct_ops_inst *inst,
			     const struct btf_member *member,
			     const struct bpf_prog *prog)
{
	const char *expected = btf_name_by_offset(inst->btf, member->name_off);
	const char *tname = bpf_struct_ops_type_name(inst);
	const struct btf *btf = prog->aux->attach_btf;
	const struct btf_type *t;
	const struct btf_member *m;

	if (prog->type != BPF_PROG_TYPE_STRUCT_OPS) {
		bpf_struct_ops_log(inst, member,
				   "program %s (id %u) is not a struct_ops program, expected %s.%s",
				   prog->aux->name, prog->aux->id, tname, expected);
		return;
	}

	t = btf_type_by_id(btf, prog->aux->attach_btf_id);
	m = &btf_type_member(t)[prog->expected_attach_type];
	bpf_struct_ops_log(inst, member,
			   "program %s (id %u) implements %s.%s of %s, expected %s.%s of %s",
			   prog->aux->name, prog->aux->id,
			   btf_name_by_offset(btf, t->name_off),
			   btf_name_by_offset(btf, m->name_off), btf_get_name(btf),
			   tname, expected, btf_get_name(inst->btf));
}

/* The address in @kdata of @member, if that is a function pointer that the subsystem
 * supports and @inst does not set, else NULL.
 */
static void **bpf_struct_ops_unset_func(const struct bpf_struct_ops_inst *inst,
					const struct btf_member *member, void *kdata)
{
	const struct bpf_struct_ops_desc *desc = inst->st_ops_desc;
	u32 moff = __btf_member_bit_offset(desc->type, member) / 8;

	if (!btf_type_resolve_func_ptr(inst->btf, member->type, NULL) ||
	    bpf_struct_ops_supported(desc->st_ops, moff) ||
	    *(void **)(inst->kdata + moff))
		return NULL;
	return kdata + moff;
}

/* Unset what validate() can do without, the last members first: if either of two
 * members is enough, the first stays.
 */
static void bpf_struct_ops_unset_optional(const struct bpf_struct_ops_inst *inst, void *kdata)
{
	const struct bpf_struct_ops_desc *desc = inst->st_ops_desc;
	u32 i;

	for (i = btf_type_vlen(desc->type); i-- > 0;) {
		const struct btf_member *member = &btf_type_member(desc->type)[i];
		void **func = bpf_struct_ops_unset_func(inst, member, kdata), *stub;

		if (!func)
			continue;
		stub = *func;
		*func = NULL;
		if (desc->st_ops->validate(kdata))
			*func = stub;
	}
}

static void bpf_struct_ops_log_missing(const struct bpf_struct_ops_inst *inst, void *kdata)
{
	const char *sep = ": required members not set: ";
	const struct btf_member *member;
	void **func;
	u32 i;

	bpf_struct_ops_log_start(inst);
	for_each_member(i, inst->st_ops_desc->type, member) {
		func = bpf_struct_ops_unset_func(inst, member, kdata);
		if (!func || !*func)
			continue;
		seq_buf_printf(inst->log, "%s%s", sep,
			       btf_name_by_offset(inst->btf, member->name_off));
		sep = ", ";
	}
	seq_buf_printf(inst->log, "\n");
}

/**
 * bpf_struct_ops_log_validate - say why the subsystem's validate() refused
 * @inst: the instance
 * @err: what validate() returned
 *
 * A subsystem refuses a struct for missing members without saying which ones.
 * So set all of them to the subsystem's own stubs, and if validate() accepts
 * that, find those that it cannot do without.
 *
 * Context: process, may sleep.
 */
void bpf_struct_ops_log_validate(const struct bpf_struct_ops_inst *inst, int err)
{
	const struct bpf_struct_ops_desc *desc = inst->st_ops_desc;
	const struct btf_member *member;
	void *kdata, **func;
	u32 i;

	if (!inst->log)
		return;

	kdata = bpf_map_area_alloc(desc->type->size, NUMA_NO_NODE);
	if (!kdata)
		return;
	memcpy(kdata, inst->kdata, desc->type->size);
	for_each_member(i, desc->type, member) {
		func = bpf_struct_ops_unset_func(inst, member, kdata);
		if (func)
			*func = *(void **)(desc->st_ops->cfi_stubs + ((void *)func - kdata));
	}

	if (desc->st_ops->validate(kdata)) {
		bpf_struct_ops_log(inst, NULL, "the subsystem refused the struct, error %d",
				   -bpf_struct_ops_errno(err));
	} else {
		bpf_struct_ops_unset_optional(inst, kdata);
		bpf_struct_ops_log_missing(inst, kdata);
	}
	bpf_map_area_free(kdata);
}
