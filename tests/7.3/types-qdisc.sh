#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Queueing disciplines as modules: each one that is in use on a device is a user
. /tests/lib

fifo=/objs/bpf_qdisc_fifo.bpf.o

module() { run bpftool module "$@"; }
user() {
	local caps=$1
	shift
	run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" "$@"
}
# users NAME: how many it has
users() { bpftool --json module show "$1" | python3 -c '
import json, sys
d = json.load(sys.stdin)
print((d[0] if type(d) is list else d)["users"])'; }
# has NAME NUMBER
has() {
	users "$1" >"$out" 2>&1
	prints "$2"
}
# kinds DEVICE: its disciplines
kinds() { run tc qdisc show dev "$1"; }

# sends NAME DEVICE: four MiB over the loopback, and all of it went through the discipline
sends() {
	run python3 -c '
import socket, threading
size = 4 << 20
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    with listener.accept()[0] as s:
        left = size
        while left and (data := s.recv(min(left, 65536))):
            left -= len(data)
        s.sendall(b"some" if left else b"all")
threading.Thread(target=serve, daemon=True).start()
with socket.create_connection(listener.getsockname()) as s:
    s.settimeout(120)
    s.sendall(bytes(size))
    print(s.recv(4).decode())'
	check "$1-data-arrive" prints all
	run tc -s qdisc show dev "$2"
	check "$1-counts-them" awk '$1 == "Sent" { bytes = $2 } END { exit bytes < 4 * 1024 * 1024 }' "$out"
}

user +bpf,+perfmon bpftool module load $fifo
check without-net-admin-is-refused one_line 'op fifo (Qdisc_ops): needs CAP_NET_ADMIN'
module list
check refused-is-not-listed prints ''
user +bpf,+perfmon,+net_admin bpftool module load $fifo
check net-admin-is-enough exits 0
module list
check fifo-is-listed grep -Eq '^[0-9]+ +bpf_qdisc_fifo +live +0 +1 +0 ' "$out"
module show bpf_qdisc_fifo
check type-is-shown says Qdisc_ops
module load $fifo name second
check name-of-another-is-refused one_line 'op fifo (Qdisc_ops): the subsystem has one of that name already'
module load $fifo replace bpf_qdisc_fifo
check replacing-is-refused one_line 'op fifo (Qdisc_ops): the subsystem cannot replace ops of this type'
module load /objs/bpf_qdisc_fail__incompl_ops.bpf.o
check missing-member-is-named one_line 'required members not set: init'
module list
check refused-ones-are-not-listed not grep -Eq 'second|incompl' "$out"

run tc qdisc add dev lo root bpf_fifo
check fifo-is-attached exits 0
kinds lo
check fifo-is-shown says 'qdisc bpf_fifo'
check fifo-is-a-user has bpf_qdisc_fifo 1
sends fifo lo
module unload bpf_qdisc_fifo
check used-one-is-not-unloaded one_line 'in use (1 user)'
kinds lo
check refusal-leaves-it says 'qdisc bpf_fifo'
run tc qdisc del dev lo root
check fifo-is-detached exits 0
check detached-is-no-user has bpf_qdisc_fifo 0

# Below a discipline that is none of its kind it refuses, and holds nothing
ip link add q0 type veth peer name q1
ip link set q0 up
ip link set q1 up
tc qdisc add dev q0 root handle 1: netem delay 1ms
run tc qdisc add dev q0 parent 1:1 bpf_fifo
check below-another-is-refused not exits 0
check below-another-says-why says 'BPF qdisc only supported on root or mq'
check refused-qdisc-is-no-user has bpf_qdisc_fifo 0
tc qdisc del dev q0 root

# The default of new devices is a user, too
default=$(cat /proc/sys/net/core/default_qdisc)
run sysctl -w net.core.default_qdisc=bpf_fifo
check default-is-taken exits 0
check default-is-a-user has bpf_qdisc_fifo 1
run sysctl -w net.core.default_qdisc="$default"
check default-is-given-back exits 0
check old-default-is-no-user has bpf_qdisc_fifo 0

# Two of one object, one on each end
module load $fifo name second fifo.id=bpf_second
check second-loads exits 0
tc qdisc add dev q0 root bpf_fifo
tc qdisc add dev q1 root bpf_second
kinds q1
check second-is-shown says 'qdisc bpf_second'
check first-has-its-user has bpf_qdisc_fifo 1
check second-has-its-user has second 1
module unload second drain
check drain-is-accepted exits 0
module list
check second-is-going grep -Eq '^[0-9]+ +second +going +1 ' "$out"
run tc qdisc replace dev lo root bpf_second
check going-takes-no-user not exits 0
kinds q1
check going-keeps-its-user says 'qdisc bpf_second'
ip link del q0
check going-goes-with-its-device gone second
check device-takes-the-other-user has bpf_qdisc_fifo 0
module unload bpf_qdisc_fifo
check fifo-unloads exits 0
run tc qdisc add dev lo root bpf_fifo
check unloaded-is-unknown not exits 0

module load /objs/bpf_qdisc_fq.bpf.o
check fq-loads exits 0
run tc qdisc add dev lo root bpf_fq
check fq-is-attached exits 0
sends fq lo
check fq-is-a-user has bpf_qdisc_fq 1
tc qdisc del dev lo root
module unload bpf_qdisc_fq
check fq-unloads exits 0
module list
check nothing-is-listed prints ''
finish
