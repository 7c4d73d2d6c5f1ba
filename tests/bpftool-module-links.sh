#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Modules of links: any object is one, its programs are attached where they are told,
# replaced in place with the content of their maps, and loaded when a device appears.
. /tests/lib
. /tests/completion

modules=/run/bpf/modules
conf=/run/bpf/modules.d/links.conf
objs=/tmp/links
cgroup=/sys/fs/cgroup/bm_links

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
devices() { ip link add bm0 type veth peer name bm1 && ip link set bm0 up && ip link set bm1 up; }
# what the filter has counted of packets of one type
seen() { bpftool map dump name seen_packets_of | sed -n '/"key": 46472,/{n;s/[^0-9]//gp}'; }
# packets of that type from bm1 to bm0
send() {
	python3 -c 'import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("bm1", 0))
for _ in range(3):
	s.send(b"\xff" * 12 + b"\x88\xb5" + b"\0" * 46)'
}
has_seen() {
	for _ in {1..50}; do
		run seen
		prints "$1" && return
		sleep 0.1
	done
	return 1
}
id_of() { bpftool module list | awk -v name="$1" '$2 == name { print $1 }'; }
xdp_link() { bpftool link list | sed -n 's/: xdp .*//p'; }
# the rule has the unit started with the path of the device
udev_adds() { module boot dev "/sys/devices/virtual/net/$1"; }

mkdir -p $modules "${conf%/*}" $objs
cp /objs/bpf_module_filter.bpf.o $objs/filter.bpf.o
cp /objs/bpf_module_filter2.bpf.o $objs/narrow.bpf.o
devices

# What it needs to be told
module load $objs/filter.bpf.o
check missing-device-is-told one_line 'module filter does not know where to attach its programs; set filter.dev=DEVICE'
module load $objs/filter.bpf.o dry-run
check dry-run-tells-it-too one_line 'filter.dev=DEVICE'
module load $objs/filter.bpf.o filter.dev=bm0,bm7 dry-run
check dry-run-looks-for-devices one_line 'no network device bm7'
module load $objs/filter.bpf.o filter.dev=bm7
check no-such-device one_line "program 'filter': failed to attach to bm7: No such device"
module load $objs/filter.bpf.o filter.dev=bm0 filter.mode=fast
check no-such-mode one_line 'neither native nor generic'
module load $objs/filter.bpf.o filter.dev=bm0 trace_unlink.dev=bm0
check parameter-of-another-kind one_line 'trace_unlink.dev'
module load $objs/filter.bpf.o filter.dev=bm0 reset.dev=bm0
check parameter-of-what-is-not-attached one_line 'reset.dev'
run ip link show bm0
check refused-load-attaches-nothing not says xdp
module load /objs/test_perf_link.bpf.o
check kind-without-link-is-refused-by-name one_line "'handler'"

# A module named after its file
module load $objs/filter.bpf.o filter.dev=bm0
check load says 'Loaded module filter (id '
check load-says-what-it-attaches says 'with programs filter, trace_unlink'
check load-names-what-is-left-out says 'Not attached: reset (syscall)'
module list
check list-counts-links grep -Eq '^[0-9]+ +filter +live +0 +0 +2 ' "$out"
module show filter
check show-device grep -Eq 'filter \(xdp, id [0-9]+\) .*bm0.* attached$' "$out"
check show-function grep -Eq 'trace_unlink \(tracing, id [0-9]+\) .*vfs_unlink.* attached$' "$out"
json show filter
check json-links field '[(l["type"], l["prog_name"], l["detached"]) for l in d["links"]]' "[('xdp', 'filter', False), ('tracing', 'trace_unlink', False)]"
check json-device field 'd["links"][0]["devname"]' bm0
check json-function field 'd["links"][1]["func"]' vfs_unlink
run bpftool link list
check link-names-module grep -qP '^\tmodule filter$' "$out"
run bpftool --json link list
check link-json-names-module field '[m["name"] for l in d for m in l.get("modules", [])]' "['filter', 'filter']"
run bpftool --json prog show name filter
check prog-json-names-module field '(d[0] if type(d) is list else d)["modules"][0]["name"]' filter
send
check it-runs has_seen 3
module load $objs/filter.bpf.o name second filter.dev=bm0
check device-is-taken one_line "program 'filter': failed to attach to bm0: "

