#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without CONFIG_BPF_JIT no module loads, and each command says so
cd "$(dirname "$0")/../.." || exit 1
. scripts/env
. tests/lib
share=$(mktemp -d)
trap 'rm -rf "$share" "$out"' EXIT

cp "$build"/tools/default/bpftool "$share/"
KERNEL=nojit SHARE=$share LOG=nojit-test run scripts/vm run '
try() { echo "$1: $("${@:2}" 2>&1)"; }
try config zgrep -w CONFIG_BPF_JIT /proc/config.gz
try ops /share/bpftool module load /objs/bpf_cubic.bpf.o
try links /share/bpftool module load /objs/exec_log.bpf.o
try funcs /share/bpftool module load /objs/token_bucket.bpf.o
try list /share/bpftool module list
echo "probe: $(/share/bpftool feature probe kernel | grep -F "BPF modules")"
'
check machine-ends-well exits 0
check has-no-jit says 'config: # CONFIG_BPF_JIT is not set'
for what in ops links funcs list; do
	check "$what-is-refused" grep -Fxq "$what: Error: this kernel does not have BPF modules" "$out"
done
check probe-says-so says 'probe: BPF modules is NOT available'
finish
