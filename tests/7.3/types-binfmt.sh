#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Handlers of binary types as modules: an entry of binfmt_misc is a user
. /tests/lib

interp=/objs/bpf_interp.bpf.o
misc=/proc/sys/fs/binfmt_misc

module() { run bpftool module "$@"; }
user() {
	local caps=$1
	shift
	run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" "$@"
}
# elf FILE MACHINE: a header of an ELF file for it, and no more
elf() {
	python3 -c '
import os, struct, sys
path, machine = sys.argv[1], int(sys.argv[2])
with open(path, "wb") as f:
    f.write(struct.pack("<4sBBB9xHHI", b"\x7fELF", 2, 1, 1, 2, machine, 1).ljust(256, b"\0"))
os.chmod(path, 0o755)' "$@"
}
# tell FILE TEXT: to binfmt_misc
tell() { run bash -c 'printf "%s\n" "$2" >"$1"' bash "$@"; }
# has MODULE NUMBER: so many users, within a minute: an entry goes after a grace period
has() {
	for _ in {1..600}; do
		bpftool module list >"$out" 2>&1
		grep -Eq "^[0-9]+ +$1 +[a-z]+ +$2 " "$out" && return
		sleep 0.1
	done
	return 1
}

run mount -t binfmt_misc binfmt_misc $misc
check mounts exits 0
elf /tmp/arm64 183
elf /tmp/riscv 243
elf /tmp/arm 40
# The first prints the file that it is to interpret, and its argument, the second its name
cp /bin/echo /tmp/binfmt_bpf_interp
cp /usr/bin/basename /tmp/second

user +bpf,+perfmon,+net_admin bpftool module load $interp
check without-sys-admin-is-refused one_line 'op bpf_interp (binfmt_misc_ops): needs CAP_SYS_ADMIN'
tell $misc/register ':bm:B::::bpf_interp:'
check nobody-has-that-name not exits 0
user +bpf,+perfmon,+sys_admin bpftool module load $interp
check sys-admin-is-enough exits 0
module list
check is-listed grep -Eq '^[0-9]+ +bpf_interp +live +0 +1 +0 ' "$out"
module show bpf_interp
check type-is-shown says binfmt_misc_ops
module load $interp name second
check name-of-another-is-refused one_line 'op bpf_interp (binfmt_misc_ops): the subsystem has one of that name already'
module load $interp replace bpf_interp
check replacing-is-refused one_line 'op bpf_interp (binfmt_misc_ops): the subsystem cannot replace ops of this type'
run /tmp/arm64 x
check without-an-entry-nothing-runs exits 126

tell $misc/register ':bm:B::::bpf_interp:'
check entry-registers exits 0
check entry-is-a-user has bpf_interp 1
run /tmp/arm64 x
check handler-runs-it prints '/tmp/arm64 x'
run /tmp/riscv x
check others-do-not-match exits 126
module unload bpf_interp
check used-one-is-not-unloaded one_line 'in use (1 user)'
run /tmp/arm64 x
check refusal-changes-nothing prints '/tmp/arm64 x'
tell $misc/bm 0
check entry-is-disabled exits 0
run /tmp/arm64 x
check disabled-does-not-run exits 126
check disabled-is-a-user has bpf_interp 1
tell $misc/bm -1
check entry-is-removed exits 0
check removed-is-no-user has bpf_interp 0
module unload bpf_interp
check unloads exits 0
tell $misc/register ':bm:B::::bpf_interp:'
check unloaded-has-no-entry not exits 0

# Two handlers, and one of them drains
module load $interp
check loads-again exits 0
module load /objs/interp_bind.bpf.o
check another-loads exits 0
tell $misc/register ':bind:B::::interp_bind:D'
check entry-begins-disabled exits 0
tell $misc/bind '+first /tmp/binfmt_bpf_interp'
check first-is-bound exits 0
tell $misc/bind '+second /tmp/second'
check second-is-bound exits 0
check disabled-entry-is-a-user has interp_bind 1
tell $misc/bind 1
check entry-is-enabled exits 0
run /tmp/arm64 x
check first-runs prints '/tmp/arm64 x'
run /tmp/riscv y
check second-runs prints riscv
run /tmp/arm
check unbound-fails not exits 0
check unbound-does-not-run not prints arm
module unload interp_bind drain
check drains exits 0
module list
check drained-is-going grep -Eq '^[0-9]+ +interp_bind +going +1 ' "$out"
tell $misc/register ':late:B::::interp_bind:'
check going-takes-no-user not exits 0
run /tmp/riscv z
check going-still-runs prints riscv
module unload bpf_interp
check unused-one-unloads exits 0
tell $misc/bind -1
check last-entry-is-removed exits 0
check goes-with-its-entry gone interp_bind

# The file system ends, with what is in it
module load $interp
tell $misc/register ':bm:B::::bpf_interp:'
check entry-again has bpf_interp 1
run umount $misc
check unmounts exits 0
check unmounted-entry-is-no-user has bpf_interp 0
module unload bpf_interp
check unloads-at-last exits 0
module list
check nothing-is-listed prints ''
finish
