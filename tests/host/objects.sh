#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What needs no kernel: objects with modules as libbpf and bpftool read them,
# link them, and make skeletons of them, for C and C++
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
. scripts/env

bpftool=$build/tools/default/bpftool
uapi=$build/linux/tools/include/uapi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out"' EXIT

# libbpf_line TEXT: libbpf says it in one line, and bpftool fails
libbpf_line() { [ "$status" != 0 ] && [ "$(grep -c '^libbpf: ' "$out")" = 1 ] && says "$1"; }

# compile NAME <SOURCE: to $scratch/NAME.bpf.o
compile() {
	clang-19 -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I"$build/tools/default" \
		-I"$build/tools/default/libbpf/include" -x c -c - -o "$scratch/$1.bpf.o" >"$out" 2>&1
}

prelude='#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_module.h>
#include <bpf/bpf_tracing.h>
char _license[] SEC("license") = "GPL";'
prog='SEC("struct_ops") __u32 BPF_PROG(f, struct sock *sk) { return 1; }'

# op SECTION NAME
op() { echo "SEC(\"$1\") struct tcp_congestion_ops $2 = { .ssthresh = (void *)f, .name = \"$2\" };"; }

# object NAME TEXT...
object() {
	printf '%s\n' "$prelude" "$prog" "${@:2}" | compile "$1" && return
	echo "not ok object-$1: does not compile"
	sed 's/^/# /' "$out"
	exit 1
}
info() { run "$bpftool" module info "$scratch/$1.bpf.o"; }

long=$(printf 'a%.0s' {1..63})
object misuse "$(op .module. x)"
info misuse
check section-without-a-name libbpf_line 'write SEC(".module.NAME")'
object misuse "$(op .module x)"
info misuse
check section-without-a-dot libbpf_line 'write SEC(".module.NAME")'
object misuse "$(op '?.module.' x)"
info misuse
check optional-section-without-a-name libbpf_line 'write SEC(".module.NAME")'
object misuse "$(op .module.a/b x)"
info misuse
check section-with-a-bad-character libbpf_line "section '.module.a/b': '/' can't be in a module's name"
object misuse "$(op ".module.${long}a" x)"
info misuse
check section-with-a-long-name libbpf_line "the module's name has 64 characters, 63 are allowed"
object misuse 'SEC(".module.x") int v = 3;'
info misuse
check section-with-an-int libbpf_line 'var v in section .module.x: int is not a struct'
object misuse 'SEC("tc") int g(void *ctx) { return 0; }' \
	'SEC(".module.x") struct tcp_congestion_ops x = { .ssthresh = (void *)g };'
info misuse
check program-of-another-type libbpf_line 'prog g is not struct_ops BPF program'
object longest "$(op ".module.$long" x)"
info longest
check section-with-the-longest-name says "$long"
object twice "$(op .module.twice x)" "$(op .struct_ops y)"
run "$bpftool" -j module info "$scratch/twice.bpf.o"
check two-modules-of-one-name field '[m["name"] for m in d["modules"]]' "['twice', 'twice']"
object none 'int nothing;'
info none
check no-ops says 'no ops in'
check no-ops-fails not exits 0
run "$bpftool" module info "$scratch/missing.bpf.o"
check missing-file says 'No such file or directory'
check missing-file-fails not exits 0
run "$bpftool" module info
check info-needs-a-file not exits 0

object full 'BPF_MODULE_DESCRIPTION("first of two");' 'BPF_MODULE_AUTHOR("A");' \
	'BPF_MODULE_VERSION("1.0");' 'const volatile __u16 beta = 717;' \
	'const volatile enum { LOW, HIGH } mode = HIGH;' 'const volatile float ratio = 1.5;' \
	'static const volatile int hidden = 2;' 'const int fixed = 3;' \
	'BPF_MODULE_PARM_DESC(beta, "how far the window shrinks");' \
	'BPF_MODULE_PARM_DESC(two.name, "what sockets ask for");' \
	'extern void no_such_kfunc(void) __ksym;' 'extern void no_such_weak(void) __ksym __weak;' \
	'SEC("struct_ops") void BPF_PROG(g, struct sock *sk) { no_such_kfunc(); if (no_such_weak) no_such_weak(); }' \
	'struct tcp_congestion_ops___more { void (*no_such_member)(struct sock *sk); int no_such_zero; };' \
	'SEC(".module.m") struct tcp_congestion_ops___more three = { .no_such_member = (void *)g };' \
	'struct no_such_ops { int x; };' '__attribute__((used)) int use(void) { return beta + mode + hidden + (int)fixed; }' \
	'SEC("?.module.n") struct no_such_ops four = { .x = 1 };' \
	"$(op .module.m one)" "$(op '?.module.n' two)"
