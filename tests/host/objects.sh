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
check section-without-a-name one_line 'write SEC(".module.NAME")'
object misuse "$(op .module x)"
info misuse
check section-without-a-dot one_line 'write SEC(".module.NAME")'
object misuse "$(op '?.module.' x)"
info misuse
check optional-section-without-a-name one_line 'write SEC(".module.NAME")'
object misuse "$(op .module.a/b x)"
info misuse
check section-with-a-bad-character one_line "section '.module.a/b': '/' can't be in a module's name"
object misuse "$(op ".module.${long}a" x)"
info misuse
check section-with-a-long-name one_line "the module's name has 64 characters, 63 are allowed"
for name in . .. -x; do
	object misuse "$(op ".module.$name" x)"
	info misuse
	check "section-with-the-name-$name" one_line "section '.module.$name': '$name' can't be a module's name"
done
for file in -x . ..; do
	object any "$(op .struct_ops x)"
	mv "$scratch/any.bpf.o" "$scratch/$file.bpf.o"
	info "$file"
	check "file-with-the-name-$file-gives-another" says "module      _${file#?}"
done
object misuse 'SEC(".module.x") int v = 3;'
info misuse
check section-with-an-int one_line 'var v in section .module.x: int is not a struct'
object misuse 'SEC("tc") int g(void *ctx) { return 0; }' \
	'SEC(".module.x") struct tcp_congestion_ops x = { .ssthresh = (void *)g };'
info misuse
check program-of-another-type one_line 'prog g is not struct_ops BPF program'
object longest "$(op ".module.$long" x)"
info longest
check section-with-the-longest-name says "$long"
object twice "$(op .module.twice x)" "$(op .struct_ops y)"
run "$bpftool" -j module info "$scratch/twice.bpf.o"
check two-modules-of-one-name field '[m["name"] for m in d["modules"]]' "['twice', 'twice']"
object none 'int nothing;'
info none
check nothing-to-load says 'no ops, no programs'
check nothing-to-load-fails not exits 0
run "$bpftool" module info "$scratch/missing.bpf.o"
check missing-file says 'No such file or directory'
check missing-file-fails not exits 0
run "$bpftool" module info
check info-needs-a-file not exits 0

# What is no object, and why it is none
printf '%s\n' "$prelude" "$prog" "$(op .struct_ops x)" >"$scratch/plain.c"
clang-19 -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I"$build/tools/default" -I"$build/tools/default/libbpf/include" \
	-c "$scratch/plain.c" -o "$scratch/nobtf.bpf.o"
info nobtf
check no-btf one_line "no BTF in $scratch/nobtf.bpf.o; compile with -g"
object whole "$(op .struct_ops x)"
head -c 1000 "$scratch/whole.bpf.o" >"$scratch/cut.bpf.o"
info cut
check cut-off one_line "can't open $scratch/cut.bpf.o: it is cut off or damaged"
llvm-objcopy-19 --strip-all --keep-section=.BTF "$scratch/whole.bpf.o" "$scratch/stripped.bpf.o"
info stripped
check stripped one_line "no symbols in $scratch/stripped.bpf.o, it was stripped"
reason() { run "$bpftool" module info "$1"; check "$2" one_line "can't open $1: $3"; }
reason "$scratch/" a-folder-is-a-folder 'Is a directory'
reason /dev/null a-device-is-no-file 'it is not a regular file'
mkfifo "$scratch/pipe.o"
reason "$scratch/pipe.o" a-pipe-is-not-waited-for 'it is not a regular file'
reason /etc/passwd a-text-is-no-object 'it is not an ELF file'
reason "$(realpath "$bpftool")" a-program-is-no-object 'it is not an object of BPF programs'
run "$bpftool" -j module info "$scratch/nobtf.bpf.o"
check json-tells-the-reason field 'd["error"].endswith("compile with -g")' True

