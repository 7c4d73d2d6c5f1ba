#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.bpf_modules_disabled has no way back, so it gets a machine of its own
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
trap 'rm -f "$out"' EXIT

LOG=disabled-test run scripts/vm run '
sysctl=/proc/sys/kernel/bpf_modules_disabled
try() { echo "$1: $("${@:2}" 2>&1)"; }
try at-boot cat $sysctl
bpftool module load /objs/bpf_cubic.bpf.o
echo 2 >$sysctl || echo "two: refused"
echo 1 >$sysctl
try now cat $sysctl
try load bpftool module load /objs/bpf_dctcp.bpf.o ops dctcp
try unload bpftool module unload bpf_cubic
try drain bpftool module unload bpf_cubic drain
try replace bpftool module load /objs/bpf_cubic.bpf.o replace bpf_cubic
echo 0 >$sysctl || echo "zero: refused"
try still cat $sysctl
bpftool module list
sysctl -n net.ipv4.tcp_available_congestion_control
'
check machine-ends-well exits 0
check off-at-boot says 'at-boot: 0'
check takes-no-2 says 'two: refused'
check is-on says 'now: 1'
for command in load replace; do
	check "$command-refused" says "$command: Error: not permitted: kernel.bpf_modules_disabled is set until the next boot"
done
for command in unload drain; do
	check "$command-refused" says "$command: Error: can't unload module bpf_cubic: kernel.bpf_modules_disabled is set until the next boot"
done
check no-way-back says 'zero: refused'
check stays-on says 'still: 1'
check loaded-one-is-listed grep -Eq '^[0-9]+ +bpf_cubic +live' "$out"
check loaded-one-serves says bpf_cubic
check nothing-new-came not says dctcp-bpf
finish
