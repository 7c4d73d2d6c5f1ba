#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Schedulers of the cid form as modules, one below the other: a root, and one that a control
# group has for itself
. /tests/lib

sub=/objs/types_scx_sub.bpf.o
sys=/sys/kernel/sched_ext
group=/sys/fs/cgroup/types_sched

module() { run bpftool module "$@"; }
state() { run cat $sys/state; }

# runs MODULE PROGRAM: how often that program of the module ran
runs() {
	bpftool --json prog show | python3 -c '
import json, sys
module, name = sys.argv[1:]
print(sum(p.get("run_cnt", 0) for p in json.load(sys.stdin)
	if p.get("name") == name and module in (o["name"] for o in p.get("modules", []))))' "$@"
}

# More processes than processors, which sleep and wake again; all of them must end
load() {
	local pids=() pid failed=0
	for _ in {1..8}; do
		python3 -c '
import time
for _ in range(20):
	time.sleep(0.001)
	sum(range(2000))' &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
	return $failed
}
# the same in the control group
group_load() (
	echo $BASHPID >$group/cgroup.procs || exit 1
	load
)

# grows NAME LOAD MODULE: its callbacks run while LOAD does
grows() {
	local name=$1 before after
	before=$(runs "$3" sub_enqueue)
	check "$name-load-ends" "$2"
	after=$(runs "$3" sub_enqueue)
	echo "sub_enqueue of $3: from $before to $after" >"$out"
	check "$name-schedules-it" test $((after - before)) -gt 100
}

# reaches MODULE STATE: within a minute
reaches() {
	for _ in {1..600}; do
		bpftool module list >"$out" 2>&1
		grep -Eq "^[0-9]+ +$1 +$2 " "$out" && return
		sleep 0.1
	done
	return 1
}

# below NAME ID: load one for the control group of that id
below() { module load $sub name "$1" sub_ops.sub_cgroup_id="$2" sub_ops.name=below; }
# a task that moves there is told of to schedulers by the controller
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir $group
id=$(stat -c %i $group)
sub_ops=$sys/root/sub/sub-$id/ops
echo 1 >/proc/sys/kernel/bpf_stats_enabled

state
check off-at-first prints disabled
run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=+bpf,+perfmon,+net_admin \
	--ambient-caps=+bpf,+perfmon,+net_admin bpftool module load $sub
check without-sys-admin-is-refused one_line 'op sub_ops (sched_ext_ops_cid): needs CAP_SYS_ADMIN'
below sub "$id"
check sub-without-a-root-is-refused one_line 'op sub_ops (sched_ext_ops_cid): no scheduler is enabled'
module load /objs/types_scx_cid.bpf.o
check cid-without-an-arena-is-refused one_line 'op no_arena (sched_ext_ops_cid): has to use a BPF arena'
module list
check refused-are-not-listed prints ''
state
check refused-leave-it-off prints disabled

# A root
module load $sub name root
check root-loads exits 0
state
check root-is-on prints enabled
run cat $sys/root/ops
check root-is-the-one prints sub_test
module list
check root-is-listed grep -Eq '^[0-9]+ +root +live +0 +1 ' "$out"
run bpftool --json module show root
check root-has-its-type field '(d[0] if type(d) is list else d)["ops"][0]["type"]' sched_ext_ops_cid
grows root load root
module load $sub name second
check second-root-is-refused one_line 'op sub_ops (sched_ext_ops_cid): the subsystem allows one at a time and has one'
module load $sub replace root
check replacing-is-refused one_line 'op sub_ops (sched_ext_ops_cid): the subsystem cannot replace ops of this type'
run cat $sys/root/ops
check refused-root-changes-nothing prints sub_test

# One below it
module load /objs/scx_simple.bpf.o simple_ops.sub_cgroup_id="$id"
check cpu-form-below-is-refused one_line 'sub-sched requires cid-form struct_ops'
below sub 999999
check no-such-group-is-refused one_line 'op sub_ops (sched_ext_ops_cid): sub_cgroup_id 999999: no such control group'
below sub "$id"
check sub-loads exits 0
run cat "$sub_ops"
check sub-is-there prints below
module list
check sub-is-listed grep -Eq '^[0-9]+ +sub +live +0 +1 ' "$out"
check root-stays-listed grep -Eq '^[0-9]+ +root +live +0 +1 ' "$out"
check load-below-ends group_load
grows root-beside-sub load root
below third "$id"
check group-has-one one_line 'op sub_ops (sched_ext_ops_cid): sub_cgroup_id '"$id: it, or a control group in it, has one"
module unload sub
check sub-unloads exits 0
check sub-is-gone not test -e "$sub_ops"
run cat $sys/root/ops
check root-stays prints sub_test
grows root-takes-the-group group_load root

# The group goes, and with it its scheduler
below sub "$id"
check sub-loads-again exits 0
run rmdir $group
check group-goes exits 0
check sub-of-no-group-is-detached reaches sub detached
module show sub
check sub-says-why grep -Eq 'withdrawn: unregistered from the main kernel: cgroup [0-9]+ going offline' "$out"
module unload sub
check detached-sub-unloads exits 0
state
check root-stays-on prints enabled

# The root goes, and with it what is below it
mkdir $group
id=$(stat -c %i $group)
below sub "$id"
check sub-in-a-new-group-loads exits 0
module unload root
check root-unloads exits 0
check sub-of-no-root-is-detached reaches sub detached
module show sub
check sub-of-no-root-says-why says 'withdrawn: parent exiting'
state
check off-without-root prints disabled
check load-ends-without-root group_load
module load $sub name root
check root-loads-beside-detached-sub exits 0
module unload sub
check sub-without-root-unloads exits 0
state
check new-root-stays-on prints enabled

# All at once, by the console
below sub "$id"
check sub-of-new-root-loads exits 0
echo S >/proc/sysrq-trigger
check sysrq-detaches-root reaches root detached
check sysrq-detaches-sub reaches sub detached
module unload sub root
check both-unload exits 0
state
check off-after-sysrq prints disabled

# One of another type follows at once, while the memory of the one before is not freed yet
for round in {1..5}; do
	module load $sub name root
	check "round-$round-root-loads" exits 0
	run bpftool batch file - <<-END
		module unload root
		module load /objs/scx_simple.bpf.o
	END
	check "round-$round-next-one-loads" exits 0
	sleep 1
	module list
	check "round-$round-next-one-stays" grep -Eq '^[0-9]+ +scx_simple +live ' "$out"
	module unload scx_simple
	check "round-$round-next-one-unloads" exits 0
done
echo 0 >/proc/sys/kernel/bpf_stats_enabled
rmdir $group
module list
check nothing-is-listed prints ''
finish
