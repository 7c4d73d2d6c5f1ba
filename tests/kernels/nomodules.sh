#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without CONFIG_MODULES: a scheduler loads as a module and works, an ops type that
# names its owner is refused with the reason
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
share=$(mktemp -d)
trap 'rm -rf "$share" "$out"' EXIT

cp build/tools/default/bpftool "$share/"
KERNEL=nomodules SHARE=$share LOG=nomodules-test run scripts/vm run '
try() { echo "$1: $("${@:2}" 2>&1)"; }
try config zgrep CONFIG_MODULES /proc/config.gz
try load /share/bpftool module load /objs/scx_simple.bpf.o
try state cat /sys/kernel/sched_ext/state
try list /share/bpftool module list
try unload /share/bpftool module unload scx_simple
try after cat /sys/kernel/sched_ext/state
try tcp /share/bpftool module load /objs/bpf_cubic.bpf.o
'
check machine-ends-well exits 0
check has-no-modules says 'config: # CONFIG_MODULES is not set'
check scheduler-loads says 'load: Loaded module scx_simple'
check scheduler-is-on says 'state: enabled'
check scheduler-unloads says 'unload: Unloaded module scx_simple'
check scheduler-is-off says 'after: disabled'
check tcp-is-refused says 'need CONFIG_MODULES'
finish
