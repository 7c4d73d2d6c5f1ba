#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bpftool module: what is refused changes nothing, and is told with its true cause
. /tests/lib

odd=/objs/bpf_module_odd.bpf.o
cubic=/objs/bpf_cubic.bpf.o

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
# user CAPABILITIES COMMAND...: as a user who has no more than these
user() {
	local caps=$1
	shift
	run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" "$@"
}
# What a refused load leaves as it was
state() {
	cat /proc/self/mounts
	find /sys/fs/bpf /tmp/work
	bpftool module list | awk '{ print $1, $2, $3, $4 }'
	cat /proc/sys/net/ipv4/tcp_available_congestion_control
}
# refused NAME TEXT COMMAND...: one line with TEXT, and nothing has changed
refused() {
	local name=$1 text=$2
	state >"$out.before"
	run "${@:3}"
	check "$name" one_line "$text"
	check "$name-exits-1" exits 1
	state >"$out.after"
	check "$name-changes-nothing" diff "$out.before" "$out.after"
}

# Pins
mkdir -p /tmp/work
echo precious >/tmp/work/data
pin() { refused "$1" "$2" bpftool module load "$cubic" pin "$3" "${@:4}"; }
pin pin-outside-bpffs "can't pin to /tmp/work/x: no BPF file system is mounted at /tmp/work" /tmp/work/x
cd /tmp/work || exit 1
pin pin-relative "can't pin to x: no BPF file system is mounted at ." x
cd / || exit 1
pin pin-with-a-dot "can't pin to /sys/fs/bpf/x.v2: a name in a BPF file system has no '.'" /sys/fs/bpf/x.v2
pin pin-without-a-folder 'folder /sys/fs/bpf/none: No such file or directory' /sys/fs/bpf/none/x
pin pin-without-a-name 'a name is missing' /sys/fs/bpf/
pin pin-with-a-long-name 'File name too long' "/sys/fs/bpf/$(printf 'a%.0s' {1..300})"
bpftool map create /sys/fs/bpf/taken type array key 4 value 4 entries 1 name taken
pin pin-that-is-taken "can't pin to /sys/fs/bpf/taken: File exists" /sys/fs/bpf/taken
rm /sys/fs/bpf/taken
ln -s /sys/fs/bpf/elsewhere /sys/fs/bpf/link
pin pin-that-is-a-link "can't pin to /sys/fs/bpf/link: it is a symbolic link" /sys/fs/bpf/link
rm /sys/fs/bpf/link
refused pin-in-another-mount-namespace 'no BPF file system is mounted at /sys/fs/bpf' unshare -m sh -c \
	"umount /sys/fs/bpf && exec bpftool module load $cubic pin /sys/fs/bpf/b bound"
bpftool module load $cubic pin /sys/fs/bpf/one bound >/dev/null
pin replace-with-a-bad-pin "has no '.'" /sys/fs/bpf/x.v2 bound replace bpf_cubic
refused pin-command-outside-bpffs 'no BPF file system' bpftool module pin bpf_cubic /tmp/work/x
refused pin-command-with-a-dot "has no '.'" bpftool module pin bpf_cubic /sys/fs/bpf/x.y
module load $cubic replace pinned /sys/fs/bpf/one bound pin /sys/fs/bpf/one
check pin-moves-to-the-replacement exits 0
check pin-moves-and-says-so says '/sys/fs/bpf/one, the pin of a module that is replaced, now belongs to the new one'
module show pinned /sys/fs/bpf/one
check pin-is-of-the-live-one says live
rm /sys/fs/bpf/one
check bound-goes-with-its-pin gone bpf_cubic

