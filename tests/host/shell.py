#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Types into "make shell" and reads what it shows: a line for each check."""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PROMPT = r"bpf:\S*# $"
shown = ""		# since the last look
bad = 0


def see(pattern, seconds=120):
    """read on until the pattern is seen, whose end is where the next look begins"""
    global shown
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = re.search(pattern, shown)
        if found:
            shown = shown[found.end():]
            return found
        if select.select([terminal], [], [], 1)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                return None
            # neither colours nor the other words of the terminal
            shown += re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", data.decode(errors="replace"))
    return None


def check(name, pattern, keys=None):
    """type the keys, and see the pattern"""
    global bad
    if keys is not None:
        os.write(terminal, keys.encode())
    found = see(pattern)
    if found:
        print(f"ok {name}", flush=True)
        return found
    bad = 1
    print(f"not ok {name}: no {pattern!r}")
    print("".join(f"# {line}\n" for line in shown.splitlines()[-20:]), end="", flush=True)
    return None


child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execvp("make", ["make", "-s", "shell"])

greeting = check("greets", r"(?m)^(?:.+\n){5}(?=bpf:)", None)
lines = greeting[0].splitlines() if greeting else []
check("prompt", PROMPT)
check("completes-the-verb", "bpftool module $", "bpftool mod\t")
check("completes-the-command", "load $", "lo\t")
check("completes-a-file", r"/objs/bpf_cubic\.bpf\.o $", "/objs/bpf_cub\t")
check("loads", "Loaded module bpf_cubic", "\r")
check("prompt-again", PROMPT)
check("completes-a-module", "unload bpf_cubic $", "bpftool module unload bpf_c\t")
check("unloads", "Unloaded module bpf_cubic", "\r")
check("prompt-once-more", PROMPT)
check("completes-others", "mount --bind $", "mount --bin\t")
os.write(terminal, b"\x15")		# and takes the line away again

tries = [line.strip() for line in lines if line.startswith("  ")]
if len(tries) != 4:
    print(f"not ok four-things-to-try: {tries}")
    bad = 1
for n, command in enumerate(tries, 1):
    last = command.endswith("&& exit")
    # what is typed is shown, and is not what the command prints
    check(f"try-{n}", "exit|logout" if last else f"status{n}=0\n", f"{command}; echo status{n}=$?\r")
    if not last:
        check(f"prompt-{n}", PROMPT)

# The end of the machine is that of the terminal, in a minute; else it is hung up on
end = time.monotonic() + 60
try:
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0] and not os.read(terminal, 4096):
            break
except OSError:
    pass
os.close(terminal)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("ok exit-ends-it" if status == 0 else f"not ok exit-ends-it: status {status}")
sys.exit(bad or status)
