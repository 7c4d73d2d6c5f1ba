#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who holds the default congestion control of a network namespace, and until when:
# each end of a connection and the listener do, a socket that nobody has open does
# as long as its data are on their way, and one in TIME-WAIT does not
. /tests/lib

bpftool module load /objs/bpf_cubic.bpf.o >/dev/null
run python3 - <<'END'
import json, pathlib, socket, subprocess, time

name = 'bpf_cubic'

def users():
    out = subprocess.run(['bpftool', '--json', 'module', 'show', name],
                         stdout=subprocess.PIPE, check=True).stdout
    d = json.loads(out)
    return (d[0] if type(d) is list else d)['users']

def states():
    out = subprocess.run(['ss', '-Htan'], stdout=subprocess.PIPE, check=True, text=True).stdout
    return sorted(line.split()[0] for line in out.splitlines())

def settle(expected):
    """how many users there are, at most ten seconds after that should be it"""
    end = time.monotonic() + 10
    while users() != expected and time.monotonic() < end:
        time.sleep(0.02)
    return users()

def tell(what, value):
    print(f'{what}: {value}', flush=True)

def connection(family):
    listener = socket.create_server(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0),
                                    family=family)
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    return listener, client, server

def set_default(name):
    sysctl = pathlib.Path('/proc/sys/net/ipv4/tcp_congestion_control')
    old = sysctl.read_text()
    sysctl.write_text(name)
    return old

tell('before', users())
old_default = set_default(name)
tell('default', users())

for family in socket.AF_INET, socket.AF_INET6:
    v = 4 if family == socket.AF_INET else 6

    # the default, a listener, two ends
    listener, client, server = connection(family)
    tell(f'v{v} open', users())

    # the server is in FIN-WAIT-2 and its fd is closed: a mini socket is left, unless
    # the last ACK came while the socket was locked, which keeps it, and is rare
    server.close()
    for _ in range(5):
        if settle(3) == 3:
            break
        for s in client, listener:
            s.close()
        settle(1)
        listener, client, server = connection(family)
        server.close()
    tell(f'v{v} one end closed', users())
    tell(f'v{v} states', ' '.join(states()))
    client.close()
    tell(f'v{v} both ends closed', settle(2))
    listener.close()
    tell(f'v{v} all closed', settle(1))

    # data that the peer does not take: the socket outlives its fd, and counts
    listener, client, server = connection(family)
    client.setblocking(False)
    try:
        while True:
            client.send(b'x' * 65536)
    except BlockingIOError:
        pass
    client.close()
    time.sleep(0.5)
    tell(f'v{v} orphan', users())
    tell(f'v{v} orphan states', ' '.join(states()))
    server.close()
    tell(f'v{v} orphan ended', settle(2))
    listener.close()
    tell(f'v{v} orphan all closed', settle(1))

    # many flows, ended by either side first
    for i in range(40):
        listener, client, server = connection(family)
        client.sendall(b'x' * 4096)
        server.recv(4096)
        for s in (client, server, listener) if i % 2 else (server, listener, client):
            s.close()
    tell(f'v{v} forty flows', settle(1))
    tell(f'v{v} forty states', ' '.join(sorted(set(states()))))

set_default(old_default)
tell('after', users())
END
check script-ends-well exits 0
check nobody-at-first grep -Fxq 'before: 0' "$out"
check default-is-a-user grep -Fxq 'default: 1' "$out"
for v in v4 v6; do
	check "$v-each-socket-is-a-user" grep -Fxq "$v open: 4" "$out"
	check "$v-mini-socket-is-none" grep -Fxq "$v one end closed: 3" "$out"
	check "$v-mini-socket-was-there" grep -Eq "^$v states: .*FIN-WAIT-2" "$out"
	check "$v-both-closed" grep -Fxq "$v both ends closed: 2" "$out"
	check "$v-listener-closed" grep -Fxq "$v all closed: 1" "$out"
	check "$v-orphan-is-a-user" grep -Fxq "$v orphan: 4" "$out"
	check "$v-orphan-was-there" grep -Eq "^$v orphan states: .*FIN-WAIT-1" "$out"
	check "$v-orphan-ends" grep -Fxq "$v orphan ended: 2" "$out"
	check "$v-orphan-all-closed" grep -Fxq "$v orphan all closed: 1" "$out"
	check "$v-no-flow-leaves-a-user" grep -Fxq "$v forty flows: 1" "$out"
	check "$v-time-wait-is-no-user" grep -Eq "^$v forty states: .*TIME-WAIT" "$out"
done

check nobody-at-last grep -Fxq 'after: 0' "$out"
run bpftool module unload bpf_cubic
check unloads exits 0
finish