info full
check info-exits-0 exits 0
check info-file says "full.bpf.o"
check info-description says 'first of two'
check info-license says GPL
check info-type-without-suffix says 'three (tcp_congestion_ops)'
check info-optional-op says 'two (tcp_congestion_ops, optional)'
check info-member says '.ssthresh = f'
check info-param says 'beta = 717 (__u16): how far the window shrinks'
check info-member-param says 'two.name = "two" (char[16]): what sockets ask for'
check info-static-is-no-param not says hidden
check info-const-is-no-param not says fixed
check info-float-is-no-param not says ratio
run "$bpftool" -j module info "$scratch/full.bpf.o"
check json-modules field '[m["name"] for m in d["modules"]]' "['m', 'n']"
check json-ops field '[o["name"] for o in d["modules"][0]["ops"]]' "['three', 'one']"
check json-member field 'd["modules"][0]["ops"][1]["members"]["ssthresh"]' f
check json-author field 'd["author"]' "['A']"
check json-version field 'd["version"]' "['1.0']"
check json-default field '{p["name"]: p["default"] for p in d["params"]}["mode"]' HIGH
check json-type field '{p["name"]: p["type"] for p in d["params"]}["beta"]' __u16

# What this machine's kernel lacks, if it shows its BTF
if [ -r /sys/kernel/btf/vmlinux ]; then
	lacks() { field "('$1', '$2', $3) in [(m['what'], m['name'], m['optional']) for m in d['missing']]" True; }
	check lacks-ops-type lacks 'ops type' no_such_ops True
	check lacks-member lacks member tcp_congestion_ops.no_such_member False
	check lacks-kfunc lacks kfunc no_such_kfunc False
	check lacks-weak-kfunc lacks kfunc no_such_weak True
	check may-lack-a-member-that-is-zero not says no_such_zero
fi

# BTF of a file is what its author says: what goes beyond its type is not shown
sed 's|linux/bpf.h|vmlinux.h|' base/bugs/ops.bpf.c | compile ops
spoil() {
	llvm-objcopy-19 --dump-section ".BTF=$scratch/good.btf" "$scratch/$2.bpf.o" /dev/null
	base/bugs/break.py "$1" "$scratch/good.btf" "$scratch/$1.btf"
	llvm-objcopy-19 --update-section ".BTF=$scratch/$1.btf" "$scratch/$2.bpf.o" "$scratch/$1.bpf.o"
}
spoil bits full
info bits
check info-unsound-value says 'beta = null (__u16)'
run "$bpftool" -j module info "$scratch/bits.bpf.o"
check json-unsound-value field '{p["name"]: p["default"] for p in d["params"]}["beta"]' None
spoil size ops
info size
check info-ops-beyond-section says 'var second is beyond the end of DATASEC .struct_ops.link'

# Linking: sections and texts of both, one module that they share
extern='extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;'
ss() { echo "SEC(\"struct_ops\") __u32 BPF_PROG($1, struct sock *sk) { return tcp_reno_ssthresh(sk); }"; }
for part in a b; do
	printf '%s\n' "$prelude" "$extern" "$(ss "prog_$part")" "BPF_MODULE_AUTHOR(\"$part\");" \
		"SEC(\".module.shared\") struct tcp_congestion_ops op_$part = { .ssthresh = (void *)prog_$part };" \
		"SEC(\"?.module.own-$part\") struct tcp_congestion_ops opt_$part = { .ssthresh = (void *)prog_$part };" |
		compile "part_$part"
done
run "$bpftool" gen object "$scratch/linked.bpf.o" "$scratch"/part_{a,b}.bpf.o
check link exits 0
run "$bpftool" -j module info "$scratch/linked.bpf.o"
check linked-modules field '[m["name"] for m in d["modules"]]' "['shared', 'own-a', 'own-b']"
check linked-ops field '[(o["name"], o["members"]["ssthresh"]) for o in d["modules"][0]["ops"]]' \
	"[('op_a', 'prog_a'), ('op_b', 'prog_b')]"
check linked-texts field 'd["author"]' "['a', 'b']"

# Skeletons
skeleton() { run "$bpftool" "${@:2}" gen skeleton "$scratch/$1.bpf.o" name "$1"; }
skeleton linked -L
check light-skeleton-refused says "a light skeleton can't load"
check light-skeleton-fails not exits 0
check light-skeleton-prints-nothing not says 'struct linked'
object clash "$(op .module.f x)"
skeleton clash
check link-names-that-clash says "module 'f' and a program both have the link f; rename one"
object clash "$(op .module.a-b x)" "$(op .module.a.b y)"
skeleton clash
check module-names-that-clash says "modules 'a-b' and 'a.b' both are a_b"
object clash "$(op .module.y x)" "$(op .struct_ops y)"
skeleton clash
check module-and-map-that-clash says "module 'y' and a map both have the link y; rename one"
object legacy "$(op .struct_ops.link x)"
skeleton legacy
check skeleton-of-maps-is-as-ever not says '} modules;'
check skeleton-of-maps-has-their-links says 'struct bpf_link *x;'
skeleton linked
check skeleton exits 0
check skeleton-has-modules says 'struct bpf_module *own_a;'
check skeleton-has-links says 'struct bpf_link *shared;'
check skeleton-has-no-links-of-ops not says 'struct bpf_link *op_a;'
cp "$out" "$scratch/linked.skel.h"
skeleton full
cp "$out" "$scratch/full.skel.h"

