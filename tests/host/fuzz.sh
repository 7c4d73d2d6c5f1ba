#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The corpus and a fixed number of malformed inputs, under ASan and UBSan
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
trap 'rm -f "$out"' EXIT

run scripts/fuzz check
check no-input-crashes exits 0
for target in conf param object info; do
	check "$target-ran" grep -Eq "^$target +[1-9][0-9]{3,} +[1-9][0-9]* +[1-9][0-9]* of [0-9]+ +0$" "$out"
done
finish
