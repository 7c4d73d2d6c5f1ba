#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# replace.sh MODULE FILE [PARAM=VALUE]...: put a new version, or other parameters,
# in the place of a module that is in use, and show both
set -e
module=$1
file=$2
shift 2
bpftool module load "$file" replace "$module" "$@"
bpftool module list
bpftool module show "$module"
