#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libbpf's headers compile beside the headers of a kernel that has no modules: a
# linux/bpf_module.h that cannot be included stands for none; and the kernel's
# describe every command, which have the numbers that they keep
cd "$(dirname "$0")/../.." || exit 1
. scripts/env
. tests/lib
trap 'rm -f "$out"; rm -rf "$work"' EXIT

work=$(mktemp -d)
libbpf=$build/tools/default/libbpf/include
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

cat >"$work/numbers.c" <<'END'
#include <linux/bpf.h>
_Static_assert(BPF_MODULE_LOAD == 56 && BPF_MODULE_UNLOAD == 57 && BPF_MODULE_GET_INFO == 58 &&
	       BPF_MODULE_GET_NEXT_ID == 59 && BPF_MODULE_GET_FD_BY_ID == 60, "numbers");
END
run gcc -fsyntax-only -I"$build/linux/tools/include/uapi" "$work/numbers.c"
check commands-keep-their-numbers exits 0
run "$build/linux/scripts/bpf_doc.py" --filename "$build/linux/include/uapi/linux/bpf.h" syscall
check all-commands-are-described exits 0
check the-last-command-is-described grep -Fxq '**BPF_MODULE_GET_FD_BY_ID**' "$out"
finish
