#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The life of a BPF module, shown in the guest with upstream's own objects. Each
# command is printed before it runs, and each claim is checked: the first that
# does not hold ends the demo with a failure.
set -u -o pipefail

held=0
flow=

title() { printf '\n== %s\n' "$*"; }

failed() {
	echo "demo: FAILED: $*"
	exit 1
}

# show COMMAND: it must succeed; its output is kept in $said
show() {
	echo "\$ $1"
	said=$(eval "$1" 2>&1)
	local status=$?
	[ -z "$said" ] || echo "$said"
	[ $status = 0 ] || failed "'$1' ended with $status"
	held=$((held + 1))
}

# refused COMMAND TEXT: it must fail, and say so
refused() {
	echo "\$ $1"
	said=$(eval "$1" 2>&1) && failed "'$1' should have been refused"
	echo "$said"
	expect "$2"
}

expect() {
	[[ $said == *$1* ]] || failed "expected to see \"$1\""
	held=$((held + 1))
}

expect_not() {
	[[ $said != *$1* ]] || failed "did not expect to see \"$1\""
	held=$((held + 1))
}

# start_flow NAME SECONDS: TCP through a congestion control, in the background
start_flow() {
	echo "\$ iperf3 -c 127.0.0.1 -C $1 -t $2 &"
	iperf3 -c 127.0.0.1 -C "$1" -t "$2" >/tmp/flow 2>&1 &
	flow=$!
	for _ in {1..600}; do
		ss -Htin state established dport = :5201 | grep -qw "$1" && return
		sleep 0.1
	done
	cat /tmp/flow
	failed "no flow with $1 came up"
}

stop_flow() {
	kill "$flow"
	wait "$flow" 2>/dev/null
}

transfer() {
	show "iperf3 -c 127.0.0.1 -C $1 -t 2 -f m -V | grep -E 'sender|receiver|snd_tcp_congestion'"
	expect "snd_tcp_congestion $1"
	expect sender
}

title "The kernel, and the congestion controls it is built with"
show 'uname -sr'
show 'sysctl -n net.ipv4.tcp_available_congestion_control'
expect_not bpf_
ip link set lo up
iperf3 -s -D || failed "no iperf3 server"
for _ in {1..600}; do
	ss -Hltn 'sport = :5201' | grep -q . && break
	sleep 0.1
done

title "Two congestion controls of upstream's selftests, unchanged, as BPF modules"
show 'bpftool module load /objs/bpf_cubic.bpf.o'
show 'bpftool module load /objs/bpf_dctcp.bpf.o ops dctcp'
show 'bpftool module list'
expect bpf_cubic
expect bpf_dctcp
show 'sysctl -n net.ipv4.tcp_available_congestion_control'
expect bpf_cubic
expect bpf_dctcp
show 'bpftool module dump name bpf_dctcp'
expect bpf_dctcp

title "TCP through each of them, and through the built-in one"
transfer bpf_cubic
transfer bpf_dctcp
transfer cubic

title "A module in use is not unloaded"
start_flow bpf_cubic 60
refused 'bpftool module unload bpf_cubic' 'in use'
show 'bpftool module show bpf_cubic'
expect live

title "Unless it is drained: no new user comes, and it goes with the last one"
show 'bpftool module unload bpf_cubic drain'
show 'bpftool module list'
expect going
show 'sysctl -n net.ipv4.tcp_available_congestion_control'
expect_not bpf_cubic
echo '$ kill %1		# the flow ends'
stop_flow
for _ in {1..600}; do
	bpftool module list | grep -q bpf_cubic || break
	sleep 0.1
done
show 'bpftool module list'
expect_not bpf_cubic
expect bpf_dctcp
show 'bpftool module unload bpf_dctcp'

title "All or nothing: bpf_dctcp.bpf.o has a second op, which TCP refuses"
refused 'bpftool module load /objs/bpf_dctcp.bpf.o' dctcp_nouse
show 'bpftool module list'
expect_not bpf_dctcp
show 'sysctl -n net.ipv4.tcp_available_congestion_control'
expect_not bpf_

title "The loader may die: a loaded module needs no handle"
echo '$ (echo module load /objs/bpf_cubic.bpf.o; sleep 60) | bpftool batch file - &'
mkfifo /tmp/batch
bpftool batch file - </tmp/batch &
loader=$!
exec 9>/tmp/batch
echo 'module load /objs/bpf_cubic.bpf.o' >&9
for _ in {1..600}; do
	bpftool module list | grep -q bpf_cubic && break
	sleep 0.1
done
kill -0 $loader || failed "the loader is gone already"
echo '$ kill -9 %1'
kill -9 $loader
wait $loader 2>/dev/null
exec 9>&-
show 'bpftool module list'
expect bpf_cubic
transfer bpf_cubic
show 'bpftool module unload bpf_cubic'
show 'bpftool module list'
expect_not bpf_cubic

echo
echo "demo: BPF modules loaded, listed, carried TCP, refused to go while in use, drained, came all or" \
	"not at all, outlived their loader and were unloaded: $held of $held checks held"
