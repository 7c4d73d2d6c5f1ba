#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Functions of modules: what files and modules tell of them and of who calls them, and
# who cannot be unloaded for it.
. /tests/lib

modules=/run/bpf/modules
pin=/sys/fs/bpf/bm_edge

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
unprivileged() { run setpriv --reuid=1000 --regid=1000 --clear-groups bpftool module "$@"; }
# as a user who may load and not look
loader() {
	local caps=+bpf,+perfmon,+net_admin
	run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=$caps --ambient-caps=$caps bpftool module "$@"
}
id_of() { bpftool module list | awk -v name="$1" '$2 == name { print $1 }'; }
prog_id() { bpftool prog show pinned $pin | sed -n 's/: .*//p;1q'; }
used_by() { bpftool module list | sed -n "s/^[0-9]* *$1 .* root *//p"; }
live() { [ "$(bpftool module list | awk '$3 == "live" { print $2 }' | sort | paste -sd ' ')" = "$1" ]; }

mkdir -p $modules
for name in bucket limit edge; do
	cp /objs/bpf_module_$name.bpf.o $modules/bm_$name.bpf.o
done

run bpftool feature probe kernel
check feature-of-functions grep -Fxq 'eBPF program_type module_func is available' "$out"
run bpftool --json feature probe kernel
check feature-json field 'd["program_types"]["have_module_func_prog_type"]' True

# What is in a file
module info bm_bucket
check info-of-functions says 'funcs       int bm_take(struct bm_key *key, int n)'
check info-without-arguments says ' int bm_left(void)'
check info-of-one-that-sleeps says ' int bm_refill(unsigned int n) (sleepable)'
check info-of-a-section says 'bm_refill (module.func.s)'
module info bm_limit
check info-of-what-it-needs says 'bm_take of module bm_bucket (not loaded)'
check info-of-what-it-can-do-without says 'bm_log of module bm_log (optional, not loaded)'
check needs-are-not-the-kernels says 'has what is needed'
json info bm_limit
check info-json field '[(n["module"], n["func"], n["optional"], n["loaded"]) for n in sorted(d["needs"], key=str)]' \
	"[('bm_bucket', 'bm_take', False, False), ('bm_log', 'bm_log', True, False)]"
check info-json-of-functions field '[(f["name"], f["prototype"], f["module"]) for f in d["funcs"]]' \
	"[('bm_limited', 'int bm_limited(int who)', 'bm_limit')]"
unprivileged info /objs/bpf_module_limit.bpf.o
check who-may-not-look-gets-the-rest says 'bm_log of module bm_log (optional)'
check and-exits-0 exits 0

# Files are loaded by hand, in order
module load /objs/bpf_module_limit.bpf.o
check missing-library one_line "can't load /objs/bpf_module_limit.bpf.o: needs module bm_bucket (function bm_take); load it first"
loader load /objs/bpf_module_edge.bpf.o
check who-may-not-look-is-told-why one_line "can't load /objs/bpf_module_edge.bpf.o: needs module bm_bucket (function bm_left), which can't be looked up: Operation not permitted, that needs CAP_SYS_ADMIN"
module load /objs/bpf_module_both.bpf.o
check library-and-caller-in-one-object one_line "can't load /objs/bpf_module_both.bpf.o: needs module bm_both (function both_half), which this object has itself"
check what-to-do-with-one-object says 'put what calls it in an object of its own'
module list
check nothing-is-loaded prints ''
module load /objs/bpf_module_bucket.bpf.o
check load-library grep -Eq '^Loaded module bm_bucket \(id [0-9]+\) with functions bm_take, bm_left, bm_refill$' "$out"
module info bm_limit
check info-of-what-is-loaded says 'bm_take of module bm_bucket (loaded)'
json load /objs/bpf_module_limit.bpf.o
check load-json field 'd[0]["funcs"]' "['bm_limited']"
module load /objs/bpf_module_edge.bpf.o
check load-caller says 'Loaded module bm_edge (id '
module load /objs/bpf_module_bad_arg.bpf.o
check wrong-argument-is-refused not exits 0
check wrong-argument-says-why says 'wrong arguments for function bm_take of module bm_bucket: write into map forbidden'
bucket=$(id_of bm_bucket) limit=$(id_of bm_limit) edge=$(id_of bm_edge)

# Who calls them
module list
check list-has-the-column grep -q 'LOADER  USED BY$' "$out"
check list-counts-functions grep -Eq "^$bucket +bm_bucket +live +2 +0 +0 +3 " "$out"
check list-has-no-blanks-at-the-end not grep -q ' $' "$out"
run used_by bm_bucket
check used-by-modules prints 'bm_limit, bm_edge'
run used_by bm_limit
check used-by-one prints bm_edge
run used_by bm_edge
check used-by-nobody prints ''
json list
check list-json field '[(m["name"], [u["module"] for u in m["used_by"]]) for m in d]' \
	"[('bm_bucket', ['bm_limit', 'bm_edge']), ('bm_limit', ['bm_edge']), ('bm_edge', [])]"
module show bm_bucket
check show-prototype grep -Eq '^funcs +int bm_take\(struct bm_key \*key, int n\) \(id [0-9]+, [0-9]+ bytes of stack\)$' "$out"
check show-sleepable grep -Eq ' int bm_refill\(unsigned int n\) \(id [0-9]+, [0-9]+ bytes of stack, sleepable\)$' "$out"
check show-caller grep -Eq "^ +called by bm_limited \(id [0-9]+\) of module bm_limit \(id $limit\)\$" "$out"
check show-other-caller grep -Eq "^ +called by bm_unlink \(id [0-9]+\) of module bm_edge \(id $edge\)\$" "$out"
check show-users grep -Eq '^users +2$' "$out"
check show-no-users-elsewhere not says elsewhere
json show bm_bucket
check show-json-callers field '[(f["name"], f["sleepable"], [c["module"] for c in f["callers"]]) for f in d["funcs"]]' \
	"[('bm_take', False, ['bm_limit']), ('bm_left', False, ['bm_edge']), ('bm_refill', True, [])]"