# The same program in C and in C++
cat >"$scratch/use.c" <<'END'
#include <stdio.h>
#include <linux/bpf_module.h>
#include "linked.skel.h"
#include "full.skel.h"

int main(void)
{
	struct linked *skel = linked__open();
	struct full *full = full__open();
	struct bpf_module *mod;

	if (!skel || !full)
		return 1;
	printf("%s %s\n", bpf_module__name(skel->modules.shared), bpf_module__name(skel->modules.own_a));
	bpf_object__for_each_module(mod, skel->obj)
		printf("%d\n", bpf_module__fd(mod));
	printf("%d", bpf_module__set_param(full->modules.m, "beta", "7"));
	printf(" %d\n", (int)full->rodata->beta);
	printf("%d\n", bpf_module__pin(skel->modules.shared, "/nowhere/x"));
	linked__destroy(skel);
	full__destroy(full);
	return 0;
}
END
for compiler in gcc g++; do
	flags=(-Wall -Wextra -Werror -Wno-unused-function -I"$build/tools/default/libbpf/include" -I"$uapi" -I"$scratch")
	[ $compiler = g++ ] && flags+=(-x c++ -std=c++11)
	run $compiler "${flags[@]}" -o "$scratch/use" "$scratch/use.c" -x none \
		"$build/tools/default/libbpf/libbpf.a" -lelf -lz
	check "compiles-with-$compiler" exits 0
	run "$scratch/use"
	check "runs-from-$compiler" says "shared own-a"
	check "parameter-from-$compiler" says "0 7"
	check "pin-before-attach-from-$compiler" says "module 'shared': not attached, so it has no pins"
done

# What it is built with
run "$bpftool" version
check version-tells-modules grep -Eq '^features: .*\bmodules\b' "$out"
run "$bpftool" -j version
check version-json-tells-modules field 'd["features"]["modules"]' True
run "$bpftool" module info no_such_object
check info-unknown-name one_line 'no file no_such_object, and no module of that name in /usr/lib/bpf/modules'

# Completion, of what a stand-in lists
. tests/completion
bpftool() {
	case "$*" in
	"module list") printf '%s\n' 'ID  NAME    STATE' '7   cubic   live' '12  cu_two  going' ;;
	*) "$bpftool" "$@" ;;
	esac
}
full=$scratch/full.bpf.o
completes bpftool module inf
check complete-info prints info
completes bpftool module info ''
check complete-info-file prints a-file
completes bpftool mod
check complete-object prints module
completes bpftool module ''
check complete-verbs prints "$(printf '%s\n' show list load unload dump info pin boot autoload aliases help)"
for verb in show list dump unload pin; do
	completes bpftool module $verb ''
	check "complete-$verb-module" prints "id
name
pinned
cubic
cu_two"
	completes bpftool module $verb cu_
	check "complete-$verb-name" prints cu_two
	completes bpftool module $verb id ''
	check "complete-$verb-id" prints "7
12"
	completes bpftool module $verb name cub
	check "complete-$verb-by-name" prints cubic
	completes bpftool module $verb pinned ''
	check "complete-$verb-pinned" prints a-file
done
for words in cubic 'id 7' 'name cubic' 'pinned a-pin'; do
	# shellcheck disable=SC2086
	completes bpftool module unload $words ''
	check "complete-unload-${words% *}-how" prints "drain
wait"
	# shellcheck disable=SC2086
	completes bpftool module pin $words ''
	check "complete-pin-${words% *}-file" prints a-file
	# shellcheck disable=SC2086
	completes bpftool module show $words ''
	check "complete-show-${words% *}-ends" prints ''
done
completes bpftool --json module unload cubic ''
check complete-after-an-option prints "drain
wait"
completes bpftool --bp
check complete-option prints --bpffs
for verb in boot aliases help; do
	completes bpftool module $verb ''
	check "complete-$verb-ends" prints ''
done
completes bpftool module load ''
check complete-load-file says a-file
completes bpftool module load "$full" pin ''
check complete-load-pin-file prints a-file
completes bpftool module load "$full" bound ''
check complete-keywords-that-are-left prints "ops 
name 
pin 
replace 
beta=
mode=
two.name="
completes bpftool module load "$full" name ''
check complete-new-name-ends prints ''
completes bpftool module load "$full" replace cub
check complete-replace prints cubic
completes bpftool module load "$full" replace id 1
check complete-replace-id prints 12
completes bpftool module load "$full" replace name cu_
check complete-replace-name prints cu_two
completes bpftool module load "$full" beta = ''
check complete-value-ends prints ''
completes bpftool module load "$full" ops ''
check complete-ops prints "three
one
four
two"
completes bpftool module load "$full" ops one be
check complete-param prints beta=
completes bpftool module load "$full" two
check complete-member prints two.name=
completes bpftool module load "$full" pi
check complete-keyword prints 'pin '
finish
