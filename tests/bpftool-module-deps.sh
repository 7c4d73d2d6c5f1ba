#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Modules that need others: these are told, loaded first and unloaded last, at boot as
# well; a cycle is an error that shows it.
. /tests/lib

modules=/run/bpf/modules
conf=/run/bpf/modules.d/deps.conf
pin=/sys/fs/bpf/bm_edge
cycle='bm_ring_a needs bm_ring_b needs bm_ring_a'

module() { run bpftool module "$@"; }
json() { run bpftool --json module "$@"; }
id_of() { bpftool module list | awk -v name="$1" '$2 == name { print $1 }'; }
live() { [ "$(bpftool module list | awk '$3 == "live" { print $2 }' | sort | paste -sd ' ')" = "$1" ]; }
# the last lines that "module deps" and "load" print, as "bm_a bm_b", without an optional one
order() { [ "$(awk 'NR > 1 && $2 != "bm_log" { print $2 }' "$out" | paste -sd ' ')" = "$1" ]; }
loads() { [ "$(sed -nE 's/^(Loaded|Would load) module ([a-z_]*) .*/\2/p' "$out" | paste -sd ' ')" = "$1" ]; }

mkdir -p $modules "${conf%/*}"
for name in bucket limit edge fails ring_a ring_b; do
	cp /objs/bpf_module_$name.bpf.o $modules/bm_$name.bpf.o
done
all='bm_bucket bm_limit bm_edge'

# In which order
module deps bm_edge
check deps-exits-0 exits 0
check deps-in-order order "$all"
check deps-of-one grep -Eq '^- +bm_limit +not loaded +(bm_bucket, bm_log \(optional\)|bm_log \(optional\), bm_bucket) +/run/bpf/modules/bm_limit.bpf.o$' "$out"
check deps-of-none grep -Eq '^- +bm_bucket +not loaded +/run/bpf/modules/bm_bucket.bpf.o$' "$out"
check deps-optional grep -Eq '^- +bm_log +missing$' "$out"
module deps /objs/bpf_module_edge.bpf.o
check deps-of-a-file order "$all"
json deps bm_edge
check deps-json field '[(m["name"], m["state"]) for m in d if m["name"] != "bm_log"]' \
	"[('bm_bucket', 'not loaded'), ('bm_limit', 'not loaded'), ('bm_edge', 'not loaded')]"
check deps-json-needs field 'sorted((n["name"], n["optional"]) for n in d[-2]["needs"])' \
	"[('bm_bucket', False), ('bm_log', True)]"
run setpriv --reuid=1000 --regid=1000 --clear-groups bpftool module deps bm_edge
check deps-without-privilege order "$all"
module deps nothing
check deps-of-nothing one_line 'no module nothing in the folders'
module deps bm_edge bm_limit
check deps-of-two not exits 0
module deps id 4711
check deps-of-no-id one_line 'no module with id 4711'

# A cycle
module deps bm_ring_a
check cycle-is-told one_line "$cycle"
json deps bm_ring_a
check cycle-json field "'$cycle' in d['error']" True
module load bm_ring_a
check cycle-is-not-loaded one_line "$cycle"
module load bm_ring_b dry-run
check cycle-from-the-other one_line 'bm_ring_b needs bm_ring_a needs bm_ring_b'
module list
check cycle-loads-nothing prints ''

# A library and its caller in one object
cp /objs/bpf_module_both.bpf.o $modules/bm_both.bpf.o
module load bm_both
check own-library one_line "needs module bm_both (function both_half), which /run/bpf/modules/bm_both.bpf.o has itself"
check own-library-what-to-do says 'put what calls it in an object of its own'
module deps bm_both
check deps-of-own-library one_line 'put what calls it in an object of its own'
mv $modules/bm_both.bpf.o $modules/bm_pair.bpf.o
module load bm_pair
check own-library-of-another-name one_line 'bm_pair.bpf.o has itself'
rm $modules/bm_pair.bpf.o
module list
check own-library-loads-nothing prints ''

