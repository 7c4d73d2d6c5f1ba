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
# An XDP filter: at boot, on the device that it is told
ip link add pg0 type veth peer name pg1
ip link set pg0 up
ip link set pg1 up
# send PORT: a UDP packet from pg1 to pg0
send() {
	python3 -c 'import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("pg1", 0))
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, b"\x0a\0\0\x01", b"\x0a\0\0\x02")
udp = struct.pack("!HHHH", 1000, int(sys.argv[1]), 8, 0)
s.send(b"\xff" * 12 + b"\x08\0" + ip + udp)' "$1"
}
# counted PORT PACKETS
counted() {
	for _ in {1..50}; do
		run bpftool map lookup name blocked key $(($1 % 256)) $(($1 / 256))
		says "\"value\": $2" && return
		sleep 0.1
	done
	return 1
}
mkdir -p /run/bpf/modules /run/bpf/modules.d
cp /objs/port_guard.bpf.o /run/bpf/modules/
printf '%s\n' 'load port_guard' 'options port_guard guard.dev=pg0' >/run/bpf/modules.d/port_guard.conf
module boot
check guard-loads-at-boot exits 0
module show port_guard
check guard-is-attached says 'ifindex pg0('
bpftool map update name blocked key 7 0 value 0 0 0 0 0 0 0 0
send 7
check guard-counts counted 7 1
send 8
send 7
check guard-counts-no-other-port counted 7 2
run bash /examples/keep_table/update.sh port_guard blocked /objs/port_guard.bpf.o guard.dev=pg0 count_only=y
check table-survives-the-new-version exits 0
check table-has-what-was-counted says '"value": 2'
module show port_guard
check new-version-has-its-parameter says 'count_only = true'
send 7
check new-version-counts-on counted 7 3
module unload port_guard
check guard-unloads exits 0
run ip link show pg0
check guard-is-detached not says xdp
rm -r /run/bpf/modules /run/bpf/modules.d
ip link del pg0

# A tracer that stays
module load /objs/exec_log.bpf.o
check exec-log-loads exits 0
/bin/true
run /objs/exec_tail
check exec-tail-reads says ' /bin/true'
module unload exec_log
check exec-log-unloads exits 0
run /objs/exec_tail
check exec-tail-says-what-to-do says 'module exec_log is not loaded'

# Ops, a program beside them, and init
module load /objs/tcp_steps.bpf.o beta_small=900 beta_large=800
check steps-refuses not exits 0
check steps-says-who-refused says 'init program fill_steps'
module load /objs/tcp_steps.bpf.o beta_small=600
check steps-loads exits 0
run bpftool map lookup name steps key 0 0 0 0
check steps-table-is-filled says '"value": 600'
transfer steps
check steps-moves-data exits 0
module unload tcp_steps wait 10
check steps-unloads exits 0
# A library, and three modules that take from its buckets at once
ip link add tb0 type veth peer name tb1
ip link set tb0 up
ip link set tb1 up
ip addr add 10.0.0.2/24 dev tb0
ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev tb0
mkdir -p /sys/fs/cgroup/tb /run/bpf/modules /run/bpf/modules.d
cp /objs/{tokenbucket,limit_in,limit_out,tcp_frugal}.bpf.o /run/bpf/modules/
cat >/run/bpf/modules.d/limits.conf <<-'END'
	options tokenbucket rate=1 burst=300
	options limit_in limit.dev=tb0
	options limit_out limit.cgroup=/sys/fs/cgroup/tb
END
module load limit_in
check limit-loads exits 0
check library-is-loaded-first says 'Loaded module tokenbucket'
module load limit_out
check other-limit-loads exits 0
module load tcp_frugal
check frugal-loads exits 0
module list
check library-is-used-by-three says 'limit_in, limit_out, tcp_frugal'
transfer frugal
check frugal-moves-data exits 0
# flood: eight packets of 42 bytes from 10.0.0.1, of which seven fit
flood() {
	python3 -c 'import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("tb1", 0))
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, b"\x0a\0\0\x01", b"\x0a\0\0\x02")
for _ in range(8):
    s.send(b"\xff" * 12 + b"\x08\0" + ip + struct.pack("!HHHH", 1000, 9, 8, 0))'
}
# dropped MAP: at least one, by the module with these variables
dropped() {
	for _ in {1..50}; do
		bss "$1"
		[ "$(number dropped)" -gt 0 ] && return
		sleep 0.1
	done
	return 1
}
flood
check limit-drops-what-comes dropped limit_in.bss
# what is left of the bucket of 10.0.0.1 is too little for an answer
run bash -c 'echo $$ >/sys/fs/cgroup/tb/cgroup.procs && echo 0123456789 >/dev/udp/10.0.0.1/9'
check limit-drops-what-goes dropped limit_ou.bss
module unload tokenbucket
check library-in-use-stays not exits 0
check library-says-who-uses-it says limit_in
module unload limit_in limit_out
check limits-unload exits 0
module unload tcp_frugal deps
check library-goes-with-its-last-caller says 'Unloaded module tokenbucket'
rm -r /run/bpf/modules /run/bpf/modules.d
rmdir /sys/fs/cgroup/tb
ip link del tb0
pkill -x iperf3
finish
