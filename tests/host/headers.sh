#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libbpf's headers compile beside the headers of a kernel that has no modules
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
trap 'rm -f "$out"; rm -rf "$work"' EXIT

work=$(mktemp -d)
libbpf=build/tools/default/libbpf/include
for header in bpf libbpf btf; do
	echo "#include <bpf/$header.h>"
done >"$work/all.c"
check no-modules-in-the-system-headers not [ -e /usr/include/linux/bpf_module.h ]
run gcc -fsyntax-only -Wall -Wextra -Werror -I"$libbpf" "$work/all.c"
check c exits 0
run g++ -x c++ -fsyntax-only -Wall -Wextra -Werror -I"$libbpf" "$work/all.c"
check c++ exits 0
finish
