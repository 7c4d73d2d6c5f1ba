#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each of the examples does what its page says
. /tests/lib

module() { run bpftool module "$@"; }
# transfer NAME: megabytes through a congestion control, by loopback, beside the
# flow of another server
transfer() { run iperf3 -c 127.0.0.1 -p 5202 -C "$1" -n 4M; }
bss() { run bpftool -j map dump name "$1"; }
# number FIELD: of the JSON of a global variable map
number() { python3 -c '
import json, sys
def find(d, key):
    if isinstance(d, dict):
        if key in d: return d[key]
        d = list(d.values())
    if isinstance(d, list):
        for e in d:
            v = find(e, key)
            if v is not None: return v
print(find(json.load(open(sys.argv[1])), sys.argv[2]))' "$out" "$1"; }

start_server
start_server 5202

module load /objs/tcp_aimd.bpf.o beta=717 gain=2
check aimd-loads exits 0
module show tcp_aimd
check aimd-shows-beta says 'beta = 717'
check aimd-shows-gain says 'gain = 2'
transfer aimd
check aimd-moves-data exits 0
module load /objs/tcp_aimd.bpf.o beta=-1
check aimd-checks-range not exits 0
check aimd-names-range says '0 to 4294967295'
start_flow aimd
run bash /examples/live_replace/replace.sh tcp_aimd /objs/tcp_aimd.bpf.o beta=900
check replace-under-traffic exits 0
check replace-shows-new-value says 'beta = 900'
check replace-shows-old-one-going says going
transfer aimd
check replaced-moves-data exits 0
kill $flow
wait $flow 2>/dev/null
module unload tcp_aimd wait 10
check aimd-unloads exits 0

module load /objs/tcp_pair.bpf.o calm_cwnd=7
check pair-loads exits 0
run sysctl -n net.ipv4.tcp_available_congestion_control
check pair-bulk-is-there says pair_bulk
check pair-calm-is-there says pair_calm
transfer pair_bulk
check pair-bulk-moves-data exits 0
iperf3 -c 127.0.0.1 -C pair_calm -t 30 >/dev/null &
flow=$!
for _ in {1..600}; do
	ss -Htin state established | grep pair_calm >"$out" && break
	sleep 0.1
done
check pair-calm-stays-calm awk '{ for (i = 1; i <= NF; i++) if (sub("^cwnd:", "", $i) && $i > 7) exit 1 }' "$out"
module unload tcp_pair
check pair-in-use-as-one not exits 0
kill $flow
wait $flow 2>/dev/null
module unload tcp_pair wait 10
check pair-unloads exits 0
run sysctl -n net.ipv4.tcp_available_congestion_control
check pair-is-gone not says pair_

module load /objs/sched_fifo.bpf.o slice_us=2000
check sched-loads exits 0
run cat /sys/kernel/sched_ext/root/ops
check sched-runs prints fifo
for _ in 1 2 3 4; do timeout 2 sh -c 'while :; do :; done' & done
wait %1 %2 %3 %4 2>/dev/null
wait $!
bss sched_fi.bss
queued=$(number queued)
check sched-queues-tasks test "${queued:-0}" -gt 10
module show sched_fifo
check sched-shows-slice says 'slice_us = 2000'
module unload sched_fifo
check sched-unloads exits 0

/objs/shyd 5 >/tmp/shyd 2>&1 &
daemon=$!
for _ in {1..600}; do
	bpftool module list | grep -q tcp_shy && break
	sleep 0.1
done
module show tcp_shy
check daemon-module-is-bound says 'live, bound'
transfer shy
check daemon-module-moves-data exits 0
for _ in {1..600}; do
	grep -q 'limit 5' /tmp/shyd && break
	sleep 0.1
done
kill -9 $daemon
wait $daemon 2>/dev/null
for _ in {1..600}; do
	bpftool module list | grep -q tcp_shy || break
	sleep 0.1
done
module list
check daemon-killed-module-goes not says tcp_shy
check daemon-said grep -q 'limit 5' /tmp/shyd

run python3 /examples/hid_swap/mouse.py --test
check hid-swap exits 0
check hid-swap-says says "with hid_swap left is right, then left is left"
pkill -x iperf3
finish
