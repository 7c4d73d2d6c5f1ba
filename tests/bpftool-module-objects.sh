#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bpftool module: parameters, objects with several modules, info, long lists
. /tests/lib

params=/objs/bpf_module_params.bpf.o
sections=/objs/bpf_module_sections.bpf.o

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
available() { sysctl -n net.ipv4.tcp_available_congestion_control; }
listed() { bpftool module list | awk 'NR > 1 { print $2 }' | paste -sd ' '; }

# Parameters
module load $params p_u8=200 p_array=7,8 p_text=hello p_color=COLOR_RED p_pair.second=9 bm_params.name=bm_other
check load-with-params exits 0
run available
check member-is-set says bm_other
check member-default-is-gone not says bm_params
module show bm_params
check show-number says 'p_u8 = 200'
check show-untouched says 'p_u16 = 2'
check show-array says 'p_array = [7,8,3,4]'
check show-text says 'p_text = "hello"'
check show-enum says 'p_color = "COLOR_RED"'
check show-member-of-struct says '"second":9'
check show-member-of-op says 'bm_params.name = "bm_other"'
json show bm_params
check json-value field '{p["name"]: p["value"] for p in d["params"]}["p_u8"]' 200
check json-type field '{p["name"]: p["type"] for p in d["params"]}["p_array"]' '__u16[4]'
check json-loader field 'd["loader"]' root
run python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bm_other")
s.connect(listener.getsockname())'
check connects exits 0
run bpftool map dump name bpf_modu.bss
check enumerator-of-64-bits says '"seen_enum64": 9223372036854775810'
check enumerator-of-32-bits says '"seen_enum32": 2'
check enumerator-that-the-object-gives-stays says '"seen_given": 77'
check enumerator-that-nobody-has-is-zero says '"seen_none": 0'
module unload bm_params
check unload exits 0
module load $params p_u8=256
check out-of-range one_line "parameter p_u8: '256' is out of range; __u8 takes 0 to 255"
module load $params nothing=1
check unknown-param one_line 'no parameter nothing; there are p_u8,'
module load $params p_u8=1 p_color=BLUE
check bad-enum one_line 'enum color takes COLOR_RED, COLOR_GREEN'
module load $params __BPF_MAP_TYPE_ARRAY=3
check enumerator-is-no-param one_line 'no parameter __BPF_MAP_TYPE_ARRAY; there are p_u8,'
module load $params =1
check param-without-a-name not exits 0
module load $params p_u8
check param-without-a-value one_line "what is 'p_u8'?"
module load $params name other p_u8=1
check keyword-and-param exits 0
run listed
check name-is-the-command\'s prints other
module unload other
run listed
check nothing-is-left prints ''

# Several modules in one object
module load $sections
check load-two exits 0
check load-two-says-the-first says 'Loaded module bm_first (id '
check load-two-says-the-second says 'Loaded module bm-second.x (id '
check load-two-says-ops says 'with ops first_a, first_b'
run available
check load-two-registers says 'bm_first_a bm_first_b bm_second_a'
check optional-op-stays-out not says bm_second_b
module unload bm_first
module load $sections
check second-is-taken one_line 'module name "bm-second.x" is taken'
run listed
check refused-second-takes-the-first-along prints bm-second.x
module unload bm-second.x
for words in 'name x' 'pin /sys/fs/bpf/x'; do
	# shellcheck disable=SC2086
	module load $sections $words
	check "${words% *}-for-two-refused" one_line "'${words% *}' is for one module, $sections has bm_first and bm-second.x"
done
# longer than the kernel's names of ops
second_b=second_b_of_a_name_that_is_longer_than_the_63_characters_of_an_op
json load $sections ops $second_b name x pin /sys/fs/bpf/x
check chosen-op field '[(m["name"], m["ops"]) for m in d]' "[('x', ['$second_b'])]"
module unload pinned /sys/fs/bpf/x
check unload-pinned exits 0
rm /sys/fs/bpf/x
module load $sections ops first_a second_a.name=x
check param-of-an-op-left-out exits 0
module unload bm_first
run bpftool --json module load $sections ops nothing
check json-error field '"no ops nothing" in d["error"]' True
module load $sections ops first_a name 'a"b'
check quote-in-a-name not exits 0
run bpftool --json module load $sections ops first_a name 'a"b'
check json-error-with-a-quote field '"a\"b" in d["error"]' True
run bpftool struct_ops register $sections
check no-map-of-it not exits 0
run available
check no-map-is-registered not says bm_first_a

# Objects as they are
run setpriv --reuid=1000 --regid=1000 --clear-groups bpftool module info $params
check info-needs-no-privilege exits 0
check info-tells-of-params says 'p_u8 = 1 (__u8): a byte'
check info-lacks-the-weak-kfunc says 'lacks kfunc bpf_module_no_such_kfunc (optional)'
for object in scx_simple scx_qmap bpf_cubic bpf_module_sections; do
	module info /objs/$object.bpf.o
	check "info-$object-lacks-nothing" says 'has what is needed'
done

# Who the users are
module load $params
python3 -c 'import socket, time
a, b, c = (socket.socket() for _ in range(3))
for s in a, b, c: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bm_params")
a.bind(("127.0.0.1", 4711)); a.listen(); b.connect(("127.0.0.1", 4711)); print("ready", flush=True); time.sleep(600)' >"$out.ready" &
sockets=$!
until grep -q ready "$out.ready"; do sleep 0.1; done
# the fourth is the end of the connection that nobody has accepted yet
module show bm_params
check users-are-counted says 'users     4'
check users-a-listener says 'socket 127.0.0.1 port 4711, listening'
check users-a-connection says 'to 127.0.0.1 port 4711'
check users-not-connected says '1 more, elsewhere or not connected'
json show bm_params
check json-users field 'len(d["known_users"])' 3
sysctl -qw net.ipv4.tcp_congestion_control=bm_params
module show bm_params
check users-the-default says 'default of this network namespace'
sysctl -qw net.ipv4.tcp_congestion_control=reno
module unload bm_params drain
module load $params
module show bm_params
check users-of-another-module-are-not-ours not says "socket 127"
module unload bm_params
kill $sockets
wait $sockets 2>/dev/null
rm "$out.ready"
check drained-goes gone bm_params

# Long lists
run python3 /tests/load_many.py 1000
check load-1000 exits 0
module list
check list-1000 exits 0
check list-1000-lines test "$(wc -l <"$out")" = 1001
check list-columns-are-aligned test "$(tail -n +2 "$out" | awk '{ print length($0) }' | sort -u | wc -l)" = 1
check list-loader says ' root'
json list
check json-1000 field 'len(d)' 1000
check json-1000-ids field 'len({m["id"] for m in d})' 1000
bpftool module list 2>"$out" | head -n 1 >/dev/null
check closed-pipe test "${PIPESTATUS[0]}" = 141
check closed-pipe-says-nothing test ! -s "$out"
# Modules vanish while they are listed
ids=$(bpftool module list | awk 'NR > 1 { print $1 }')
{
	for id in $ids; do echo "module unload id $id"; done >"$out.batch"
	bpftool batch file "$out.batch" >/dev/null
	rm "$out.batch"
} &
bad_lists=0 lists=0
while [ -n "$(jobs -r)" ] && [ $lists -lt 100 ]; do
	bpftool --json module list >"$out" 2>&1 && python3 -m json.tool "$out" /dev/null || bad_lists=$((bad_lists + 1))
	lists=$((lists + 1))
done
wait
check lists-while-they-vanish test $lists -gt 0
check lists-while-they-vanish-are-whole test $bad_lists = 0
module list
check all-have-gone prints ''
finish