# Loaded first, each with its own options
echo 'options bm_bucket bm_size=20' >$conf
module load bm_edge dry-run
check dry-run-tells-all loads "$all"
check dry-run-tells-what-is-not-checked says 'Not checked: its programs'
check dry-run-exits-0 exits 0
json load bm_edge dry-run
check dry-run-json field '[(m["name"], m["checked"]) for m in d]' "[('bm_bucket', True), ('bm_limit', False), ('bm_edge', False)]"
module list
check dry-run-loads-nothing prints ''
module load bm_edge
check load-in-order loads "$all"
check load-exits-0 exits 0
module show bm_bucket
check options-of-its-own says 'bm_size = 20'
module deps name bm_edge
check deps-of-the-loaded order "$all"
check deps-of-the-loaded-has-ids grep -Eq "^$(id_of bm_limit) +bm_limit +live +bm_bucket\$" "$out"
json deps id "$(id_of bm_limit)"
check deps-of-the-loaded-json field '[(m["name"], m["state"]) for m in d]' "[('bm_bucket', 'live'), ('bm_limit', 'live')]"
module deps bm_edge
check deps-tells-what-is-loaded grep -Eq "^$(id_of bm_limit) +bm_limit +live .*/run/bpf/modules/bm_limit.bpf.o\$" "$out"
ids=$(bpftool module list | awk '{ print $1, $2 }')
module load bm_edge
check loaded-already says 'is already loaded'
run bash -c "bpftool module list | awk '{ print \$1, \$2 }'"
check and-nothing-else-is prints "$ids"
module unload bm_edge
module load bm_edge
check what-is-there-is-used loads bm_edge
module load bm_fails
check refused says 'bm_fails'
check refused-fails not exits 0
check what-was-there-stays live 'bm_bucket bm_edge bm_limit'

# Unloaded last, what nobody uses any more
bpftool prog load /objs/bpf_module_edge.bpf.o $pin
module unload bm_edge deps
check what-is-used-stays-quietly grep -Eq '^Unloaded module bm_edge \(id [0-9]+\)$' "$out"
check only-one-is-told test "$(wc -l <"$out")" = 1
check what-is-used-is-no-error exits 0
check what-is-used-stays live 'bm_bucket bm_limit'
rm $pin
module load bm_edge
json unload bm_edge deps
check unload-deps field '[(m["name"], m["state"]) for m in d]' "[('bm_edge', 'gone'), ('bm_limit', 'gone'), ('bm_bucket', 'gone')]"
check unload-deps-exits-0 exits 0
check unload-deps-leaves-nothing live ''
module load bm_edge
module unload bm_edge deps wait 60
check unload-deps-after-waiting exits 0
check nothing-is-left live ''
module load bm_edge
module unload bm_edge
check without-the-word-they-stay live 'bm_bucket bm_limit'
module unload deps
check word-alone one_line "deps what? A module of that name is 'name deps'"
module unload bm_limit drain wait
check one-of-two-words one_line "what is 'wait'?"
module unload bm_limit deps drain deps
check no-word-twice one_line "what is 'deps'?"
module unload bm_limit drain deps
check words-in-any-order exits 0
check nothing-is-left-by-that live ''
module load bm_limit
module unload bm_limit wait deps
check seconds-are-left-out exits 0
check nothing-is-left-by-that-either live ''
module load bm_limit
module unload bm_limit deps drain
check unload-deps-drain exits 0
check nothing-is-left-again live ''

# A load that is refused takes back what was loaded for it
module load bm_fails
check taken-back-in-order test "$(sed -n 's/^Unloaded module \([a-z_]*\) .* again$/\1/p' "$out" | paste -sd ' ')" = 'bm_limit bm_bucket'
check refused-with-its-reason one_error "can't load module bm_fails"
check nothing-stays live ''
json load bm_fails
check refused-json field '[m.get("name", "error" in m) for m in d]' "['bm_bucket', 'bm_limit', True, 'bm_limit', 'bm_bucket']"
module load bm_bucket
module load bm_fails
check only-those-are-taken-back live bm_bucket
module unload bm_bucket