# Output that can't be written
for option in '' -j; do
	# shellcheck disable=SC2086
	run bash -c "'$bpftool' $option module info $scratch/whole.bpf.o >/dev/full"
	check "full-disk$option" one_line 'failed to write the output'
	check "full-disk$option-exits-1" exits 1
	# shellcheck disable=SC2086
	run bash -c "'$bpftool' $option module info $scratch/whole.bpf.o >&-"
	check "closed-output$option" one_line 'failed to write the output'
done
run bash -c "'$bpftool' module help 2>/dev/full >&-"
check help-on-a-closed-output exits 0
run "$bpftool" -j bogus
check json-unknown-command field 'd["error"]' "unknown command 'bogus'"
check failure-exits-1 exits 1
printf 'version\nmodule info %s\n' "$scratch/nobtf.bpf.o" >"$scratch/batch"
run "$bpftool" -j batch file "$scratch/batch"
check json-batch-with-a-failure field 'd[1]["output"]["error"].startswith("no BTF")' True
printf 'module info %s\nversion\n' "$scratch/whole.bpf.o" >"$scratch/batch"
run "$bpftool" batch file "$scratch/batch"
check batch-exits-0 exits 0
check batch-read-well says 'processed 2 commands'

# Programs beside the ops
object others "$(op .module.m x)" 'SEC("fentry/no_such_function") int BPF_PROG(watch) { return 0; }' \
	'SEC("syscall") int setup(void *ctx) { return 0; }' 'SEC("struct_ops") void BPF_PROG(later, struct sock *sk) { }' \
	'struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 1); __uint(key_size, 4); __array(values, int (void *)); } jump SEC(".maps") = { .values = { (void *)later } };'
info others
check info-attached says 'watch (fentry/no_such_function)'
check info-lacks-its-function says 'lacks function no_such_function'
check info-not-run says 'setup (syscall, not attached)'
check info-tail-called-is-used says 'later (struct_ops)'
run "$bpftool" -j module info "$scratch/others.bpf.o"
check json-not-attached field '[p["name"] for p in d["programs"] if not p["attached"]]' "['setup']"

# Texts and values as a C programmer writes them, and nothing that a terminal obeys
object texts 'static const char evil[] SEC(".modinfo") = "description=a\033[2Jb\nkernel      has what is needed";' \
	'BPF_MODULE_AUTHOR("Jürgen");' 'static const char bytes[] SEC(".modinfo") = "version=\377";' \
	'const volatile char letter = 0x61; const volatile char end = 0; const volatile char quote = 0x27;' \
	'const volatile char name[8] = "\303\274b\\"; const volatile char raw[2] = "ab"; const volatile char words[2][4] = { "ab", "c" };' \
	'const volatile __u16 grid[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };' \
	'__attribute__((used)) int use(int i) { return letter + end + quote + name[i] + raw[i] + words[i][i] + grid[i][i]; }' "$(op .module.m x)"
info texts
check text-is-escaped says 'description a\x1b[2Jb\nkernel      has what is needed'
check text-in-utf8 says 'author      Jürgen'
check text-that-is-none says 'version     \xff'
check char-value says "letter = 'a' (char)"
check char-zero says "end = '\\0' (char)"
check char-quote says "quote = '\\'' (char)"
check utf8-value says 'name = "üb\\"'
check char-array-without-an-end says "raw = ['a','b']"
check texts-in-rows says 'words = ["ab","c"]'
check numbers-in-rows says 'grid = [[1,2,3],[4,5,6]]'
run "$bpftool" -j module info "$scratch/texts.bpf.o"
check json-text-is-json field 'd["description"][0].startswith("a\x1b[2Jb\n")' True
check json-utf8 field 'd["author"][0]' Jürgen
check json-no-character field 'd["version"][0]' $'\ufffd'
check json-char field '{p["name"]: p["default"] for p in d["params"]}["letter"]' a
check json-utf8-value field '{p["name"]: p["default"] for p in d["params"]}["name"]' 'üb\'

