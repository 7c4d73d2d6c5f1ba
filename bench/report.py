#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""report.py table DIR | picture DIR | check FILE | expect FILE: what scripts/bench has measured.

table prints it, and writes bench.json and bench.svg to DIR; picture draws that again
from bench.json; check compares FILE with the counts in bench/expected, expect writes
them there.
"""
import json
import pathlib
import subprocess
import sys

EXPECTED = pathlib.Path(__file__).parent / "expected"
TOLERANCE = 0.02
GUARDED = ("call.", "load.")

CALL = "callback, %s arguments, %s%s%s: instructions beyond the same function in C"


def rows():
    """name, what it is, target of the ratio to stock or None"""
    for kind, kind_text in (("plain", ""), ("sleep", ", sleepable")):
        for ret, ret_text in (("void", "void"), ("int", "returning")):
            for args in (0, 1, 3, 4, 5):
                for stats, stats_text in (("", ""), (".stats", ", statistics on")):
                    target = 1.00 if stats else None
                    if kind == "plain" and not stats and args in (0, 1, 4):
                        target = 0.30
                    yield (f"call.{kind}.{ret}.{args}{stats}",
                           CALL % (args, ret_text, kind_text, stats_text), target)
    for name, text, target in (("1x8", "1 op with 8 programs", 0.50),
                               ("1x33", "1 op with 33 programs", None),
                               ("8x8", "8 ops with 8 programs each", 0.35)):
        yield f"load.{name}", f"LOAD, or create + update + link: {text}, instructions", target
        yield (f"unload.{name}", f"UNLOAD until the call returns: {text}, instructions",
               1.00 if name == "8x8" else None)
    yield "back.1x8", "unload 1 op with 8 programs until the memory is back, ns", None
    yield "unload.100", "100 unloads in a row until the last call returns, ns", 1.00
    yield "back.100", "100 unloads in a row until all memory is back, ns", 0.10
    for name, text, target in (("1", "bench_ops with 1 callback", None),
                               ("tcp8", "congestion control with 8 callbacks", 0.30),
                               ("33", "33 callbacks, as many as sched_ext_ops has", 0.25)):
        yield f"memory.{name}", f"memory: {text}, bytes", target
        for part, part_text in (("slab", "slab"), ("vmalloc", "vmalloc"), ("percpu", "per-CPU"),
                                ("exec", "executable"), ("free", "MemFree's fall, a cross-check"),
                                ("claim", "what the object claims")):
            yield f"memory.{name}.{part}", f"  of it {part_text}" if part in (
                "slab", "vmalloc", "percpu", "exec") else f"  beside it {part_text}", None
    for count in (8, 64):
        yield f"links.keep.{count}", f"LOAD, or pins: {count} fentry links, instructions", 0.50
        yield f"links.return.{count}", f"UNLOAD, or unlink() until the calls return: {count} links, ns", None
    yield "links.run", "call of a function with an attached program, instructions", 1.00
    for name, text in (("own", "of the caller's own object"), ("tail", "by a tail call"),
                       ("freplace", "by extension of a global function (freplace)"),
                       ("kernel", "of a kernel module (kfunc)")):
        yield f"func.call.{name}", f"call of a function {text}, instructions", None
    yield ("func.memory",
           "100 callers of 4 KiB of code, exported by a module, or linked into each: executable bytes", 0.05)
    yield "func.load", "load of a program that calls, or contains, 4 KiB of code, instructions", 1.00
    yield "func.load.small", "load of a program that calls, or contains, two instructions, instructions", None
    for count in (10, 100, 1000, 10000):
        yield f"scale.load.{count}", f"the next load at {count} modules, instructions", None
        # A module tells 152 bytes of itself, a map 88: copying them is the difference
        yield f"scale.list.{count}", f"list at {count} modules, instructions per module", 1.06
        yield f"scale.unload.{count}", f"the next unload at {count} modules, instructions", None
    for name, text, target in (("connection", "connection opened and closed, instructions", None),
                               ("byte", "bulk, instructions per byte", 1.00)):
        yield f"tcp.{name}.bpf", f"TCP through BPF cubic: {text}", target
        yield f"tcp.{name}.builtin", f"TCP through built-in cubic: {text}", None


def read(path):
    """the numbers of one boot"""
    numbers = {}
    for line in path.read_text().splitlines():
        name, _, number = line.partition("\t")
        if number:
            numbers[name] = float(number)
    return numbers


def boots(folder, kernel):
    """first boot's numbers, and by how much of it the others differ"""
    runs = [read(path) for path in sorted(folder.glob(f"{kernel}.[0-9]*.tsv"))]
    if not runs:
        sys.exit(f"bench: no results of {kernel}")
    spread = {name: (max(run[name] for run in runs) - min(run[name] for run in runs)) / number
              if number else 0.0 for name, number in runs[0].items()}
    return runs[0], spread