# What can't be had
mv $modules/bm_bucket.bpf.o $modules/away
module load bm_edge
check missing one_line 'needs module bm_bucket (function '
check missing-object says 'but there is no object of it in the folders bpf/modules of'
module deps bm_edge
check deps-missing grep -Eq '^- +bm_bucket +missing$' "$out"
check deps-missing-fails not exits 0
check deps-missing-says-so says 'module bm_bucket is not loaded, and there is no object of that name'
json deps bm_edge
check deps-missing-json field 'd[-1]["error"].startswith("module bm_bucket is not loaded")' True
cp /objs/bpf_module_params.bpf.o $modules/bm_bucket.bpf.o
module load bm_edge
check another-object one_line 'bm_bucket.bpf.o has no module of that name'
rm $modules/bm_bucket.bpf.o
check nothing-was-loaded live ''
mv $modules/away $modules/tokens.bpf.o
echo 'alias bm_bucket tokens' >>$conf
module load bm_edge
check alias-of-what-is-needed loads "$all"
module unload bm_edge deps
module load /objs/bpf_module_bucket.bpf.o
mv $modules/tokens.bpf.o $modules/away
module deps bm_edge
check deps-without-an-object grep -Eq '^[0-9]+ +bm_bucket +live$' "$out"
module load bm_edge
check loaded-is-enough loads 'bm_limit bm_edge'
module unload bm_edge deps
mv $modules/away $modules/bm_bucket.bpf.o

# A program that is freed some time after its link
module load /objs/bpf_module_bucket.bpf.o
module load /objs/bpf_module_raw.bpf.o
module unload bm_raw deps
check raw-tracepoint-and-library says 'Unloaded module bm_raw'
check library-of-a-raw-tracepoint says 'Unloaded module bm_bucket'

# At boot, also what would not be loaded for itself
printf 'load bm_edge\nload bm_bucket\nblacklist bm_limit\noptions bm_bucket bm_size=30\n' >$conf
module boot
check boot-in-order loads "$all"
check boot-exits-0 exits 0
module show bm_bucket
check boot-with-options says 'bm_size = 30'
module boot
check boot-again-is-quiet prints ''
module unload bm_edge deps
json boot
check boot-json field '[m["name"] for m in d]' "['bm_bucket', 'bm_limit', 'bm_edge', 'bm_bucket']"
module unload bm_edge deps
echo 'load bm_ring_a' >$conf
module boot
check boot-of-a-cycle one_line "$cycle"

# Who needs a library that waits for a network device waits with it
cp /objs/bpf_module_gate.bpf.o $modules/bm_gate.bpf.o
cp /objs/bpf_module_guest.bpf.o $modules/bm_guest.bpf.o
printf 'load bm_guest\noptions bm_gate gate_pass.dev=bm0 gate_pass.mode=generic\n' >$conf
module boot
check caller-waits prints 'Module bm_guest waits for network device bm0, as module bm_gate does, which it needs'
check caller-waits-is-no-failure exits 0
json boot
check caller-waits-json field 'd' "[{'name': 'bm_guest', 'waits_for_dev': 'bm0', 'as_needs': 'bm_gate'}]"
module load bm_guest
check person-is-told one_error 'failed to attach to bm0: No such device'
ip link add bm0 type dummy
module boot dev bm1
check another-device prints ''
module boot dev bm0
check device-appears loads 'bm_gate bm_guest'
check device-appears-exits-0 exits 0
module boot dev bm0
check device-appears-once prints ''
module unload bm_guest deps
check nothing-waits live ''
echo 'load bm_gate' >>$conf
ip link del bm0
module boot
check both-wait says 'Module bm_gate waits for network device bm0'
ip link add bm0 type dummy
module boot dev bm0
check both-are-loaded loads 'bm_gate bm_guest'
module unload bm_guest deps
ip link del bm0

rm -r $modules $conf
finish