# BTF without an end
hostile() { tests/host/hostile.py "$1" "$scratch/whole.bpf.o" "$scratch/$1.btf" && llvm-objcopy-19 --update-section ".BTF=$scratch/$1.btf" "$scratch/whole.bpf.o" "$scratch/$1.bpf.o"; }
for how in ring union pointers array deep; do
	hostile $how
	run timeout 20 "$bpftool" module info "$scratch/$how.bpf.o"
	check "endless-$how" one_line "the BTF of $scratch/$how.bpf.o is broken: type"
done

# Functions that it exports, and those that it needs
object funcs 'BPF_MODULE("lib"); struct lib_key { int a; };' \
	'SEC("module.func") int take(struct lib_key *key, const char *text, unsigned long long n) { return key && text ? n : 0; }' \
	'SEC("module.func.s") long nap(void) { return 1; }' \
	'extern int no_such_take(int n) __ksym __bpf_module("no_such_lib");' \
	'extern int no_such_log(int n) __ksym __weak __bpf_module("no_such_log");' \
	'SEC("module.func") int both(int n) { return no_such_log ? no_such_log(n) : no_such_take(n); }'
info funcs
check info-function says 'funcs       int take(struct lib_key *key, const char *text, unsigned long long n)'
check info-function-that-sleeps says '            long nap(void) (sleepable)'
check info-needs says 'no_such_take of module no_such_lib'
check info-needs-optionally says 'no_such_log of module no_such_log (optional'
check info-needs-no-kfunc not says 'lacks kfunc'
run "$bpftool" -j module info "$scratch/funcs.bpf.o"
check json-functions field 'sorted((f["name"], f["sleepable"], f["module"]) for f in d["funcs"])' "[('both', False, 'lib'), ('nap', True, 'lib'), ('take', False, 'lib')]"
check json-needs field 'sorted((n["module"], n["func"], n["optional"]) for n in d["needs"])' "[('no_such_lib', 'no_such_take', False), ('no_such_log', 'no_such_log', True)]"
run "$bpftool" module deps "$scratch/funcs.bpf.o"
check deps-lists-the-object-last grep -Eq "^- +lib +[a-z ]+ +(no_such_lib, no_such_log \\(optional\\)|no_such_log \\(optional\\), no_such_lib) +$scratch/funcs.bpf.o$" "$out"
check deps-lists-what-it-needs grep -Eq '^- +no_such_lib +(missing|unknown)$' "$out"
run "$bpftool" -j module deps "$scratch/funcs.bpf.o"
check deps-json field 'sorted(m["name"] for m in d if "name" in m)' "['lib', 'no_such_lib', 'no_such_log']"
run "$bpftool" module deps "$scratch/whole.bpf.o"
check deps-of-none exits 0
check deps-of-none-lists-the-object test "$(wc -l <"$out")" = 2
run "$bpftool" module deps
check deps-of-what not exits 0

object full 'BPF_MODULE_DESCRIPTION("first of two");' 'BPF_MODULE_AUTHOR("A");' \
	'BPF_MODULE_VERSION("1.0");' 'const volatile __u16 beta = 717;' \
	'const volatile enum { LOW, HIGH } mode = HIGH;' 'const volatile float ratio = 1.5;' \
	'static const volatile int hidden = 2;' 'const int fixed = 3;' \
	'BPF_MODULE_PARM_DESC(beta, "how far the window shrinks");' \
	'BPF_MODULE_PARM_DESC(two.name, "what sockets ask for");' \
	'extern int CONFIG_NO_SUCH_OPTION __kconfig; extern int CONFIG_NO_SUCH_WEAK __kconfig __weak;' \
	'extern void no_such_kfunc(void) __ksym;' 'extern void no_such_weak(void) __ksym __weak;' \
	'SEC("struct_ops") void BPF_PROG(g, struct sock *sk) { if (CONFIG_NO_SUCH_OPTION + CONFIG_NO_SUCH_WEAK) no_such_kfunc(); if (no_such_weak) no_such_weak(); }' \
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
	check lacks-option field "[m['optional'] for m in d['missing'] if m['what'] == 'config' and m['name'].startswith('CONFIG_NO_SUCH_OPTION')]" '[False]'
	check lacks-weak-option field "[m['optional'] for m in d['missing'] if m['what'] == 'config' and m['name'].startswith('CONFIG_NO_SUCH_WEAK')]" '[True]'
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
object words "$(op .module.class a)" "$(op .module.int b)" "$(op .module.not-eq c)" "$(op .module.linux d)" \
	"$(op .module.2nd e)" "$(op .module.... g)"