def collect(folder):
    """the rows of the table as a list of dicts"""
    ours, ours_spread = boots(folder, "default")
    stock, stock_spread = boots(folder, "stock")
    table = []

    def add(name, text, mine, other, target, spread):
        ratio = mine / other if other else None
        table.append({"row": name, "what": text, "ours": mine, "stock": other, "ratio": ratio,
                      "target": target, "spread": spread,
                      # as it is shown
                      "missed": target is not None and (ratio is None or round(ratio, 3) > target)})

    for name, text, target in rows():
        add(name, text, ours[name], stock[name], target,
            max(ours_spread[name], stock_spread[name]))
    for count in (8, 64):
        row = f"links.unhook.{count}"
        # UNLOAD returns when no program runs any more: one grace period behind the last hook
        grace = ours[f"links.return.{count}"] - ours[row]
        add(row, f"unload, or unpin, {count} fentry links until no hook is left, ns",
            ours[row], stock[row], 1.00 + grace / stock[row], max(ours_spread[row], stock_spread[row]))
    own = stock["func.call"]
    add("func.call", "call of a function that a module exports, or of one's own object, instructions",
        ours["func.call"], own, 1.00 + 2 / own, max(ours_spread["func.call"], stock_spread["func.call"]))
    add("scale.ratio", "the next load at 10000 modules (ours) to that at 10 (stock's column)",
        ours["scale.load.10000"], ours["scale.load.10"], 1.10,
        max(ours_spread["scale.load.10000"], ours_spread["scale.load.10"]))
    add("tcp.connection", "connection through BPF cubic (ours) to one through the built-in (stock's)",
        ours["tcp.connection.bpf"], ours["tcp.connection.builtin"], 1.01,
        max(ours_spread["tcp.connection.bpf"], ours_spread["tcp.connection.builtin"]))
    for kind, title, keeps_target in (("off", "mitigations off", True), ("wall", "wall time", False)):
        files = [folder / f"{kernel}.{kind}.tsv" for kernel in ("default", "stock")]
        if not all(path.exists() for path in files):
            continue
        ours, stock = map(read, files)
        for name, text, target in rows():
            if name in ours and name in stock:
                text = text.replace("instructions", "ticks") if kind == "wall" else text
                add(f"{kind}.{name}", f"{title}: {text}", ours[name], stock[name],
                    target if keeps_target else None, 0.0)
    return table


# What the picture shows, from above: the row, what it is to people, and the unit.
# Rows that compare ours with ours are in the table only.
PICTURE = (
    ("call.plain.void.0", "call a callback without arguments", "instructions"),
    ("call.plain.int.4", "call one with 4 arguments", "instructions"),
    ("load.1x8", "load an op with 8 programs", "instructions"),
    ("load.8x8", "load 8 ops with 8 programs each", "instructions"),
    ("unload.8x8", "unload 8 ops", "instructions"),
    ("unload.100", "unload 100 times", "ms"),
    ("back.100", "... until all memory is free", "ms"),
    ("memory.tcp8", "memory of a congestion control", "bytes"),
    ("memory.33", "memory of 33 callbacks", "bytes"),
    ("links.keep.64", "keep 64 programs attached", "instructions"),
    ("links.unhook.64", "detach 64 programs", "ms"),
    ("links.run", "call a function that is traced", "instructions"),
    ("func.call", "call a function of a library", "instructions"),
    ("func.memory", "memory of 100 users of 4 KiB of code", "bytes"),
    ("func.load", "load one of these users", "instructions"),
    ("scale.list.10000", "list 10,000, each", "instructions"),
    ("tcp.byte.bpf", "send a byte by TCP", "instructions"),
)


def amount(number, unit):
    """as people write it"""
    number /= 1e6 if unit == "ms" else 1
    return f"{number:,.0f}" if number >= 20 else f"{number:.3g}"


