#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A policy for the handshakes of SMC as a module: each network namespace that has
# chosen it is a user, and connections are SMC or fall back to TCP as it says
. /tests/lib

object=/objs/bpf_smc.bpf.o

module() { run bpftool module "$@"; }
user() {
	local caps=$1
	shift
	run setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" "$@"
}

user +bpf,+perfmon bpftool module load $object
check without-net-admin-is-refused one_line 'op linkcheck (smc_hs_ctrl): needs CAP_NET_ADMIN'
module list
check refused-is-not-listed prints ''
# links of a process that has ended go a moment later
unlinked() {
	for _ in {1..600}; do
		run bpftool link show
		says tracing || return 0
		sleep 0.1
	done
	return 1
}
check refused-leaves-no-link unlinked
user +bpf,+perfmon,+net_admin bpftool module load $object
check net-admin-is-enough exits 0
module unload bpf_smc
check unloads exits 0

module load $object
check loads exits 0
module list
check is-listed grep -Eq '^[0-9]+ +bpf_smc +live +0 +1 +3 ' "$out"
module show bpf_smc
check type-is-shown says smc_hs_ctrl
module load $object name second
check name-of-another-is-refused one_line 'op linkcheck (smc_hs_ctrl): the subsystem has one of that name already'
module load $object name second linkcheck.name=other
check another-name-loads exits 0
module unload second
check another-name-unloads exits 0
run sysctl -w net.smc.hs_ctrl=other
check unloaded-is-unknown not exits 0

run unshare -n python3 - <<'END'
import json, os, pathlib, socket, struct, subprocess, time

MODULE = 'bpf_smc'
sysctl = pathlib.Path('/proc/sys/net/smc/hs_ctrl')

def tell(what, value):
    print(f'{what}: {value}', flush=True)

def bpftool(*words):
    return json.loads(subprocess.run(['bpftool', '--json', *words], check=True,
                                     stdout=subprocess.PIPE).stdout)

def module():
    d = bpftool('module', 'show', MODULE)
    return d[0] if type(d) is list else d

def maps():
    """the module's maps by the end of their names"""
    return {m['name'].split('.')[-1]: m['id'] for m in bpftool('map', 'show')
            if MODULE in (o['name'] for o in m.get('modules', []))}

def counter(name):
    dump = bpftool('map', 'dump', 'id', str(maps()['bss']))
    return next(v[name] for section in dump[0]['formatted']['value'].values()
                for v in section if name in v)

