#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make deb CONFIG=": packages of a kernel with the configuration of a machine, for
# which ours stands in, with a name of its own and without what modules need; the
# kernel boots with the bpftool of the packages.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
. scripts/env

scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out"' EXIT
machine=$scratch/config-machine
cp "$build/kernel/default/.config" "$machine"
"$build/linux/scripts/config" --file "$machine" -d DEBUG_INFO_BTF -d BPF_JIT \
	--set-str LOCALVERSION -machine

# what is configured alike is not built again
[ -d "$build/kernel/machine" ] || cp -a "$build/kernel/default" "$build/kernel/machine"

run make -s deb CONFIG="$scratch/none"
check no-such-file-is-told says 'none: no such file'
check no-such-file-fails not exits 0
# a machine without a file of its configuration is asked for one
if [ ! -f "/boot/config-$(uname -r)" ]; then
	run make -s deb
	check no-configuration-is-told says 'name a configuration with CONFIG=FILE'
	check no-configuration-fails not exits 0
fi
grep -v '^CONFIG_MODULES=' "$machine" >"$scratch/without-modules"
echo '# CONFIG_MODULES is not set' >>"$scratch/without-modules"
run make -s deb CONFIG="$scratch/without-modules"
check without-modules-is-told says "CONFIG_MODULES can't be set; BPF modules need it"
check without-modules-fails not exits 0

run make -s deb CONFIG="$machine"
check packages-build exits 0
[ "$status" = 0 ] || finish
for name in 'linux-image-*' bpftool; do
	# shellcheck disable=SC2086
	run dpkg-deb -x "$build"/deb/${name}_*.deb "$scratch/root"
	check "${name%-\*}-unpacks" exits 0
done
image=$(echo "$scratch"/root/boot/vmlinuz-*)
release=${image##*/vmlinuz-}
check release-tells-which test "${release%-machine-bpf-modules}" != "$release"
check config-is-in-the-package test -s "$scratch/root/boot/config-$release"
cp "$scratch/root/boot/config-$release" "$out"
check btf-is-on says CONFIG_DEBUG_INFO_BTF=y
check jit-is-on says CONFIG_BPF_JIT=y

IMAGE=$image SHARE=$scratch/root LOG=deb-machine run scripts/vm run '
export PATH=/share/usr/sbin:$PATH MODPROBE_OPTIONS="-d /share"
echo "release: $(uname -r)"
bpftool module load /objs/tcp_aimd.bpf.o beta=600
bpftool module list
bpftool module unload tcp_aimd
modprobe -v tcp_vegas
'
check machine-ends-well exits 0
check kernel-is-the-packages says "release: $release"
check module-loads says 'Loaded module tcp_aimd (id '
check module-lists grep -Eq '^[0-9]+ +tcp_aimd +live' "$out"
check module-unloads says 'Unloaded module tcp_aimd'
check kernel-module-is-the-packages says 'insmod /share/lib/modules/'
finish
