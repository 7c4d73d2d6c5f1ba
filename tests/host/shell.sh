#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make shell, with somebody who types: it greets, completes words, and what the
# greeting says to try does what it should
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
trap 'rm -f "$out"' EXIT

LOG=shell-test python3 tests/host/shell.py || bad=1
run make -s shell
check shell-needs-a-terminal says 'shell needs a terminal'
finish
