#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libbpf's headers compile beside the headers of a kernel that has no modules: a
# linux/bpf_module.h that cannot be included stands for none
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
trap 'rm -f "$out"; rm -rf "$work"' EXIT

work=$(mktemp -d)
libbpf=build/tools/default/libbpf/include
for header in bpf libbpf btf; do
	echo "#include <bpf/$header.h>"
done >"$work/all.c"
mkdir "$work/linux"
echo '#error "not there"' >"$work/linux/bpf_module.h"
flags=(-fsyntax-only -Wall -Wextra -Werror -I"$work" -I"$libbpf")
run gcc "${flags[@]}" "$work/all.c"
check c exits 0
run g++ -x c++ "${flags[@]}" "$work/all.c"
check c++ exits 0
echo '#include <linux/bpf_module.h>' >>"$work/all.c"
run gcc "${flags[@]}" "$work/all.c"
check who-includes-it-is-told says 'not there'
finish