def draw(table, path):
    """a bar for each row of PICTURE that was measured, as a share of what stock takes"""
    measured = {row["row"]: row for row in table if row["ratio"] is not None}
    shown = [(text, unit, measured[name]) for name, text, unit in PICTURE if name in measured]
    data = "\n".join(f'{-n} {row["ratio"]:.4f} "{text}" "{row["ratio"]:.2f}" '
                     f'"{amount(row["ours"], unit)} beside {amount(row["stock"], unit)} {unit}"'
                     for n, (text, unit, row) in enumerate(shown))
    script = f"""$rows << END
{data}
END
set terminal svg size 1080,{110 + 30 * len(shown)} background "white" font "sans,14"
set output "{path.name}"
set title "What a BPF module takes, beside stock's struct_ops maps and pins: shorter is better" offset 0,1 noenhanced
set label 1 "stock" at first 1, graph 1.025 center
set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead linewidth 2 linecolor "#c04000" front
set xrange [0:2.15]
set yrange [{0.6 - len(shown)}:0.6]
set xtics 0,0.25,1 scale 0
set ytics scale 0 noenhanced
set grid x
set border 2
set style fill solid noborder
unset key
plot $rows using (0):1:(0):2:($1-0.35):($1+0.35):ytic(3) with boxxyerror linecolor "#7fa7d0", \\
     $rows using ($2 > 0.85 && $2 < 1 ? 1 : $2):1:4 with labels left offset 0.5,0, \\
     $rows using (1.2):1:5 with labels left noenhanced
"""
    try:
        subprocess.run(["gnuplot"], input=script, text=True, check=True, cwd=path.parent)
    except FileNotFoundError:
        print("bench: the picture: not run, gnuplot is not installed", file=sys.stderr)


def picture(folder):
    """draw it again"""
    draw(json.loads((folder / "bench.json").read_text()), folder / "bench.svg")
    return 0


def table_of(folder):
    """print and write the table; 1 when a target is missed"""
    table = collect(folder)
    number = "{:,.2f}".format
    print(f"{'row':27} {'ours':>14} {'stock':>14} {'ratio':>6} {'target':>6} {'differs':>7}")
    for row in table:
        ratio = f"{row['ratio']:.3f}" if row["ratio"] is not None else "-"
        target = f"{row['target']:.2f}" if row["target"] is not None else ""
        print(f"{row['row']:27} {number(row['ours']):>14} {number(row['stock']):>14} {ratio:>6} "
              f"{target:>6} {row['spread']:7.2%} {'missed' if row['missed'] else '      '}  {row['what']}")
    if not (folder / "default.off.tsv").exists():
        print("mitigations off: not run, the kernel is built without any (CONFIG_CPU_MITIGATIONS)")
    missed = [row["row"] for row in table if row["missed"]]
    print(f"{sum(row['target'] is not None for row in table)} targets, {len(missed)} missed")
    (folder / "bench.json").write_text(json.dumps(table, indent=1) + "\n")
    draw(table, folder / "bench.svg")
    return 1 if missed else 0


def expect(path):
    """keep the counts that repeat"""
    kept = [f"{name}\t{number:.2f}" for name, number in read(path).items()
            if name.startswith(GUARDED)]
    EXPECTED.write_text("# SPDX-License-Identifier: GPL-2.0\n"
                        "# Instructions on the default kernel; \"scripts/bench expect\" writes them anew.\n" +
                        "\n".join(kept) + "\n")
    return 0


def check(path):
    """one "ok" or "not ok" for each count that is kept"""
    numbers = read(path)
    bad = 0
    for name, kept in read(EXPECTED).items():
        if name not in numbers:
            print(f"not ok {name}: not measured")
            bad += 1
        elif abs(numbers[name] - kept) > kept * TOLERANCE:
            # Fewer fails too: the old number would let them come back unseen.
            print(f"not ok {name}: {numbers[name]:.2f} instructions, {kept:.2f} expected; "
                  f"if it has to be so, scripts/bench expect")
            bad += 1
        else:
            print(f"ok {name}")
    return 1 if bad else 0


def main():
    """see above"""
    verb, path = sys.argv[1], pathlib.Path(sys.argv[2])
    sys.exit({"table": table_of, "picture": picture, "check": check, "expect": expect}[verb](path))


main()