skeleton words
check skeleton-of-reserved-words exits 0
cp "$out" "$scratch/words.skel.h"
object clash "$(op .module.class a)" "$(op .module.class_ b)"
skeleton clash
check reserved-word-that-clashes says "modules 'class' and 'class_' both are class_"

# The same program in C and in C++
cat >"$scratch/use.c" <<'END'
#include <stdio.h>
#include <linux/bpf_module.h>
#include "linked.skel.h"
#include "full.skel.h"
#include "words.skel.h"

/* names that are the program's own, not libbpf's */
void check_path(void) {}
void make_parent_dir(void) {}
void btf_format_type(void) {}

static void use_words(void)
{
	struct words *skel = words__open();

	if (!skel)
		return;
	printf("%s %s %s %s\n", bpf_module__name(skel->modules.class_), bpf_module__name(skel->modules.int_),
	       bpf_module__name(skel->modules.not_eq_), bpf_module__name(skel->modules._2nd));
	words__destroy(skel);
}

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
	use_words();
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
	check "reserved-words-from-$compiler" says "class int not-eq 2nd"
	check "pin-before-attach-from-$compiler" says "module 'shared': not attached, so it has no pins"
done

# What it is built with
run "$bpftool" version
check version-tells-modules grep -Eq '^features: .*\bmodules\b' "$out"
run "$bpftool" -j version
check version-json-tells-modules field 'd["features"]["modules"]' True
run "$bpftool" module info no_such_object
check info-unknown-name one_line 'no module no_such_object in the folders bpf/modules of /etc, /run, /usr/local/lib and /usr/lib'

# A name is never a file of the current folder
cd "$scratch" || exit 1
cp full.bpf.o full
mkdir folder
run "$bpftool" module info full
check file-is-no-name one_line 'no module full in'
check file-is-no-name-but-a-path says 'the file in this folder is ./full'
run "$bpftool" module info folder
check folder-is-no-name one_line 'no module folder in'
run "$bpftool" module info ./full
check path-is-a-file says 'first of two'
run "$bpftool" module info full.bpf.o
check object-is-a-file says 'first of two'
for word in '' - -x . .. 'a b' 'x=y' "$long"a; do
	run "$bpftool" -- module info "$word"
	check "'$word'-is-no-name" one_line "'$word' can't name a module"
done
run "$bpftool" -- module config -x
check config-of-no-name one_line "'-x' can't name a module"
run "$bpftool" module ''
check empty-word-is-no-command not exits 0
run "$bpftool" '' list
check empty-word-is-no-object not exits 0
cd "$OLDPWD" || exit 1

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
check complete-verbs prints "$(printf '%s\n' show list load unload dump info deps pin boot autoload aliases config help)"
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
	check "complete-unload-${words% *}-how" prints "id
name
pinned
cubic
cu_two
deps
drain
wait"
	# shellcheck disable=SC2086
	completes bpftool module pin $words ''
	check "complete-pin-${words% *}-file" prints a-file
	# shellcheck disable=SC2086
	completes bpftool module show $words ''
	check "complete-show-${words% *}-ends" prints ''
