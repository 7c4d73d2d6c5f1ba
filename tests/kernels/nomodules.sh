#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without CONFIG_MODULES: a scheduler loads as a module and works, an ops type that
# names its owner is refused with the reason
cd "$(dirname "$0")/../.." || exit 1
. scripts/env
. tests/lib
share=$(mktemp -d)
trap 'rm -rf "$share" "$out"' EXIT

cp "$build"/tools/default/bpftool "$share/"
# an op without programs gets as far as the kernel's own refusal
cat >"$share/plain.bpf.c" <<'END'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC(".module.plain")
struct tcp_congestion_ops plain = { .name = "plain" };
END
run clang-19 -g -O2 -target bpf -I"$build/examples" -I"$build/tools/default/libbpf/include" \
	-c "$share/plain.bpf.c" -o "$share/plain.bpf.o"
check object-compiles exits 0
KERNEL=nomodules SHARE=$share LOG=nomodules-test run scripts/vm run '
try() { echo "$1: $("${@:2}" 2>&1)"; }
try config zgrep -w CONFIG_MODULES /proc/config.gz
try load /share/bpftool module load /objs/scx_simple.bpf.o
try state cat /sys/kernel/sched_ext/state
try list /share/bpftool module list
try unload /share/bpftool module unload scx_simple
try after cat /sys/kernel/sched_ext/state
try tcp /share/bpftool module load /objs/bpf_cubic.bpf.o
try plain /share/bpftool module load /share/plain.bpf.o
try left /share/bpftool module list
'
check machine-ends-well exits 0
check has-no-modules says 'config: # CONFIG_MODULES is not set'
check scheduler-loads says 'load: Loaded module scx_simple'
check scheduler-is-on says 'state: enabled'
check scheduler-unloads says 'unload: Unloaded module scx_simple'
check scheduler-is-off says 'after: disabled'
check program-is-refused says 'Error: can'"'"'t load /objs/bpf_cubic.bpf.o: types of ops with an owner need CONFIG_MODULES, which is not set'
check op-is-refused grep -q '^plain: .*op plain: type .* is not an ops type of a subsystem; those with an owner need CONFIG_MODULES' "$out"
check nothing-is-left grep -Fxq 'left: ' "$out"
finish
