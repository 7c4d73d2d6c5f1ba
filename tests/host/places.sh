#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Wherever the repository lies, and whoever works in it: what needs no build of a
# kernel, in clones below /tmp and in a home, with what was built here. Root tries the
# home as a user who has no name, and is there for this test alone.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
. scripts/env

scratch=$(mktemp -d /tmp/places.XXXXXX)
if [ "$EUID" = 0 ]; then
	homes=$(mktemp -d /home/places.XXXXXX)
	user=(setpriv --reuid=61234 --regid=61234 --clear-groups)
	owner=61234
else
	homes=$(mktemp -d "$HOME/places.XXXXXX")
	user=()
	owner=$EUID
fi
home=$homes/user
chmod 755 "$scratch" "$homes"
trap 'chmod -R u+w "$scratch" "$homes"; rm -rf "$scratch" "$homes" "$out"' EXIT

# clone PLACE: with what is not committed yet
clone() {
	mkdir -p "$1" && git clone -q "$top" "$1" &&
		git ls-files -co --exclude-standard -z | rsync -a -0 --files-from=- --ignore-missing-args "$top/" "$1/" &&
		git -C "$1" status --porcelain >"$1.status"
}

# built PLACE: what the machine and some tests read of build/
built() {
	mkdir -p "$1/build"
	(cd build && cp -a --parents kernel/default/{arch/x86/boot/bzImage,mods} \
		tools/default/{bpftool,vmlinux.h,libbpf/libbpf.a,libbpf/include} \
		objs/{bpf_cubic,bpf_dctcp,bpf_cc_cubic,scx_simple}.bpf.o \
		linux/tools/{include,arch,bpf/bpftool/bash-completion} "$1/build/")
}

# at PLACE COMMAND...: there, by $who, in an environment with $path and little else
who=()
path=$PATH
at() { (cd "$1" && run "${who[@]}" env -i HOME="$home" PATH="$path" LANG=C.UTF-8 TIMEOUT=600 "${@:2}"; exit $status); }
# at_place COMMAND...: in $place, with the status in $status
at_place() {
	at "$place" "$@"
	status=$?
}

# quick NAME: what a clone at $place does
quick() {
	at_place make help
	check "$1-help" exits 0
	at_place scripts/test-tree
	check "$1-tree" exits 0
	at_place make -s vm CMD='bash /vm/tests /tests/guest.sh; bpftool module load /objs/bpf_cubic.bpf.o'
	check "$1-machine" exits 0
	check "$1-tests-in-the-guest-are-ok" not says 'not ok'
	check "$1-tests-in-the-guest-end" says 'done guest.sh'
	check "$1-loads-a-module" says 'Loaded module bpf_cubic'
	run git -C "$place" status --porcelain
	check "$1-work-tree-is-as-before" prints "$(cat "$place.status")"
}

place=$scratch/clone
check clone-below-tmp clone "$place" >"$out" 2>&1
check copy-of-what-is-built built "$place" >"$out" 2>&1
quick below-tmp

# A user's, below a folder that nobody writes to
place=$home/read-only/clone
check clone-in-a-home clone "$place" >"$out" 2>&1
built "$place"
chown -R "$owner" "$home"
chmod 700 "$home"
chmod 555 "${place%/*}"
[ "$EUID" != 0 ] || chown 0 "${place%/*}"
who=("${user[@]}")
quick in-a-home
at_place bash tests/host/objects.sh
check in-a-home-objects exits 0

# Packages, for a user: without sudo, with one that says no, and with one that does
bin=$scratch/bin
mkdir "$bin"
ln -s /usr/sbin/* /usr/bin/* "$bin/" 2>"$out"
rm -f "$bin/sudo"
echo bpf-modules-no-such >>"$place/base/packages"
install='apt-get install --no-install-recommends bpf-modules-no-such'
path=$bin
at_place scripts/packages
check no-sudo-one-line one_line "packages are missing; as root: $install"
printf '#!/bin/sh\nexit 1\n' >"$bin/sudo"
chmod 755 "$bin/sudo"
at_place scripts/packages
check sudo-refuses-one-line one_line "does not let"
check sudo-refuses-says-what-to-do says "as root: $install"
printf '#!/bin/sh\n[ "$1" = -n ] || echo "$@" >>%s/calls\n' "$home" >"$bin/sudo"
at_place scripts/packages
check sudo-installs exits 0
check sudo-was-asked grep -qx 'env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends bpf-modules-no-such' \
	"$home/calls"
rm "$bin/dpkg-query"
at_place scripts/packages
check no-debian-one-line one_line 'this is not Debian'
path=$PATH
git -c safe.directory='*' -C "$place" checkout -q base/packages

# What root or somebody else has built
touch "$place/build/log/theirs"
chmod 444 "$place/build/log/theirs"
at_place scripts/vm run true
check a-build-of-others-one-line one_line 'build/log/theirs belongs to'
rm -f "$place/build/log/theirs"
# and root, or oneself, in a clone of theirs
who=()
at_place bash -c '. scripts/env && git -C "$top" rev-parse HEAD'
check git-in-a-clone-of-others prints "$(git rev-parse HEAD)"



# A clone that was moved: what is in build/ names the place where it was before
place=$scratch/clone
echo /elsewhere >"$place/build/made-at"
at_place scripts/soak
check moved-one-line one_line 'build/ was made when the repository was in /elsewhere; make clean, and build again'
mkdir -p "$place"/build/{linux,base}
touch "$place/build/base.version"
at_place make clean
check clean-keeps-the-trees eval '[ "$(ls "$place/build" | paste -sd " ")" = "base base.version linux" ]'

# Where no kernel can be built one line says so, at once, and nothing is made
from=$scratch/clone
rm -rf "$from/build"
for char in ' ' : , \' '"' '$' '#' '&' ';' '(' '*' '%' '!' '\' $'\t'; do
	place="$scratch/a${char}b"
	mv "$from" "$place"
	from=$place
	at_place scripts/build-kernel
	check "refuses-$char" one_line "a path must not have '$char' in it"
	at_place make demo
	check "demo-refuses-$char" says "a path must not have '$char' in it"
	check "demo-fails-$char" exits 2
	check "makes-nothing-$char" not test -e "$place/build"
done
place="$scratch/a b"
mv "$from" "$place"
for verb in demo test test-kernels test-upstream soak coverage bench check opinions fuzz bugs vm shell kernel tools \
	selftests deb series menuconfig; do
	at_place make "$verb" CMD=true
	check "$verb-says-it-first" eval 'head -n 1 "$out" | grep -q "a path must not have"'
	check "$verb-fails" exits 2
	check "$verb-makes-nothing" not test -e "$place/build"
done
at_place make help
check help-is-there-all-the-same exits 0
finish