# A pin of a module that is gone
module load $cubic pin /sys/fs/bpf/t
module unload bpf_cubic
run bpftool -f module list
check stale-pin-is-listed grep -Eq '^- +bpf_cubic +gone .* /sys/fs/bpf/t$' "$out"
run bpftool -fj module list
check stale-pin-json field '[(m["state"], m["pinned"]) for m in d]' "[('gone', ['/sys/fs/bpf/t'])]"
module list
check stale-pin-is-no-module prints ''
module load $cubic pin /sys/fs/bpf/t
check stale-pin-gives-way exits 0
check stale-pin-is-told-of says '/sys/fs/bpf/t, the pin of a module that is gone, now belongs to the new one'
module unload pinned /sys/fs/bpf/t
json load $cubic pin /sys/fs/bpf/t
check stale-pin-load-json field 'd[0]["pin_was_of"]' gone
module unload bpf_cubic
refused stale-pin-stays-if-refused 'required members not set' bpftool module load /objs/bpf_dctcp.bpf.o pin /sys/fs/bpf/t
rm /sys/fs/bpf/t

# Maps that are pinned by themselves
module load $odd name first
check pinned-map test -e /sys/fs/bpf/bm_odd_map
refused keeps-a-pinned-map 'module first (id' bpftool module load $odd name second
rm /sys/fs/bpf/bm_odd_map
refused takes-a-pinned-map-back 'module first (id' bpftool module load $odd name second
module unload first
module load $odd
check map-is-pinned test -e /sys/fs/bpf/bm_odd_map
module unload bm_odd
rm /sys/fs/bpf/bm_odd_map
mount -o remount,ro /sys/fs/bpf
refused map-pin-fails-late "can't pin map bm_odd_map to /sys/fs/bpf/bm_odd_map: Read-only file system" \
	bpftool module load $odd
mount -o remount,rw /sys/fs/bpf
module load $odd
rm /sys/fs/bpf/bm_odd_map
mount -o remount,ro /sys/fs/bpf
module load $odd replace bm_odd
check replacement-with-a-late-failure one_line 'Read-only file system; the module has replaced the other one and stays loaded'
module show bm_odd
check replacement-stays says live
mount -o remount,rw /sys/fs/bpf
module unload bm_odd
umount /sys/fs/bpf
refused map-pin-outside-bpffs "can't pin map bm_odd_map to /sys/fs/bpf/bm_odd_map: no BPF file system is mounted there" \
	bpftool module load $odd
mount -t bpf bpf /sys/fs/bpf

# The map is pinned first, and the module finds its own pin taken by that
refused map-pin-in-the-way "can't pin to /sys/fs/bpf/bm_odd_map: File exists" \
	bpftool module load $odd pin /sys/fs/bpf/bm_odd_map

# A dry run tells what a load would
module load $cubic
refused dry-run-of-what-is-loaded 'module name "bpf_cubic" is taken' bpftool module load $cubic dry-run
json load $cubic replace bpf_cubic dry-run
check dry-run-of-a-replacement field '(d[0]["name"], d[0]["dry_run"])' "('bpf_cubic', True)"
module unload bpf_cubic

# Programs that nothing attaches
module load $odd
check others-are-not-needed exits 0
check others-are-named says 'Not attached: odd_watch (socket), odd_setup (syscall)'
module unload bm_odd
json load $odd
check others-json field '[p["name"] for p in d[0]["not_attached"]]' "['odd_watch', 'odd_setup']"

# What a module tells of itself is known after it was loaded
module show bm_odd
check loaded-description says 'description Ops that a loader has to say something of'
check loaded-param says 'odd_step = 1: how much is counted'
module info bm_odd
check info-of-a-loaded-one says 'description Ops that a loader has to say something of'
json show bm_odd
check loaded-author field 'd["author"]' "['A. U. Thor <author@example.com>']"
check loaded-version field 'd["version"]' "['1.0']"
check loaded-param-json field '[p["description"] for p in d["params"] if p["name"] == "odd_step"]' "['how much is counted']"
check loaded-at field 'abs(d["loaded_at"] - __import__("time").time()) < 100' True
check bytes field '0 < d["bytes_memlock"] < 100000' True
check nobody-has-it-open field '"pids" in d' False
module pin bm_odd /sys/fs/bpf/held
python3 -c 'import ctypes, struct, time
path = ctypes.create_string_buffer(b"/sys/fs/bpf/held")
attr = ctypes.create_string_buffer(struct.pack("<QII", ctypes.addressof(path), 0, 0), 128)
assert ctypes.CDLL(None).syscall(321, 7, attr, 16) >= 0
print("open", flush=True); time.sleep(600)' >"$out.held" &
holder=$!
until grep -q open "$out.held"; do kill -0 $holder || break; sleep 0.1; done
json show bm_odd
check pids-json field 'd["pids"][0]["pid"]' $holder
module show bm_odd
check pids-plain says "pids      python3($holder)"
kill $holder
wait $holder 2>/dev/null
rm /sys/fs/bpf/held

