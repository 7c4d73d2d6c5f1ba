#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Modules by name: options, blacklist, those of the boot, and those that the
# kernel asks for, with Debian's kmod
. /tests/lib
. /job/settings
. /tests/completion

modules=/usr/lib/bpf/modules
etc=/etc/bpf/modules.d
usr=/usr/lib/bpf/modules.d
aliases=/run/modprobe.d/bpf-modules.conf
sysctl=net.ipv4.tcp_congestion_control

module() { run bpftool module "$@"; }
listed() { bpftool module list | grep -qw "$1"; }
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
check name-without-folder one_line "no module of that name in $modules"

writable /usr/lib
writable /etc
mkdir -p $modules $etc $usr /run/modprobe.d
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
check load-by-name-twice-refused one_line 'is taken'
module unload tcp_aimd
module load nothing
check unknown-name one_line "no file nothing, and no module of that name in $modules"
module load 'a b'
check bad-name one_line "no module of that name in $modules"
cp /objs/bpf_dctcp.bpf.o /tmp/tcp_aimd
module load tcp_aimd ops dctcp name file
check file-comes-before-name says 'Loaded module file (id '
module unload file
rm /tmp/tcp_aimd

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
check complete-parameter-by-name prints beta=
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
check bad-word says "$etc/50-test.conf:3: 'lod' is none of load, options, blacklist, alias"
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
module unload tcp_aimd
module boot
check boot-with-bad-lines-fails not exits 0
check boot-reads-the-rest listed tcp_aimd
module unload tcp_aimd

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
rm $etc/* $usr/*

# At boot
printf 'load %s\n' tcp_aimd bpf_cubic scx_simple nothing >$usr/boot.conf
echo 'blacklist scx_simple' >$etc/black.conf
module boot
check boot-tells-what-fails says "no module of that name in $modules"
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
check boot-json field 'd[0][0]["name"]' tcp_aimd
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
run setpriv --reuid=1000 --regid=1000 --clear-groups iperf3 -c 127.0.0.1 -C "$name" -n 1M
check setsockopt-without-capability-refused not exits 0
check and-loads-nothing not listed tcp_aimd

echo 'blacklist tcp_aimd' >$etc/black.conf
run sysctl -w $sysctl="$name"
check blacklist-refuses-autoload not exits 0
check blacklisted-is-not-loaded not listed tcp_aimd
rm $etc/black.conf

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
