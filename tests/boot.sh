#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Modules by name: options, blacklist, those of the boot, and those that the
# kernel asks for, with Debian's kmod
. /tests/lib
. /tests/completion

modules=/usr/lib/bpf/modules
etc=/etc/bpf/modules.d
usr=/usr/lib/bpf/modules.d
run=/run/bpf/modules.d
local=/usr/local/lib/bpf
folders='in the folders bpf/modules of /etc, /run, /usr/local/lib and /usr/lib'
aliases=/run/modprobe.d/zz-bpf-modules.conf
sysctl=net.ipv4.tcp_congestion_control

module() { run bpftool module "$@"; }
listed() { bpftool module list | grep -qw "$1"; }
live() { [ "$(bpftool module list | awk '$3 == "live" { print $2 }' | sort | paste -sd ' ')" = "$1" ]; }
beta() { bpftool module show tcp_aimd | grep -qE "beta = $1\b"; }
default_cc() { [ "$(sysctl -n $sysctl)" = "$1" ]; }
# of the guest's folders only /run, /tmp and a few others can be written to
writable() {
	local real=/run/real$1 copy=/run/copy$1
	mkdir -p "$real" "$copy"
	mount --bind "$1" "$real"
	ln -s "$real"/* "$copy"
	mkdir -p "$copy/bpf"
	mount --bind "$copy" "$1"
}

module boot
check boot-without-folders-does-nothing prints ''
check boot-without-folders-is-no-error exits 0
module aliases
check aliases-without-folder exits 0
module load tcp_aimd
check name-without-folder one_line "no module tcp_aimd $folders"
module config
check config-without-folders prints ''
check config-without-folders-is-no-error exits 0

writable /usr/lib
writable /usr/local/lib
writable /etc
mkdir -p $modules $etc $usr $run $local/modules{,.d} /etc/bpf/modules /run/modprobe.d
cp /objs/tcp_aimd.bpf.o /objs/bpf_cubic.bpf.o $modules
cp /objs/bpf_dctcp_release.bpf.o $modules/dctcp_rel.o
cp /objs/scx_simple.bpf.o $modules

# By name
cd /tmp || exit 1
module load tcp_aimd
check load-by-name says 'Loaded module tcp_aimd (id '
module info tcp_aimd
check info-by-name says 'tcp_aimd.bpf.o'
check info-by-name-tells-params says 'beta = '
module load tcp_aimd
check load-by-name-twice-is-success exits 0
check load-by-name-twice-says-so grep -Eq '^Module tcp_aimd \(id [0-9]+\) is already loaded$' "$out"
run bpftool --json module load tcp_aimd
check load-by-name-twice-json field '[(m["name"], m["loaded_already"]) for m in d]' "[('tcp_aimd', True)]"
module load $modules/tcp_aimd.bpf.o
check load-of-a-file-twice-refused one_line 'is taken; see'
module load tcp_aimd pin /sys/fs/bpf/aimd
check pin-of-what-is-loaded exits 0
module load tcp_aimd pin /sys/fs/bpf/aimd
check pin-again exits 0
module show pinned /sys/fs/bpf/aimd
check pin-is-there says tcp_aimd
rm /sys/fs/bpf/aimd
module load tcp_aimd pin /sys/fs/bpf/aimd bound
check bound-is-for-a-new-one one_line 'is already loaded, and not bound'
check bound-pins-nothing test ! -e /sys/fs/bpf/aimd
module load tcp_aimd replace tcp_aimd
check replace-loads-in-any-case says 'Loaded module tcp_aimd (id '
module unload tcp_aimd
module load nothing
check unknown-name one_line "no module nothing $folders"
module load 'a b'
check bad-name one_line "'a b' can't name a module"

# What is in the current folder is no name
cp /objs/bpf_dctcp.bpf.o tcp_aimd
module load tcp_aimd
check planted-file-is-not-loaded says 'with ops aimd'
module unload tcp_aimd
rm tcp_aimd
mkdir tcp_aimd
module load tcp_aimd
check folder-is-not-in-the-way says 'with ops aimd'
module unload tcp_aimd
rmdir tcp_aimd
cp /objs/bpf_cc_cubic.bpf.o planted
module load planted
check file-is-no-name one_line 'the file in this folder is ./planted'
module load ./planted
check path-loads says 'Loaded module planted'
module unload planted
rm planted
mkdir $modules/folder.bpf.o
module load folder
check folder-is-no-object one_line 'no module folder'
rmdir $modules/folder.bpf.o

# '-' is '_' for who looks for a name; the kernel keeps what it was given
module load tcp-aimd
check folded-name-loads says 'Loaded module tcp_aimd (id '
module load tcp-aimd
check folded-name-is-loaded says 'is already loaded'
module show tcp-aimd
check folded-name-shows says 'tcp_aimd'
module load /objs/bpf_cc_cubic.bpf.o name tcp-aimd
check both-spellings-load exits 0
module show tcp-aimd
check as-written-comes-first says 'cc_cubic (tcp_congestion_ops'
module load $modules/bpf_cubic.bpf.o name tcp-x_y
module show tcp_x-y
check folded-both-ways says 'tcp-x_y'
module unload tcp-x-y
check folded-unloads exits 0
module load $modules/bpf_cubic.bpf.o name a-b_c
module load $modules/bpf_cubic.bpf.o name a_b-c cubic.name=second
module show a-b-c
check two-spellings-need-an-id one_line '2 modules named a-b-c are loaded; give one of their ids: '
module unload tcp-aimd
module unload tcp_aimd
module unload a-b_c
module unload a_b-c

# Several at once
module load tcp_aimd bpf_cubic
check load-two exits 0
check load-two-are-live live 'bpf_cubic tcp_aimd'
module load $modules/tcp_aimd.bpf.o /objs/bpf_cc_cubic.bpf.o
check refused-one-fails one_error 'module name "tcp_aimd" is taken'
check refused-one-does-not-keep-the-other live 'bpf_cc_cubic bpf_cubic tcp_aimd'
module unload bpf_cc_cubic
run bpftool --json module load $modules/tcp_aimd.bpf.o /objs/bpf_cc_cubic.bpf.o
check refused-one-json field '["error" in m for m in d]' '[True, False]'
module unload bpf_cubic nothing
check unknown-one-unloads-nothing one_line 'no module named nothing'
check unknown-one-left-them live 'bpf_cc_cubic bpf_cubic tcp_aimd'
module unload bpf_cubic ''
check empty-word-unloads-nothing one_line "'' can't name a module"
module unload tcp_aimd id "$(bpftool -j module show bpf_cubic | jq .id)" name bpf_cc_cubic drain
check unload-three exits 0
check unload-three-are-gone live ''
module load tcp_aimd bpf_cubic
run bpftool --json module unload tcp_aimd bpf_cubic wait 5
check unload-json field '[(m["name"], m["state"]) for m in d]' "[('tcp_aimd', 'gone'), ('bpf_cubic', 'gone')]"
module load tcp_aimd nothing
check unknown-word-loads-nothing one_line "what is 'nothing'?"
module load tcp_aimd bpf_cubic beta=600
check param-for-two-refused one_line "what is 'bpf_cubic'? With several objects 'beta=600' can't be given"
module load tcp_aimd ''
check empty-word-is-no-option one_line "what is ''?"
module load tcp_aimd '' name b pin /sys/fs/bpf/b
check empty-word-is-not-bound one_line "what is ''?"
for word in b bou boun d dr drai n p r o; do
	module load tcp_aimd $word pin /sys/fs/bpf/b
	check "load-word-$word-is-not-abbreviated" one_line "what is '$word'?"
done
check nothing-came-of-it live ''
module load tcp_aimd
for word in d dr dra drai w wa; do
	module unload tcp_aimd $word
	check "unload-word-$word-is-not-abbreviated" one_line "no module named $word"
done
module unload drain
check keyword-is-no-module one_line "A module of that name is 'name drain'"
module unload tcp_aimd name
check keyword-needs-a-word one_line "A module of that name is 'name name'"
for id in -1 -18446744073709551615 ' 1' '1 ' +1 '' 0 1x 4294967296 18446744073709551616; do
	run bpftool -- module show id "$id"
	check "'$id'-is-no-id" one_line "'$id' is not a module id"
done
for seconds in -1 '' ' 1' 1x 99999999999999999999 2147484; do
	run bpftool -- module unload tcp_aimd wait "$seconds"
	check "'$seconds'-is-no-time" one_line "'$seconds' is not a number of seconds"
done
check refused-unloads-nothing live tcp_aimd
module unload tcp_aimd

# Who may load and not look
may() { run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=+bpf,+perfmon,+net_admin --ambient-caps=+bpf,+perfmon,+net_admin bpftool module "$@"; }
may load bpf_cubic
check load-by-name-without-looking exits 0
may load bpf_cubic
check load-by-name-without-looking-twice one_line 'module name "bpf_cubic" is taken; looking at it takes CAP_SYS_ADMIN'
module unload bpf_cubic

# A name of the object's is not folded
module load bpf_cubic name a-b cubic.name=first
cp /objs/bpf_cubic.bpf.o $modules/a_b.bpf.o
module load a_b cubic.name=second
check module-named-like-another live 'a-b a_b'
module unload a-b a_b
rm $modules/a_b.bpf.o

# A dry run
module load tcp_aimd dry-run
check dry-run exits 0
check dry-run-says-what prints 'Would load module tcp_aimd with ops aimd'
module load tcp_aimd bpf_cubic dry-run
check dry-run-of-two says 'Would load module bpf_cubic'
module load tcp_aimd dry-run pin /sys/fs/bpf/dry
check dry-run-pins-nothing test ! -e /sys/fs/bpf/dry
module load tcp_aimd dry-run beta=-1
check dry-run-checks-parameters one_line 'is out of range'
run bpftool --json module load tcp_aimd dry-run
check dry-run-json field '[(m["name"], "id" in m) for m in d]' "[('tcp_aimd', False)]"
check dry-run-loads-nothing live ''

# Of an object with several modules what is missing
cp /objs/bpf_module_sections.bpf.o $modules/two.bpf.o
module load two
check two-of-an-object exits 0
module unload bm_first
module load two
check missing-one-is-loaded says 'Loaded module bm_first (id '
check other-one-is-told-of says 'Module bm-second.x (id '
check both-are-there live 'bm-second.x bm_first'
module unload bm_first bm-second.x
rm $modules/two.bpf.o

# The name is live, or it is not: EEXIST says nothing of that
module load /objs/tcp_aimd.bpf.o name other
module load tcp_aimd
check name-of-the-subsystem-is-no-success one_line 'the subsystem has one of that name already'
module unload other
for _ in 1 2 3; do
	for i in 1 2 3 4; do bpftool module load tcp_aimd >"$out.$i" 2>&1 || echo "failed: $(cat "$out.$i")"; done &
	for i in 5 6 7 8; do bpftool module load tcp_aimd >"$out.$i" 2>&1 || echo "failed: $(cat "$out.$i")"; done
	wait
	bpftool module unload tcp_aimd >/dev/null
done >"$out" 2>&1
check all-of-many-at-once-succeed prints ''
rm -f "$out".[1-8]
module load scx_simple
echo S >/proc/sysrq-trigger
for _ in {1..600}; do
	bpftool module list | grep -q detached && break
	sleep 0.1
done
module load scx_simple
check detached-is-said one_line 'is detached: it is loaded and does nothing; unload it first'
module autoload scx_simple
check detached-is-not-loaded not exits 0
module load $modules/scx_simple.bpf.o
check detached-has-the-name one_line 'is taken by one that is detached; unload that first'
module unload scx_simple
check detached-unloads exits 0

# Completion of the names
completes bpftool module load ''
check complete-load prints "a-file
bpf_cubic
dctcp_rel
scx_simple
tcp_aimd"
completes bpftool module load tcp
check complete-load-begun prints "a-file
tcp_aimd"
completes bpftool module load tcp_aimd be
check complete-parameter-by-name prints "a-file
beta="
completes bpftool module load dctcp_rel ops ''
check complete-ops-by-name prints dctcp_rel
completes bpftool module info scx
check complete-info prints "a-file
scx_simple"
completes bpftool module autoload ''
check complete-autoload prints "bpf_cubic
dctcp_rel
scx_simple
tcp_aimd"
completes bpftool module autoload bpf
check complete-autoload-begun prints bpf_cubic
completes bpftool module autoload tcp_aimd ''
check complete-autoload-ends prints ''

# Options, and what is wrong in a file
cat >$etc/50-test.conf <<'END'
# a comment
options tcp_aimd beta=600	# and another
lod tcp_aimd
load
load a/b
options tcp_aimd beta
options tcp_aimd
load tcp_aimd
END
module load tcp_aimd
check options-load exits 0
check options-apply beta 600
check bad-word says "$etc/50-test.conf:3: 'lod' is not one of load, options, blacklist, alias"
check missing-name says "$etc/50-test.conf:4: write 'load NAME'"
check bad-path says "$etc/50-test.conf:5: 'a/b' does not fit 'load NAME'"
check bad-param says "$etc/50-test.conf:6: 'beta' does not fit 'options NAME PARAM=VALUE...'"
check missing-param says "$etc/50-test.conf:7: write 'options NAME PARAM=VALUE...'"
module unload tcp_aimd
module load tcp_aimd beta=700
check argument-wins-over-options beta 700
module unload tcp_aimd
module load $modules/tcp_aimd.bpf.o
check options-are-for-names not beta 600
check files-do-not-read-them not says "$etc"
module unload tcp_aimd
mkdir $etc/60-folder.conf
module boot
check boot-with-bad-lines-fails not exits 0
check boot-tells-of-a-folder says "$etc/60-folder.conf: Is a directory"
check boot-reads-the-rest listed tcp_aimd
module unload tcp_aimd
run bpftool --json module boot
check boot-json-has-the-lines field 'len([m for m in d if "error" in m])' 6
check boot-json-has-the-module field '[m["name"] for m in d if "name" in m]' "['tcp_aimd']"
module unload tcp_aimd
rmdir $etc/60-folder.conf

# One folder hides files of the other
echo 'options tcp_aimd beta=650' >$usr/50-test.conf
echo 'options tcp_aimd beta=660' >$usr/60-test.conf
echo 'options tcp_aimd beta=640' >$usr/40-test.conf
echo 'options tcp_aimd beta=999' >$usr/99-no-conf
echo 'options tcp_aimd beta=630' >$etc/50-test.conf
module load tcp_aimd
check later-file-wins beta 660
module unload tcp_aimd
rm $usr/60-test.conf
module load tcp_aimd
check etc-hides-usr beta 630
module unload tcp_aimd
ln -sf /dev/null $etc/50-test.conf
module load tcp_aimd
check null-hides-usr beta 640
module unload tcp_aimd
echo 'options tcp_aimd beta=620' >$run/40-test.conf
module load tcp_aimd
check run-hides-usr beta 620
module unload tcp_aimd
mkdir -p $local/modules.d
echo 'options tcp-aimd beta=615' >$local/modules.d/41-test.conf
module load tcp_aimd
check options-of-a-folded-name beta 615
module unload tcp_aimd
rm $local/modules.d/* $run/* $etc/* $usr/*
cp /objs/bpf_cubic.bpf.o $local/modules/tcp_aimd.bpf.o
module load tcp_aimd dry-run
check local-hides-usr says 'with ops cubic'
cp /objs/bpf_cc_cubic.bpf.o /etc/bpf/modules/tcp-aimd.o
module load tcp_aimd dry-run
check etc-hides-local says 'with ops cc_cubic'
rm $local/modules/* /etc/bpf/modules/*

# What is in a file is told with its place, and as what it is
echo 'options tcp_aimd nosuch=1' >$etc/10-a.conf
module load tcp_aimd
check options-tell-their-place one_line "$etc/10-a.conf:1: module 'tcp_aimd': no parameter nosuch"
printf 'options tcp_aimd x=\033[31m\n' >$etc/10-a.conf
module config
check config-escapes not grep -q $'\033' "$out"
mkfifo $etc/20-b.conf
module config
check config-of-a-pipe says "$etc/20-b.conf: it is not a regular file"
rm $etc/*

# An alias has options of its own, and can be blacklisted
printf 'alias tcp_fast tcp_aimd\noptions tcp_fast beta=640\n' >$etc/10-a.conf
module load tcp_fast
check options-of-an-alias beta 640
module unload tcp_aimd
module config tcp_fast
check config-of-an-alias-has-its-options says 'beta=640'
module aliases
check aliases-of-what-is-configured says 'install tcp_fast'
echo 'blacklist tcp_fast' >>$etc/10-a.conf
module aliases
check aliases-heed-blacklist not says 'install tcp_fast'
rm $etc/*

# What it says together
echo 'options tcp_aimd beta=600 gain=2' >$usr/10-a.conf
printf 'load fast\nalias fast tcp-aimd\n# a comment\n' >$etc/20-b.conf
printf 'blacklist tcp_aimd\noptions tcp_aimd beta=650\n' >$run/30-c.conf
run setpriv --reuid=1000 --regid=1000 --clear-groups bpftool module config
check config exits 0
check config-is-a-file prints "# $usr/10-a.conf
options tcp_aimd beta=600
options tcp_aimd gain=2

# $etc/20-b.conf
load fast
alias fast tcp-aimd

# $run/30-c.conf
blacklist tcp_aimd
options tcp_aimd beta=650"
module config fast
check config-name prints "name        fast
alias of    tcp-aimd ($etc/20-b.conf:2)
file        $modules/tcp_aimd.bpf.o
options     gain=2 ($usr/10-a.conf:1)
            beta=650 ($run/30-c.conf:2)
at boot     loaded ($etc/20-b.conf:1)
blacklist   neither at boot nor for the kernel ($run/30-c.conf:1)"
run bpftool --json module config fast
check config-name-json field '[o["param"] for o in d["options"]], d["alias"]["name"], d["load"]["line"]' "(['gain=2', 'beta=650'], 'tcp-aimd', 1)"
run bpftool --json module config
check config-json field '[l["directive"] for l in d]' "['options', 'options', 'load', 'alias', 'blacklist', 'options']"
module load fast
check alias-loads-by-name beta 650
module unload tcp_aimd
module info fast
check info-of-an-alias says tcp_aimd.bpf.o
module config nothing
check config-unknown-name one_line "no module nothing $folders"
echo lod >$etc/99-d.conf
module config
check config-with-a-bad-line not exits 0
check config-tells-of-it says "$etc/99-d.conf:1: 'lod' is not one of"
rm $etc/* $usr/* $run/*

# At boot: two lines for one module, and options
cp /objs/bpf_module_params.bpf.o $modules/twice.bpf.o
printf 'load twice\noptions twice p_u8=7 p_u16=8\n' >$usr/10-package.conf
printf 'load twice\nload tcp_aimd\n' >$etc/20-local.conf
module boot
check boot-of-one-twice exits 0
check boot-goes-on live 'bm_params tcp_aimd'
run bpftool module show bm_params
check boot-of-one-twice-sets-options says 'p_u8 = 7'
run bpftool --json module boot
check boot-again-json field '[m["loaded_already"] for m in d]' '[True, True, True]'
module unload bm_params tcp_aimd
rm $etc/* $usr/* $modules/twice.bpf.o

# At boot
printf 'load %s\n' tcp_aimd bpf_cubic scx_simple nothing >$usr/boot.conf
echo 'blacklist scx_simple' >$etc/black.conf
module boot
check boot-tells-what-fails says "no module nothing $folders"
check boot-fails-for-it not exits 0
check boot-tells-of-blacklist says 'module scx_simple is blacklisted'
check boot-loads-the-first listed tcp_aimd
check boot-loads-the-second listed bpf_cubic
check boot-heeds-blacklist not listed scx_simple
sed -i '/nothing/d' $usr/boot.conf
module boot
check boot-again-is-no-error exits 0
run bash -c 'bpftool module list | grep -c live'
check boot-again-loads-nothing prints 2
module unload tcp_aimd
run bpftool --json module boot
check boot-json field '[m["name"] for m in d]' "['tcp_aimd', 'bpf_cubic']"
module load scx_simple
check a-person-may-load-it exits 0
module unload scx_simple
module autoload scx_simple
check autoload-heeds-blacklist one_line 'module scx_simple is blacklisted'
module unload tcp_aimd
module unload bpf_cubic
rm $etc/* $usr/*

# For the kernel
name=aimd
run sysctl -w $sysctl="$name"
check no-lines-no-autoload not exits 0
bpftool module aliases >$aliases
run cat $aliases
check aliases-name-the-op says "install tcp_$name /sbin/modprobe -q --ignore-install tcp_$name || '"
check aliases-name-an-object-without-bpf says 'module autoload dctcp_rel'
check aliases-need-a-request not says scx_simple
run bpftool --json module aliases
check aliases-json field '[a["name"] for a in d if a["request"] == "tcp_bpf_cubic"]' "['bpf_cubic']"
echo 'options tcp_aimd beta=610' >$etc/options.conf
run sysctl -w $sysctl="$name"
check sysctl-autoloads exits 0
check sysctl-took-it default_cc "$name"
check autoload-is-listed listed tcp_aimd
check autoload-applies-options beta 610
sysctl -qw $sysctl=cubic
module unload tcp_aimd
check autoloaded-unloads exits 0

start_server
run iperf3 -c 127.0.0.1 -C "$name" -n 1M
check setsockopt-autoloads exits 0
check setsockopt-loaded-it listed tcp_aimd
module unload tcp_aimd drain
check drained-goes gone tcp_aimd
# not by iperf3, whose server asks for it, too, and may
run setpriv --reuid=1000 --regid=1000 --clear-groups python3 -c '
import socket, sys
socket.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[1].encode())' "$name"
check setsockopt-without-capability-refused not exits 0
check and-loads-nothing not listed tcp_aimd

# The kernel gives it no stderr: what fails goes to the system log
python3 -c 'import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
while True: print(s.recv(4096).decode(), flush=True)' >/tmp/syslog &
syslog=$!
for _ in {1..600}; do [ -e /dev/log ] && break; sleep 0.1; done
logged() { for _ in {1..600}; do grep -qF -- "$1" /tmp/syslog && return; sleep 0.1; done; cat /tmp/syslog >>"$out"; return 1; }
echo 'blacklist tcp_aimd' >$etc/black.conf
run sysctl -w $sysctl="$name"
check blacklist-refuses-autoload not exits 0
check blacklisted-is-not-loaded not listed tcp_aimd
check blacklisted-is-logged logged 'Error: module tcp_aimd is blacklisted'
rm $etc/black.conf
mv $modules/tcp_aimd.bpf.o $modules/away
run sysctl -w $sysctl="$name"
check missing-object-is-logged logged "Error: no module tcp_aimd $folders"
mv $modules/away $modules/tcp_aimd.bpf.o
bpftool module autoload no_such_module 2>"$out"
check stderr-is-used-if-there-is-one says 'no module no_such_module'
check and-not-the-log not grep -q no_such_module /tmp/syslog
bpftool module autoload no_such_module <&- >&- 2>&-
check closed-stdio-is-logged logged 'Error: no module no_such_module'
kill $syslog
rm -f /dev/log

# An administrator's install line comes first
printf 'install tcp_%s /bin/false\n' "$name" >/run/modprobe.d/local.conf
run sysctl -w $sysctl="$name"
check install-line-of-the-administrator not exits 0
check and-no-module not listed tcp_aimd
rm /run/modprobe.d/local.conf

run sysctl -w $sysctl=no_such_name
check unknown-name-fails not exits 0
run sysctl -w $sysctl=vegas
check kernel-module-autoloads exits 0
check kernel-module-serves default_cc vegas
run lsmod
check kernel-module-is-one says tcp_vegas
sysctl -qw $sysctl=cubic
rmmod tcp_vegas

# A kernel module comes before an object of that name
printf 'alias tcp_vegas tcp_aimd\nalias tcp_by_alias tcp_aimd\n' >$etc/alias.conf
bpftool module aliases >$aliases
run grep -c '^install tcp_vegas ' $aliases
check alias-makes-a-line prints 1
run sysctl -w $sysctl=vegas
check kernel-module-comes-first exits 0
run lsmod
check kernel-module-is-there says tcp_vegas
check object-is-not not listed tcp_aimd
run modprobe tcp_by_alias
check alias-loads exits 0
check alias-loaded-its-module listed tcp_aimd
sysctl -qw $sysctl=cubic
module unload tcp_aimd
rmmod tcp_vegas

# Names that would be commands are left out
cp /objs/bpf_cubic.bpf.o "$modules/\$(touch x).bpf.o"
run bpftool module aliases
check no-command-in-a-name not says touch
echo text >$modules/broken.bpf.o
run bpftool module aliases
check broken-object-is-told says broken.bpf.o
check broken-object-hides-none says 'module autoload tcp_aimd'
pkill -x iperf3
finish