check show-json-prototype field 'd["funcs"][0]["prototype"]' 'int bm_take(struct bm_key *key, int n)'
module show bm_edge
check show-deps grep -Eq "^deps +bm_bucket \(id $bucket\)\$" "$out"
check show-deps-both grep -Eq "^ +bm_limit \(id $limit\)\$" "$out"
json show bm_edge
check show-json-deps field '[n["name"] for n in d["deps"]]' "['bm_bucket', 'bm_limit']"
module dump bm_bucket
check dump-functions test "$(sed -nE 's/^function ([a-z_]+) \(prog [0-9]+\)$/\1/p' "$out" | paste -sd ' ')" = 'bm_take bm_left bm_refill'
check dump-prototype says 'int bm_take(struct bm_key * key, int n):'
check dump-instructions test "$(grep -c '(95) exit$' "$out")" = 3
check dump-exits-0 exits 0
json dump bm_bucket
check dump-json field '[(f["name"], f["prog_id"] > 0, "(95) exit" in [i.get("disasm") for i in f["insns"]]) for f in d["funcs"]]' \
	"[('bm_take', True, True), ('bm_left', True, True), ('bm_refill', True, True)]"
run bpftool prog show name bm_take
check prog-show-type grep -Eq '^[0-9]+: module_func +name bm_take ' "$out"
check prog-show-module grep -qP '^\tmodule bm_bucket$' "$out"

# What is called stays
module unload bm_bucket
check callers-keep-it one_line "module bm_bucket is in use (2 users: module bm_limit (id $limit), module bm_edge (id $edge))"
check what-to-do says 'or unload with drain'
module load /objs/bpf_module_bucket.bpf.o replace bm_bucket
check it-is-not-replaced one_line 'has functions that 2 programs call'
check it-is-replaced-by-whom says "(module bm_limit (id $limit), module bm_edge (id $edge)); unload what calls its functions first"
bpftool prog load /objs/bpf_module_edge.bpf.o $pin
prog=$(prog_id)
run used_by bm_limit
check used-by-a-program prints "bm_edge, prog $prog"
module show bm_limit
check show-program grep -Eq "^ +called by bm_unlink \(id $prog\)\$" "$out"
json list
check list-json-of-a-program field '[(u["prog_id"], u["prog_name"]) for u in d[1]["used_by"] if "prog_id" in u]' \
	"[($prog, 'bm_unlink')]"
module unload bm_edge
check unload-caller exits 0
module unload bm_limit
check program-keeps-it one_line "module bm_limit is in use (1 user: program bm_unlink (id $prog))"
module unload bm_limit wait 0
check wait-times-out one_error 'module bm_limit still has 1 user'
module load /objs/bpf_module_edge.bpf.o
check going-is-not-there one_line 'needs module bm_limit (function bm_limited)'
module show bm_limit
check show-going-has-its-caller says "called by bm_unlink (id $prog)"
rm $pin
check it-goes-with-the-program gone bm_limit

# In whatever order they are given, and at once although programs are freed late
module load /objs/bpf_module_limit.bpf.o
module load /objs/bpf_module_edge.bpf.o
json unload bm_bucket bm_limit bm_edge
check unload-in-order field '[m["name"] for m in d]' "['bm_edge', 'bm_limit', 'bm_bucket']"
check unload-in-order-exits-0 exits 0
module load /objs/bpf_module_bucket.bpf.o
module load /objs/bpf_module_limit.bpf.o
module unload bm_limit
check unload-first exits 0
module unload bm_bucket
check unload-second exits 0
check nothing-is-left live ''

# What can be done without is there, but not as it is declared
cp /objs/bpf_module_log.bpf.o "$modules/bm_log.bpf.o"
module load bm_log
module load /objs/bpf_module_bucket.bpf.o
module load /objs/bpf_module_limit.bpf.o
check weak-of-another-prototype says "/objs/bpf_module_limit.bpf.o declares 'int bm_log(int)', but module bm_log has 'int bm_log(long)': argument 1 differs; as it is weak, it counts as missing"
check weak-of-another-prototype-loads exits 0
json unload bm_limit bm_bucket
module load /objs/bpf_module_limit.bpf.o
check it-is-not-the-reason one_line 'needs module bm_bucket (function bm_take); load it first'
module unload bm_log

# Who does not say that a function is a module's; names are compared as a whole
long=gate_has_seen_so_many_packets_that_nobody_could_count_them_by_hand_any_more
long=${long}_and_even_a_machine_would_have_to_take_its_time_if_it_did
module load /objs/bpf_module_gate.bpf.o gate_pass.dev=lo gate_pass.mode=generic
module load /objs/bpf_module_untagged.bpf.o
check hint-at-the-module one_line 'BPF module bm_gate exports a function of that name; to call it, declare it with __bpf_module("bm_gate")'
module info /objs/bpf_module_guest.bpf.o
check info-of-a-long-name says "$long of module bm_gate (loaded)"
module unload bm_gate
check nothing-is-left-again live ''

# An object of functions alone that declares no module is named after its file
cp /objs/bpf_module_bare.bpf.o $modules/bm_bare.bpf.o
module load bm_bare
check undeclared-module says 'Loaded module bm_bare (id '
check undeclared-module-has-its-functions says ' with functions '
module unload bm_bare
check undeclared-module-unloads exits 0

rm -r $modules
finish