# Users in another network namespace
ip netns add away
python3 -c 'import ctypes, os, socket, time
ctypes.CDLL(None).setns(os.open("/run/netns/away", os.O_RDONLY), 0)
s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bm_odd")
s.bind(("0.0.0.0", 4712)); s.listen(); print("open", flush=True); time.sleep(600)' >"$out.held" &
holder=$!
until grep -q open "$out.held"; do kill -0 $holder || break; sleep 0.1; done
ino=$(stat -L -c %i /run/netns/away)
module show bm_odd
check users-elsewhere says "socket 0.0.0.0 port 4712, listening, in network namespace $ino"
json show bm_odd
check users-json field '[(u["type"], u["src_port"], u["listening"], u["netns_ino"]) for u in d["known_users"]]' "[('socket', 4712, True, $ino)]"
kill $holder
wait $holder 2>/dev/null
ip netns del away

# True causes
refused twin-in-a-module "module bm_odd (id" bpftool module load $odd name other
module unload bm_odd
rm /sys/fs/bpf/bm_odd_map
refused twin-in-one-module 'op odd_twin (tcp_congestion_ops): the subsystem has one of that name already; op odd has that name' \
	bpftool module load $odd ops odd ops odd_twin
refused no-such-option "no ops nothing in $odd; it has odd, odd_twin, odd_with_a_name" bpftool module load $odd ops nothing
module load $odd ops odd_info
check verifier-reason grep -q "^Error: can't load $odd: prog 'odd_get_info': .*get_info" "$out"
check verifier-reason-is-last test "$(tail -n 1 "$out" | cut -c 1-6)" = Error:
run bash -c "bpftool -j module load $odd ops odd_info 2>/dev/null"
check verifier-reason-json field '"get_info" in d["error"] and "\n" not in d["error"]' True
module load $odd ops odd_with_a_name_that_is_longer_than_the_kernel_takes_one_for_an_op
check long-name exits 0
json show bm_odd
check long-name-is-cut field 'd["ops"][0]["name"]' odd_with_a_name_that_is_longer_than_the_kernel_takes_one_for_an
module unload bm_odd
cp $odd /tmp/bm_odd.bpf.o
module load /tmp/bm_odd.bpf.o ops odd_map
check name-that-is-not-chosen exits 0
module unload bm_odd
rm -f /sys/fs/bpf/bm_odd_map /tmp/bm_odd.bpf.o

# Who may not
user +bpf,+perfmon,+net_admin bpftool module load $cubic
check capabilities-load exits 0
user +bpf,+perfmon,+net_admin bpftool module unload bpf_cubic
check capabilities-look one_line "can't look for module bpf_cubic: not permitted: it takes CAP_SYS_ADMIN"
check capabilities-look-way says "whoever may open its pin can use 'pinned FILE'"
run unshare -Ur bpftool module list
check capabilities-of-a-namespace one_line 'in the initial user namespace'
module pin bpf_cubic /sys/fs/bpf/c
chmod 711 /sys/fs/bpf
chown 1000 /sys/fs/bpf/c
user +bpf,+perfmon,+net_admin bpftool module unload pinned /sys/fs/bpf/c
check capabilities-unload-by-pin exits 0
rm -f /sys/fs/bpf/c

# Output that can't be written: the module is loaded, and the command fails
run bash -c "bpftool module load $cubic >/dev/full"
check full-disk one_line 'failed to write the output'
for command in list 'show bpf_cubic' 'dump bpf_cubic' 'unload bpf_cubic'; do
	run bash -c "bpftool module $command >&-"
	check "closed-output-${command%% *}" one_line 'failed to write the output'
done
rm -rf /tmp/work "$out".*
finish
