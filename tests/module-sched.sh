#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Upstream's schedulers as modules: they schedule what runs, and stop when unloaded
. /tests/lib

module() { run bpftool module "$@"; }
state() { run cat /sys/kernel/sched_ext/state; }

# map_id MODULE NAME: the id of one of its maps
map_id() {
	bpftool --json map show | python3 -c '
import json, sys
module, name = sys.argv[1:]
print(*(m["id"] for m in json.load(sys.stdin)
	if m["name"] == name and module in (o["name"] for o in m.get("modules", []))))' "$@"
}

# simple_count MAP: tasks that scx_simple queued, in its queue and elsewhere, on all processors
simple_count() {
	bpftool --json map dump id "$1" | python3 -c '
import json, sys
print(sum(int.from_bytes((int(b, 16) for b in v["value"]), "little")
	for e in json.load(sys.stdin) for v in e["values"]))'
}

# bss_count MAP VARIABLE: one of the counters in .bss
bss_count() {
	bpftool --json map dump id "$1" | python3 -c '
import json, sys
print(next(v[sys.argv[1]] for section in json.load(sys.stdin)[0]["formatted"]["value"].values()
	for v in section if sys.argv[1] in v))' "$2"
}

# exceeds NUMBER COUNTER...: by itself, within a minute
exceeds() {
	local end=$((SECONDS + 60))
	until [ "$("${@:2}")" -gt "$1" ]; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.1
	done
}

# forget MAP: make all of .bss zero
forget() {
	local bytes
	bytes=$(bpftool --json map show id "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["bytes_value"])')
	# shellcheck disable=SC2046 # a word for each byte
	bpftool map update id "$1" key 0 0 0 0 value $(yes 0 | head -n "$bytes")
}

# freed MAP: within a minute; memory goes after grace periods
freed() {
	for _ in {1..600}; do
		bpftool map show id "$1" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	return 1
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

# schedules NAME COUNTER...: COUNTER grows by more than a hundred while a load runs
schedules() {
	local name=$1 before after
	shift
	before=$("$@")
	check "$name-load-ends" load
	after=$("$@")
	echo "$*: from $before to $after" >"$out"
	check "$name-schedules-it" test $((after - before)) -gt 100
}

# ends NAME MAP: an unload gives the tasks back, and the memory
ends() {
	module unload "$1"
	check "$1-unloads" exits 0
	state
	check "$1-is-off" prints disabled
	module list
	check "$1-is-not-listed" prints ''
	check "$1-map-is-freed" freed "$2"
	check "$1-load-ends-without-it" load
}

state
check off-at-first prints disabled

module load /objs/scx_simple.bpf.o
check scx_simple-loads exits 0
state
check scx_simple-is-on prints enabled
run cat /sys/kernel/sched_ext/root/ops
check scx_simple-is-the-one prints simple
module list
check scx_simple-is-listed grep -Eq '^[0-9]+ +scx_simple +live +0 +1 ' "$out"
stats=$(map_id scx_simple stats)
schedules scx_simple simple_count "$stats"
ends scx_simple "$stats"

module load /objs/scx_qmap.bpf.o
check scx_qmap-loads exits 0
run cat /sys/kernel/sched_ext/root/ops
check scx_qmap-is-the-one prints qmap
module list
check scx_qmap-is-listed grep -Eq '^[0-9]+ +scx_qmap +live +0 +1 ' "$out"
bss=$(map_id scx_qmap scx_qmap.bss)
schedules scx_qmap-enqueue bss_count "$bss" nr_enqueued
schedules scx_qmap-dispatch bss_count "$bss" nr_dispatched
# Its timer, which looks at the processors once a second, went on when bpftool ended
check scx_qmap-counters-are-forgotten forget "$bss"
check scx_qmap-timer-ticks exceeds 0 bss_count "$bss" cpuperf_max
ends scx_qmap "$bss"

# Wants its init to run on the first processor, and the kernel runs that in a thread of its
# own, which it has since the first scheduler. Without arrays of all processors, which
# bpftool cannot give it, it schedules for that one alone.
run taskset -p -c 0 "$(pgrep scx_ops_enable)"
check scx_central-init-runs-on-first exits 0
module load /objs/scx_central.bpf.o
check scx_central-loads exits 0
run cat /sys/kernel/sched_ext/root/ops
check scx_central-is-the-one prints central
bss=$(map_id scx_central scx_cent.bss)
ticks=$(bss_count "$bss" nr_timers)
check scx_central-timer-ticks exceeds "$ticks" bss_count "$bss" nr_timers
schedules scx_central bss_count "$bss" nr_total
ends scx_central "$bss"

# The most that fits in a percpu allocation; more, and a dump without end, are refused
module load /objs/scx_qmap.bpf.o qmap_ops.dispatch_max_batch=1023
check scx_qmap-large-batch-loads exits 0
state
check scx_qmap-large-batch-is-on prints enabled
module unload scx_qmap
check scx_qmap-large-batch-unloads exits 0
for batch in 1024 100000000 4294967295; do
	module load /objs/scx_qmap.bpf.o qmap_ops.dispatch_max_batch=$batch
	check "scx_qmap-batch-$batch-is-refused" one_line dispatch_max_batch
done
module load /objs/scx_qmap.bpf.o qmap_ops.exit_dump_len=4294967295
check scx_qmap-endless-dump-is-refused one_line 'no memory'
state
check off-after-refusals prints disabled
module list
check nothing-is-listed prints ''
finish