# Another version, in place, with the same map
link=$(xdp_link)
module load $objs/filter.bpf.o reuse seen_packets_of_type filter.dev=bm0
check reuse-goes-with-replace one_line "'reuse' takes maps of a module that is replaced"
module load $objs/filter.bpf.o replace filter reuse nothing filter.dev=bm0
check reuse-of-no-map one_line 'no map nothing'
module load $objs/narrow.bpf.o replace filter reuse seen_packets_of_type filter.dev=bm0
check reuse-of-another-layout one_line 'value size 8, not 4'
send
check refused-replace-changes-nothing has_seen 6
module load $objs/filter.bpf.o replace filter reuse seen_packets_of_type filter.dev=bm0 drop=1
check replace exits 0
run xdp_link
check link-stays-where-it-is prints "$link"
send
check counts-go-on has_seen 9
module show filter
check new-parameter says 'drop = true'
module load $objs/filter.bpf.o replace filter filter.dev=bm0
check replace-without-reuse exits 0
send
check counts-begin-anew has_seen 3
module unload filter
check unload exits 0
run ip link show bm0
check unload-detaches not says xdp

# Several devices, a control group, a hook, and programs at the begin and the end
mkdir -p $cgroup
module load /objs/bpf_module_egress.bpf.o pass.dev=bm0,bm1 accept.hook=ipv4:input:5
check missing-path-is-told one_line 'count_egress.cgroup=PATH'
module load /objs/bpf_module_egress.bpf.o pass.dev=bm0,bm1 accept.hook=ipv4:input:5 count_egress.cgroup=$cgroup
check load-many exits 0
module show bm_egress
check show-cgroup grep -Eq "count_egress .* cgroup $cgroup  attached" "$out"
check show-hook grep -Eq 'accept .* ip input prio 5  attached' "$out"
check show-both-devices test "$(grep -c '(tcx, id .*  attached$' "$out")" = 2
check show-init grep -Eq '^init +first \(id [0-9]+\)$' "$out"
check show-exit grep -Eq '^exit +last \(id [0-9]+\)$' "$out"
rmdir $cgroup
json show bm_egress
check cgroup-is-gone field '[l["detached"] for l in d["links"]]' '[True, False, False, False]'
module unload bm_egress wait 60
check unload-waits-for-the-exit-program grep -Eq '^Unloaded module bm_egress \(id [0-9]+\)$' "$out"

# At boot, and when the device comes
cp $objs/filter.bpf.o $modules
printf 'load filter\noptions filter filter.dev=bm1\noptions filter filter.dev=bm0 drop=0\n' >$conf
ip link del bm0
module boot
check boot-waits prints 'Module filter waits for network device bm0'
check waiting-is-no-failure exits 0
json boot
check boot-waits-json field 'd' "[{'name': 'filter', 'waits_for_dev': 'bm0'}]"
module load filter
check person-is-told one_line 'failed to attach to bm0: No such device'
devices
udev_adds bm1
check other-device-is-none-of-its-business prints ''
check other-device-is-no-failure exits 0
module list
check nothing-is-loaded prints ''
udev_adds bm0
check device-appears says 'Loaded module filter (id '
check device-appears-exits-0 exits 0
id=$(id_of filter)
udev_adds bm0
check twice-does-nothing prints ''
module boot
check boot-does-nothing-more prints ''
send
check it-runs-on-the-device has_seen 3
ip link del bm0
module show filter
check show-detached grep -Eq 'filter \(xdp, id [0-9]+\)  detached$' "$out"
check module-is-live grep -Eq '^state +live$' "$out"
module boot
check boot-waits-again prints 'Module filter waits for network device bm0'
check it-stays test "$(id_of filter)" = "$id"
devices
udev_adds bm0
check device-is-back says 'Loaded module filter (id '
check it-is-another test "$(id_of filter)" != "$id"
run ip link show bm0
check attached-again says xdp
send
check its-map-was-kept has_seen 6
run bash -c "bpftool module list | grep -cw filter"
check only-one-is-there prints 1
id=$(id_of filter)
module load filter
check loaded-already says 'already loaded'
check still-the-same test "$(id_of filter)" = "$id"
ip link del bm0
devices
module load filter
check person-loads-anew says 'Loaded module filter (id '
printf 'blacklist filter\n' >>$conf
ip link del bm0
devices
udev_adds bm0
check blacklisted-is-left-alone prints ''
module unload filter
check unload-at-last exits 0

# What completion has by name
completes bpftool module load filter fil
check completes-dev says 'filter.dev='
completes bpftool module load filter filter.dev = bm1,bm
check completes-devices says 'bm1,bm0'
completes bpftool module boot dev bm
check completes-boot says bm0

ip link del bm0
rm -r $modules $conf $objs
finish
