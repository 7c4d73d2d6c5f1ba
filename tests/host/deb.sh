#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The packages: what is in them, and that the kernel boots with that bpftool.
# They are unpacked into a scratch root, nothing is installed.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
. scripts/env

root=$(mktemp -d)
trap 'rm -rf "$root" "$out"' EXIT
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
package() { echo "$build/deb/$1"_*.deb; }
depends() { dpkg-deb -f "$(package "$1")" Depends | grep -qw "$2"; }

CONFIG=vm run scripts/build-deb
check packages-build exits 0
[ "$status" = 0 ] || finish
check kernel-is-for-no-other test -e "$build"/deb/linux-image-*-vm_*.deb
run dpkg-deb -f "$build"/deb/linux-image-*-vm_*.deb Description
check kernel-says-so says 'virtual machine only'
for name in 'linux-image-*' bpftool libbpf1 libbpf-dev; do
	# shellcheck disable=SC2086
	run dpkg-deb -x "$build"/deb/${name}_*.deb "$root"
	check "${name%-\*}-unpacks" exits 0
done
check bpftool-names-its-libraries depends bpftool libelf1
check libbpf-dev-needs-libbpf1 depends libbpf-dev libbpf1
for file in usr/sbin/bpftool usr/share/man/man8/bpftool-module.8.gz \
	usr/share/bash-completion/completions/bpftool lib/systemd/system/bpf-modules.service \
	lib/systemd/system/bpf-modules-net@.service lib/udev/rules.d/90-bpf-modules.rules \
	usr/lib/bpf/modules etc/bpf/modules.d usr/include/linux/bpf_module.h \
	"usr/lib/$triplet/pkgconfig/libbpf.pc"; do
	check "has-$file" test -e "$root/$file"
done
# it looks for what the unit runs, and the root has no shell of its own
install -D /bin/sh "$root/bin/sh"
run systemd-analyze verify --man=no --root="$root" bpf-modules.service
check unit-is-valid exits 0
run systemd-analyze verify --man=no --root="$root" 'bpf-modules-net@sys-devices-virtual-net-a\x2db.service'
check unit-of-a-device-is-valid exits 0
run grep -c 'SYSTEMD_WANTS}+="bpf-modules-net@.service"$' "$root/lib/udev/rules.d/90-bpf-modules.rules"
check rule-starts-it prints 1
run grep -rIl "$top" "$root/usr/share" "$root/lib/systemd" "$root/lib/udev" "$root/usr/lib/$triplet/pkgconfig" "$root/usr/include"
check no-path-of-the-build-in-text prints ''

# A program outside of the tree, linked with what the packages have
cat >"$root/probe.c" <<'END'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf_module.h>
#include <stdio.h>

int main(void)
{
	struct bpf_module_info info = {};

	printf("modules %d, version %s, ids %d\n", libbpf_probe_bpf_module(NULL),
	       libbpf_version_string(), (int)sizeof(info.id));
	return 0;
}
END
run gcc -Wall -Werror -I"$root/usr/include" "$root/probe.c" -L"$root/usr/lib/$triplet" -lbpf -o "$root/probe"
check program-links-with-libbpf-dev exits 0
run nm -D "$root/probe"
check modules-have-a-version-of-their-own says libbpf_probe_bpf_module@LIBBPF_MODULES
run gcc -Wall -Werror -I"$root/usr/include" "$root/probe.c" "$root/usr/lib/$triplet/libbpf.a" -lelf -lz -o "$root/probe-static"
check program-links-statically exits 0

# The examples, as somebody builds them who has the packages installed
mkdir "$root/examples"
run env PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH="$root/usr/lib/$triplet/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
	PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 make -C examples OUT="$root/examples" CLANG=clang-19 \
	BPFTOOL="$root/usr/sbin/bpftool" VMLINUX_BTF="$build/kernel/default/vmlinux.btf"
check examples-build exits 0
run ldd "$root/examples/shyd"
check example-is-linked-with-the-library says libbpf.so.1

image=$(echo "$root"/boot/vmlinuz-*)
IMAGE=$image SHARE=$root LOG=deb-test run scripts/vm run '
export PATH=/share/usr/sbin:$PATH MODPROBE_OPTIONS="-d /share"
echo "release: $(uname -r)"
echo "bpftool: $(command -v bpftool)"
bpftool module load /objs/tcp_aimd.bpf.o beta=600
bpftool module list
bpftool module unload tcp_aimd
bpftool feature probe kernel | grep "BPF modules"
LD_LIBRARY_PATH=/share/usr/lib/'"$triplet"' /share/probe
modprobe -v tcp_vegas
sysctl -n net.ipv4.tcp_available_congestion_control
'
check machine-ends-well exits 0
check kernel-is-the-packages says "release: ${image##*/vmlinuz-}"
check bpftool-is-the-packages says 'bpftool: /share/usr/sbin/bpftool'
check module-loads says 'Loaded module tcp_aimd (id '
check module-lists grep -Eq '^[0-9]+ +tcp_aimd +live' "$out"
check module-unloads says 'Unloaded module tcp_aimd'
check feature-is-told says 'BPF modules is available'
version=$(sed -n 's/^#define LIBBPF_M[A-Z]*_VERSION //p' "$build/linux/tools/lib/bpf/libbpf_version.h" | paste -sd.)
check program-runs says "modules 1, version v$version"
check kernel-module-is-the-packages says 'insmod /share/lib/modules/'
check kernel-module-loads says vegas
finish
