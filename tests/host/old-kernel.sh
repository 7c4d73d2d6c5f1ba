#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bpftool and libbpf of this repository on a kernel that has no BPF modules
cd "$(dirname "$0")/../.." || exit 1
. scripts/env
. tests/lib
share=$(mktemp -d)
trap 'rm -rf "$share" "$out"' EXIT

tools=$build/tools/default
cp "$tools/bpftool" "$share/"
run cc -Wall -I"$tools/libbpf/include" -I"$build/linux/tools/include/uapi" tests/host/old-kernel.c \
	"$tools/libbpf/libbpf.a" -Wl,--wrap=syscall -lelf -lz -o "$share/old-kernel"
check program-builds exits 0

KERNEL=stock SHARE=$share LOG=old-kernel-test run scripts/vm run '
object=/objs/tcp_aimd.bpf.o
try() { echo "$1: $("${@:2}" 2>&1) status=$?"; }
try show /share/bpftool module show
try list /share/bpftool module list
try show-one /share/bpftool module show tcp_aimd
try load /share/bpftool module load $object
try load-old /share/bpftool module load /objs/bpf_cubic.bpf.o
try unload /share/bpftool module unload tcp_aimd
try dump /share/bpftool module dump id 1
try pin /share/bpftool module pin id 1 /sys/fs/bpf/x
try json /share/bpftool --json module list
try info /share/bpftool module info $object
try help /share/bpftool module help
try feature /share/bpftool feature probe kernel
try feature-json /share/bpftool --json feature probe kernel
try macros /share/bpftool feature probe kernel macros
for command in "prog show" "map show" "link show" "struct_ops register /objs/bpf_cubic.bpf.o"; do
	/share/bpftool $command >/dev/null
	echo "${command%% *}-status $?"
done
sysctl -n net.ipv4.tcp_available_congestion_control
/share/old-kernel $object
echo "program: status=$?"
'
check machine-ends-well exits 0
for verb in show list show-one load load-old unload dump pin; do
	check "$verb-is-refused" grep -Exq "$verb: Error: this kernel does not have BPF modules status=1" "$out"
done
check json-is-refused grep -Fxq 'json: {"error":"this kernel does not have BPF modules"} status=1' "$out"
check help-works grep -q '^help: Usage: ' "$out"
check feature-says-no grep -Exq 'BPF modules is NOT available( status=0)?' "$out"
check feature-json-says-no grep -Eq '^feature-json: .*"have_bpf_module":false' "$out"
check feature-macro-says-no grep -Eq '^#define NO_HAVE_BPF_MODULE( status=0)?$' "$out"
check info-works grep -q '^info: .*tcp_aimd' "$out"
for command in prog map link struct_ops; do
	check "$command-works" grep -Fxq "$command-status 0" "$out"
done
check maps-still-work grep -qw bpf_cubic "$out"
check probe-says-no grep -Fxq 'probe 0' "$out"
check newer-kernel-probe-says-no grep -Fxq 'newer_probe 0' "$out"
check id-is-refused grep -Fxq 'next_id -22' "$out"
check load-is-not-supported grep -Fxq 'load -95' "$out"
check attach-is-refused grep -Fxq 'attach refused' "$out"
check no-fd grep -Fxq 'fd -1' "$out"
check load-without-modules grep -Fxq 'load_without 0' "$out"
check program-ends-well says 'program: status=0'
finish
