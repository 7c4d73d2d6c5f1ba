#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The picture of make bench, from figures made up: each row once, in words, with its
# values, and stock as a line
cd "$(dirname "$0")/../.." || exit 1
. tests/lib
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out"' EXIT

row() { printf '{"row": "%s", "ours": %s, "stock": %s, "ratio": %s, "target": 1}' "$@"; }
echo "[$(row load.1x8 40123 160492 0.25), $(row off.load.1x8 41000 164000 0.25), $(row func.call 11 10.9 1.009)," \
	"$(row back.100 26600000 269300000 0.0988), $(row scale.ratio 5 5 1)]" >"$scratch/bench.json"
run bench/report.py picture "$scratch"
check draws exits 0
check says-nothing prints ''
run grep -oE '>[^<]+</text>|<tspan[^>]*>[^<]+' "$scratch/bench.svg"
words=$(sed 's/<[^>]*>//g; s/^>//' "$out")
echo "$words" >"$out"
once() { [ "$(grep -cF -- "$1" "$out")" = 1 ]; }
check row-in-words once 'load an op with 8 programs'
check another-row-in-words once 'call a function of a library'
check values once '40,123 beside 160,492 instructions'
check small-values once '11 beside 10.9 instructions'
check time-in-ms once '27 beside 269 ms'
check ratio once '1.01'
check stock-is-a-line eval '[ "$(grep -cx stock "$out")" = 1 ]'
check no-names-of-rows not says 'load.1x8'
check only-what-compares-with-stock not says '5 beside 5'
# each row that the picture knows is one that is measured
run python3 - <<'END'
import re, pathlib
text = pathlib.Path("bench/report.py").read_text()
namespace = {"__file__": "bench/report.py"}
exec(text.replace("\nmain()\n", "\n"), namespace)
known = {row[0] for row in namespace["rows"]()} | set(re.findall(r'add\(f?"([a-z.0-9]+)"', text))
known |= {f"links.unhook.{count}" for count in (8, 64)}
names = [name for name, _, _ in namespace["PICTURE"]]
print(sorted(set(names) - known), len(names) - len(set(names)))
END
check every-row-is-measured-and-once prints '[] 0'
finish
