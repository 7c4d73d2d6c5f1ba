#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What becomes of a module: waiting for users, withdrawal by the subsystem, and who
# else tells of it
. /tests/lib

module() { run bpftool module "$@"; }
json() { run bpftool --json "$@"; }
wait_state() {
	for _ in {1..600}; do
		bpftool module list | grep -q "$1" && return
		sleep 0.1
	done
	return 1
}

module load /objs/bpf_cubic.bpf.o
start_server
start_flow bpf_cubic
module unload bpf_cubic wait x
check wait-bad-number one_line "'x' is not a number of seconds"
module unload bpf_cubic wait 1 2
check wait-two-numbers not exits 0
module list
check refused-changes-nothing says live
module unload bpf_cubic wait 1
check wait-times-out one_error 'user'
check wait-times-out-says-so says 'after 1 second'
check wait-tells-what-for grep -Eq '^Module bpf_cubic \(id [0-9]+\) is going, it waits for' "$out"
module list
check wait-leaves-it-going says going
bpftool module unload bpf_cubic wait >/tmp/waiter 2>&1 &
waiter=$!
for _ in {1..600}; do
	grep -q 'is going, it waits for' /tmp/waiter && break
	sleep 0.1
done
check waiter-waits kill -0 $waiter
kill $flow
wait $flow 2>/dev/null
wait $waiter
status=$?
cp /tmp/waiter "$out"
check waiter-ends exits 0
check waiter-says-so grep -Eq '^Unloaded module bpf_cubic \(id [0-9]+\)$' "$out"
module list
check waited-for-is-gone prints ''
module load /objs/bpf_cubic.bpf.o
json module unload bpf_cubic wait
check wait-without-users exits 0
check wait-json field 'd["state"]' gone

module load /objs/scx_simple.bpf.o
echo S >/proc/sysrq-trigger
check scheduler-is-withdrawn wait_state detached
module show scx_simple
check show-state grep -Eq '^state +detached$' "$out"
check show-reason says 'simple_ops (sched_ext_ops, withdrawn: disabled by sysrq-S)'
json module show scx_simple
check json-state field '(d[0] if type(d) is list else d)["state"]' detached
check json-op-state field '(d[0] if type(d) is list else d)["ops"][0]["state"]' withdrawn
check json-reason field '(d[0] if type(d) is list else d)["ops"][0]["reason"]' 'disabled by sysrq-S'
module load /objs/scx_simple.bpf.o
check detached-keeps-its-name one_line 'module name "scx_simple" is taken'
module load /objs/scx_simple.bpf.o name second
check next-scheduler-loads exits 0
module unload scx_simple
check detached-unloads exits 0
run cat /sys/kernel/sched_ext/state
check unloading-it-leaves-the-next-one prints enabled
module unload second
check next-scheduler-unloads exits 0

module load /objs/bpf_cubic.bpf.o
run bpftool prog show name bpf_cubic_init
check prog-show-tells-module grep -Eq '^\s+module bpf_cubic$' "$out"
json prog show name bpf_cubic_init
check prog-json-tells-module field 'd["modules"][0]["name"] if type(d) is dict else d[0]["modules"][0]["name"]' bpf_cubic
run bpftool map show
check map-show-tells-module grep -Eq '^\s+module bpf_cubic$' "$out"
run grep -E ' bpf__bpf_cubic\.cubic\.init\b' /proc/kallsyms
check symbol-tells-module exits 0
module unload bpf_cubic
run bpftool prog show
check nothing-tells-it-any-more not says 'module bpf_cubic'
pkill -x iperf3
finish