done
completes bpftool --json module unload cubic dr
check complete-after-an-option prints drain
completes bpftool module unload cubic cu_
check complete-unload-another prints cu_two
completes bpftool module unload cubic id ''
check complete-unload-another-id prints "7
12"
completes bpftool module unload cubic drain ''
check complete-unload-after-drain prints deps
completes bpftool module unload cubic wait d
check complete-unload-after-wait prints deps
completes bpftool module unload cubic drain deps ''
check complete-unload-ends prints ''
completes bpftool module unload cubic deps ''
check complete-unload-after-deps prints "drain
wait"
completes bpftool module unload name deps ''
check complete-unload-of-that-name says cu_two
completes bpftool module deps ''
check complete-deps prints "id
name
pinned
a-file
cubic
cu_two"
completes bpftool module deps id 1
check complete-deps-id prints 12
completes bpftool module deps name cu_
check complete-deps-name prints cu_two
completes bpftool module deps cubic ''
check complete-deps-ends prints ''
completes bpftool prog load x y type module
check complete-type-of-functions prints module.func
completes bpftool --bp
check complete-option prints --bpffs
completes bpftool module config ''
check complete-config-names-alone prints ''
for verb in aliases help; do
	completes bpftool module $verb ''
	check "complete-$verb-ends" prints ''
done
completes bpftool module boot ''
check complete-boot prints dev
completes bpftool module boot dev l
check complete-boot-device says lo
completes bpftool module load ''
check complete-load-file says a-file
completes bpftool module load "$full" pin ''
check complete-load-pin-file prints a-file
completes bpftool module load "$full" bound ''
check complete-keywords-that-are-left prints "ops 
name 
pin 
replace 
dry-run 
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
check complete-member prints "a-file
two.name="
completes bpftool module load "$full" pi
check complete-keyword prints "pin 
a-file"
completes bpftool module load "$full" other.o ''
check complete-load-another prints "dry-run 
a-file"
completes bpftool module load "$full" dry-run ops ''
check complete-ops-of-a-dry-run says three

# Where programs go
object places 'SEC("xdp") int drop(void *ctx) { return 1; }' 'SEC("cgroup_skb/egress") int count(void *ctx) { return 1; }' \
	'SEC("netfilter") int accept(void *ctx) { return 1; }' 'SEC("sk_lookup") int pick(void *ctx) { return 1; }' \
	'SEC("usdt") int probe(void *ctx) { return 0; }' 'int counted;'
full=$scratch/places.bpf.o
info places
check info-is-named-after-the-file says 'module      places'
check info-needs-device says 'drop (xdp, needs drop.dev)'
check info-needs-cgroup says 'count (cgroup_skb/egress, needs count.cgroup)'
check info-needs-nothing says 'pick (sk_lookup)'
check info-refused says 'probe (usdt, refused: no link attaches it)'
completes bpftool module load "$full" replace x d
check complete-needs prints 'dry-run 
drop.dev=
drop.mode='
completes bpftool module load "$full" pick.
check complete-takes says pick.netns=
completes bpftool module load "$full" drop.dev =
check complete-device says lo
completes bpftool module load "$full" drop.dev = eth0,l
check complete-another-device says eth0,lo
completes bpftool module load "$full" drop.mode = n
check complete-mode prints native
completes bpftool module load "$full" count.cgroup = ''
check complete-path prints a-file
completes bpftool module load "$full" accept.hook = ''
check complete-family prints 'ipv4:
ipv6:'
completes bpftool module load "$full" accept.hook = ipv4 : fo
check complete-hook prints forward:
completes bpftool module load "$full" accept.hook = ipv4 : forward : ''
check complete-priority-ends prints ''
completes bpftool module load "$full" drop.dev = eth0 pi
check complete-after-a-device prints 'pin '
completes bpftool module load "$full" replace x reu
check complete-reuse prints 'reuse '
completes bpftool module load "$full" replace x reuse pl
check complete-map prints places.bss
finish
