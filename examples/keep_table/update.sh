#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# update.sh MODULE MAP[,MAP]... FILE [PARAM=VALUE]...: put a new version in the place of
# a module, with the content of its maps, and show the first of them
set -e
module=$1
maps=$2
file=$3
shift 3
bpftool module load "$file" replace "$module" reuse "$maps" "$@"
bpftool module list
bpftool map dump name "${maps%%,*}"
