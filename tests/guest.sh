#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What every command in the guest may rely on
. /tests/lib
. /job/settings
. /tests/completion

run id -u
check root prints 0
run nproc
check two-processors prints 2
run hostname
check hostname prints bpf
check project-is-where-it-is-on-the-host test -x "$top/vm/init"
completes bpftool mod
check completion prints module
run bash -c 'exec 3<>/dev/tcp/127.0.0.1/1'
check loopback-is-up says 'Connection refused'
for tool in ip tc ss iperf3 bpftool; do
	check "has-$tool" command -v "$tool" >"$out"
done
for object in bpf_dctcp bpf_cubic bpf_cc_cubic scx_simple; do
	check "object-$object" test -s "/objs/$object.bpf.o"
done
run zcat /proc/config.gz
check config-in-proc says CONFIG_BPF_SYSCALL=y
run grep -w bpf /sys/kernel/security/lsm
check bpf-lsm exits 0
run findmnt -n -t bpf /sys/fs/bpf
check bpffs exits 0
run bpftool prog show
check bpftool-works exits 0
run sysctl -n net.ipv4.tcp_available_congestion_control
check cubic-built-in says cubic
run modprobe tcp_vegas
check module-loads exits 0
run sysctl -n net.ipv4.tcp_available_congestion_control
check module-is-there says vegas
run unshare -Urn true
check user-namespaces exits 0
run ip link add one type veth peer name two
check veth exits 0
run tc qdisc add dev one root netem delay 1ms
check netem exits 0
run tc qdisc replace dev two root fq
check fq exits 0
run cat /sys/kernel/sched_ext/state
check sched-ext prints disabled
check uhid test -c /dev/uhid
check cgroup-bpf test -f /sys/fs/cgroup/cgroup.procs
check tracefs grep -q bpf_struct_ops_map_alloc /sys/kernel/tracing/available_filter_functions
finish