# An id for the loopback device of DIBS, without which SMC does not use it
def ueid(command):
    def attribute(kind, data):
        return struct.pack('=HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)

    def request(netlink, family, command, version, data):
        body = struct.pack('=BBH', command, version, 0) + data
        netlink.send(struct.pack('=IHHII', 16 + len(body), family, 5, 1, 0) + body)
        return netlink.recv(65536)

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as netlink:
        netlink.bind((0, 0))
        answer = request(netlink, 16, 3, 1, attribute(2, b'SMC_GEN_NETLINK\0'))
        at = 20
        family = None
        while at + 4 <= struct.unpack_from('=I', answer)[0]:
            length, kind = struct.unpack_from('=HH', answer, at)
            if kind == 1:
                family = struct.unpack_from('=H', answer, at + 4)[0]
            at += length + 3 & ~3
        netlink.recv(65536)     # the acknowledgement
        name = b'SMC-BPFTEST-UEID'.ljust(32)
        answer = request(netlink, family, command, 1, attribute(1, name + b'\0'))
        return -struct.unpack_from('=i', answer, 16)[0]

def connect(client, server):
    """a connection of TCP, which the module's program makes one of SMC: how many sockets
    were SMC, of its two, and how many clients fell back to TCP
    """
    before = counter('smc_cnt'), counter('fallback_cnt')
    listener = socket.create_server((server, 0))
    s = socket.socket()
    s.settimeout(60)
    s.bind((client, 0))
    s.connect(listener.getsockname())
    s.sendall(b'x' * 4096)
    peer = listener.accept()[0]
    peer.settimeout(60)
    got = 0
    while got < 4096:
        got += len(peer.recv(4096 - got))
    s.close()
    peer.close()
    listener.close()
    return counter('smc_cnt') - before[0], counter('fallback_cnt') - before[1]

def refuse(client, server):
    key = socket.inet_aton(client) + socket.inet_aton(server)
    subprocess.run(['bpftool', 'map', 'update', 'id', str(maps()['smc_policy_ip']),
                    'key', *map(str, key), 'value', '0'], check=True)

for command in ('ip', 'link', 'set', 'lo', 'up'), \
               ('ip', 'addr', 'add', '127.0.1.0/8', 'dev', 'lo'), \
               ('ip', 'addr', 'add', '127.0.2.0/8', 'dev', 'lo'):
    subprocess.run(command, check=True)
tell('ueid', ueid(11) and 'was none' or 'was one')
tell('ueid added', ueid(10))

tell('users before', module()['users'])
tell('not chosen', connect('127.0.0.1', '127.0.1.0'))
sysctl.write_text('linkcheck')
tell('chosen', sysctl.read_text().strip())
tell('users with it', module()['users'])
out = subprocess.run(['bpftool', 'module', 'unload', MODULE], stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT, text=True)
tell('unload', out.stdout.strip())

tell('smc', connect('127.0.0.1', '127.0.1.0'))
refuse('127.0.0.1', '127.0.2.0')
tell('smc to another', connect('127.0.0.1', '127.0.1.0'))
tell('fallback', connect('127.0.0.1', '127.0.2.0'))

# Draining: the namespace keeps it, and nobody else gets it
subprocess.run(['bpftool', 'module', 'unload', MODULE, 'drain'], check=True,
               stdout=subprocess.DEVNULL)
tell('draining', module()['state'])
tell('still chosen', sysctl.read_text().strip())
again = subprocess.run(['unshare', '-n', 'sysctl', '-w', 'net.smc.hs_ctrl=linkcheck'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
tell('another namespace', again.returncode)
sysctl.write_text('\n')
end = time.monotonic() + 60
while any(m['name'] == MODULE for m in bpftool('module', 'list')) and time.monotonic() < end:
    time.sleep(0.1)
tell('drained', not any(m['name'] == MODULE for m in bpftool('module', 'list')))
ueid(11)
END
check script-ends-well exits 0
check ueid-is-added grep -Fxq 'ueid added: 0' "$out"
check nobody-at-first grep -Fxq 'users before: 0' "$out"
check not-chosen-is-tcp grep -Fxq 'not chosen: (0, 0)' "$out"
check namespace-chooses-it grep -Fxq 'chosen: linkcheck' "$out"
check namespace-is-a-user grep -Fxq 'users with it: 1' "$out"
check used-one-is-not-unloaded grep -Eq '^unload: Error: module bpf_smc is in use \(1 user\)' "$out"
check connection-is-smc grep -Fxq 'smc: (2, 0)' "$out"
check others-stay-smc grep -Fxq 'smc to another: (2, 0)' "$out"
check refused-falls-back grep -Fxq 'fallback: (2, 1)' "$out"
check drain-makes-it-going grep -Fxq 'draining: going' "$out"
check namespace-keeps-it grep -Fxq 'still chosen: linkcheck' "$out"
check going-takes-no-user grep -Eq '^another namespace: [1-9]' "$out"
check goes-with-its-user grep -Fxq 'drained: True' "$out"

# A namespace that ends puts it
module load $object
check loads-again exits 0
run unshare -n sysctl -w net.smc.hs_ctrl=linkcheck
check short-lived-namespace exits 0
# "wait" drains, so that it must not come before the namespace is gone
unused() {
	for _ in {1..600}; do
		bpftool module list | grep -Eq '^[0-9]+ +bpf_smc +live +0 ' && return
		sleep 0.1
	done
	module list
	return 1
}
check ended-namespace-is-no-user unused
module unload bpf_smc
check unloads-at-last exits 0
module list
check nothing-is-listed prints ''
finish
