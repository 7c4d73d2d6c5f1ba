#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bpftool module: what it prints, what it refuses, and how it exits
. /tests/lib

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
available() { sysctl -n net.ipv4.tcp_available_congestion_control; }

module list
check empty-list-prints-nothing prints ''
check empty-list-is-no-error exits 0
json list
check empty-list-json prints '[]'
module show nothing
check show-unknown-name one_line "no module named nothing"
module show id 4711
check show-unknown-id one_line "no module with id 4711"
module unload nothing
check unload-unknown-name one_line "no module named nothing"
module dump nothing
check dump-unknown-name one_line "no module named nothing"
module load
check load-needs-a-file not exits 0
module load /no/such/file.bpf.o
check load-missing-file not exits 0
module load /etc/passwd
check load-not-an-object not exits 0
module load /objs/bpf_cubic.bpf.o ops nothing
check load-unknown-op not exits 0
check load-unknown-op-lists-those-there says cubic
module load /objs/bpf_cubic.bpf.o name 'a/b'
check load-bad-name not exits 0
module load /objs/bpf_cubic.bpf.o bogus
check load-bad-argument not exits 0
module bogus
check unknown-command not exits 0
module help
check help-exits-0 exits 0
check help-shows-verbs says 'unload MODULE... [deps] [drain | wait [SECONDS]]'

run bpftool feature probe kernel
check feature-says-yes grep -Fxq 'BPF modules is available' "$out"
run bpftool --json feature probe kernel
check feature-json-says-yes field 'd["misc"]["have_bpf_module"]' True
run bpftool feature probe kernel macros
check feature-macro-says-yes grep -Fxq '#define HAVE_BPF_MODULE' "$out"

module load /objs/bpf_cubic.bpf.o
check load-exits-0 exits 0
check load-says-what says 'Loaded module bpf_cubic (id '
run available
check load-registers says bpf_cubic
module load /objs/bpf_cubic.bpf.o
check load-name-taken one_line 'module name "bpf_cubic" is taken'
module load /objs/bpf_cubic.bpf.o name other
check load-name-taken-in-subsystem one_line 'op cubic (tcp_congestion_ops): the subsystem has one of that name already'
module list
check refused-load-is-not-listed not says other
check list-shows-module says bpf_cubic
check list-has-a-header says USERS
json list
check json-name field 'd[0]["name"]' bpf_cubic
check json-state field 'd[0]["state"]' live
check json-users field 'd[0]["users"]' 0
check json-op field 'd[0]["ops"][0]["name"]' cubic
check json-op-type field 'd[0]["ops"][0]["type"]' tcp_congestion_ops
check json-progs field 'len(d[0]["prog_ids"]) > 5' True
check json-memory field '0 < d[0]["bytes_memlock"] < 100000' True
json show bpf_cubic
id=$(python3 -c 'import json, sys; d = json.load(sys.stdin); print((d[0] if type(d) is list else d)["id"])' <"$out")
module show id "$id"
check show-by-id says bpf_cubic
module show name bpf_cubic
check show-by-name says bpf_cubic
module dump bpf_cubic
check dump-shows-program says '.init = bpf_cubic_init (prog '
check dump-shows-plain-member says '.name = "bpf_cubic"'
json dump bpf_cubic
check dump-json-is-json python3 -m json.tool "$out" /dev/null

module pin bpf_cubic /sys/fs/bpf/cubic
check pin exits 0
module show pinned /sys/fs/bpf/cubic
check show-pinned says bpf_cubic
module pin bpf_cubic /sys/fs/bpf/cubic
check pin-twice-refused not exits 0
rm /sys/fs/bpf/cubic
module show bpf_cubic
check unpinned-stays says bpf_cubic

for command in list 'unload bpf_cubic' 'load /objs/bpf_dctcp.bpf.o ops dctcp'; do
	# shellcheck disable=SC2086
	run setpriv --reuid=1000 --regid=1000 --clear-groups bpftool module $command
	check "no-capability-${command%% *}" not exits 0
done
module list
check nothing-came-of-it says bpf_cubic

start_server
start_flow bpf_cubic
module unload bpf_cubic
check unload-in-use-refused one_line 'module bpf_cubic is in use ('
check unload-in-use-says-what-to-do says 'unload with drain'
module unload bpf_cubic drain
check drain exits 0
module list
check drain-lists-going says going
module unload bpf_cubic
check unload-going-refused one_line 'already going'
module load /objs/bpf_cubic.bpf.o
check name-is-free-while-going exits 0
run bash -c "bpftool module list | grep -cw bpf_cubic"
check both-are-listed prints 2
json show bpf_cubic
check name-means-the-live-one field '(d[0] if type(d) is list else d)["state"]' live
kill $flow
wait $flow 2>/dev/null
for _ in {1..600}; do
	bpftool module list | grep -q going || break
	sleep 0.1
done
module list
check going-goes-with-its-flow not says going
check live-one-stays says live
module unload bpf_cubic
check unload exits 0
check unload-left-nothing gone bpf_cubic

module load /objs/bpf_dctcp.bpf.o
check half-refused one_line 'op dctcp_nouse (tcp_congestion_ops): required members not set: ssthresh'
run available
check half-refused-leaves-nothing not says bpf_dctcp
module load /objs/bpf_dctcp.bpf.o ops dctcp name two pin /sys/fs/bpf/two
check load-ops-name-pin exits 0
module unload pinned /sys/fs/bpf/two
check unload-pinned exits 0
module show pinned /sys/fs/bpf/two
check pin-of-gone-module says gone
rm -f /sys/fs/bpf/two

module load /objs/scx_simple.bpf.o
check scheduler-loads exits 0
run cat /sys/kernel/sched_ext/state
check scheduler-runs prints enabled
module load /objs/scx_simple.bpf.o name second
check second-scheduler-refused one_line 'allows one at a time'
module unload scx_simple
check scheduler-unloads exits 0
run cat /sys/kernel/sched_ext/state
check scheduler-is-off prints disabled

run bpftool struct_ops register /objs/bpf_cubic.bpf.o
check struct_ops-map-still-registers exits 0
module list
check a-map-is-no-module prints ''
run bpftool struct_ops unregister name cubic
check struct_ops-map-still-unregisters exits 0
pkill -x iperf3
finish
