#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does the runner of the virtual machine fail when it should, and only then?
cd "$(dirname "$0")/../.." || exit 1
. tests/lib

vm() { LOG=vm-test run scripts/vm run "$1"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out"' EXIT

vm "echo 'a  b' \"c'd\" \$((40 + 2)); echo err >&2"
check exits-0 exits 0
check output-alone prints "a  b c'd 42
err"
vm 'exit 7'
check exits-with-status exits 7
vm 'kill -9 $$'
check killed-command exits 137

vm 'echo "<4>WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg; echo all is well'
check splat-fails exits 125
check splat-is-shown says 'WARNING: CPU: 0 PID: 1 at nowhere'
vm 'echo c >/proc/sysrq-trigger'
check panic-fails exits 125
check panic-is-shown says 'Kernel panic'
vm 'echo b >/proc/sysrq-trigger; sleep 60'
check no-verdict-fails exits 125
check no-verdict-says-so says 'ended without saying that the command did'
vm 'printf "status 0\n"; kill -9 1; echo b >/proc/sysrq-trigger; sleep 60'
check output-is-no-verdict exits 125
TIMEOUT=15 vm 'echo before; sleep 100'
check timeout-fails exits 125
check timeout-says-so says 'not done after 15 seconds'
check timeout-keeps-output says before
vm 'sleep 100 & echo left behind'
check background-job-does-not-hang exits 0

echo 'from the host' >"$scratch/file with space"
SHARE=$scratch vm 'cat "/share/file with space"; echo x >/share/new || echo read-only'
check share-shows says 'from the host'
check share-is-read-only says read-only
check share-was-not-written not test -e "$scratch/new"
SHARE=$scratch/none vm true
check share-missing-refused exits 1
KERNEL=stock vm 'bpftool version; bpftool module list; echo module=$?'
check stock-has-bpftool says 'bpftool v'
check stock-knows-no-module not says 'module=0'
KERNEL=other vm true
check unknown-kernel-refused says 'there are default, stock, debug, kcsan, coverage, nomodules, nojit, upstream, upstream-stock and arm64'
run make -s vm CMD='echo "$HOME $((1 + 1))"; exit 3'
check make-vm-fails exits 2
check make-vm-passes-command says '/root 2'
finish
