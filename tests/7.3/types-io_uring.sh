#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The loop of a ring as a module: it needs no capability but those of its program, has no
# users, and ends with its ring
. /tests/lib

run python3 - <<'END'
import ctypes, json, mmap, os, signal, struct, subprocess, sys, time

OBJECT = '/objs/types_io_uring.bpf.o'
SINGLE_ISSUER, DEFER_TASKRUN, NO_SQARRAY = 1 << 12, 1 << 13, 1 << 16
GETEVENTS = 1

libc = ctypes.CDLL(None, use_errno=True)

def tell(what, value):
    print(f'{what}: {value}', flush=True)

class Ring:
    def __init__(self, flags=SINGLE_ISSUER | DEFER_TASKRUN):
        params = bytearray(120)
        struct.pack_into('<I', params, 8, flags | NO_SQARRAY)
        buf = (ctypes.c_char * 120).from_buffer(params)
        self.fd = libc.syscall(425, 8, buf)
        if self.fd < 0:
            sys.exit(f'io_uring_setup: {os.strerror(ctypes.get_errno())}')
        _, self.sq_tail, self.mask_at = struct.unpack_from('<III', params, 40)
        self.cq_head, self.cq_tail = struct.unpack_from('<II', params, 80)
        self.rings = mmap.mmap(self.fd, 4096, mmap.MAP_SHARED, offset=0)
        self.sqes = mmap.mmap(self.fd, 4096, mmap.MAP_SHARED, offset=0x10000000)
        self.mask = self.get(self.mask_at)

    def get(self, at):
        return struct.unpack_from('<I', self.rings, at)[0]

    def queue(self, count):
        """requests that do nothing but complete"""
        tail = self.get(self.sq_tail)
        for i in range(count):
            struct.pack_into('<64x', self.sqes, ((tail + i) & self.mask) * 64)
        struct.pack_into('<I', self.rings, self.sq_tail, tail + count)

    def enter(self, to_submit=0, flags=0):
        done = libc.syscall(426, self.fd, to_submit, 0, flags, None, 0)
        return done if done >= 0 else os.strerror(ctypes.get_errno())

    def completed(self):
        """how many there were since the last time"""
        head, tail = self.get(self.cq_head), self.get(self.cq_tail)
        struct.pack_into('<I', self.rings, self.cq_head, tail)
        return tail - head

    def close(self):
        self.rings.close()
        self.sqes.close()
        os.close(self.fd)

def load(ring_fd, *words, keep=(), caps='+bpf,+perfmon'):
    """as a user who has no more than these; bpftool gets the ring"""
    done = subprocess.run(['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups',
                           f'--inh-caps={caps}', f'--ambient-caps={caps}',
                           'bpftool', 'module', 'load', OBJECT, *words, f'ring.ring_fd={ring_fd}'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=keep)
    return done.returncode, done.stdout.strip().replace('\n', ' / ')

def unload(name):
    done = subprocess.run(['bpftool', 'module', 'unload', name], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip() if done.returncode else 'done'

def bpftool(*words):
    return json.loads(subprocess.run(['bpftool', '--json', *words], check=True,
                                     stdout=subprocess.PIPE).stdout)

def module(name):
    d = bpftool('module', 'show', name)
    return d[0] if type(d) is list else d

def steps(name):
    """what its programs have counted, of all modules of that name that are left"""
    ids = [m['id'] for m in bpftool('map', 'show') if m['name'].endswith('.bss') and
           name in (o['name'] for o in m.get('modules', []))]
    dump = bpftool('map', 'dump', 'id', str(ids[0]))
    return next(v['steps'] for section in dump[0]['formatted']['value'].values()
                for v in section if 'steps' in v)

def settle(what, expected, seconds=60):
    end = time.monotonic() + seconds
    while what() != expected and time.monotonic() < end:
        time.sleep(0.1)
    return what()

ring = Ring()
ring.queue(3)
tell('without', (ring.enter(), ring.completed()))
tell('submitted', (ring.enter(3, GETEVENTS), ring.completed()))

tell('less', load(ring.fd, keep=(ring.fd,), caps='+bpf')[0])
status, said = load(ring.fd, keep=(ring.fd,))
tell('load', status)
tell('said', said)
m = module('types_io_uring')
tell('listed', (m['state'], m['users'], [o['type'] for o in m['ops']]))
ring.queue(3)
tell('with', (ring.enter(), ring.completed()))
tell('steps', steps('types_io_uring'))
ring.queue(5)
tell('again', (ring.enter(), ring.completed()))

# One for each ring, and only rings of the right kind
tell('second', load(ring.fd, 'name', 'second', keep=(ring.fd,)))
tell('no fd', load(999, 'name', 'second'))
tell('no ring', load(1, 'name', 'second'))
plain = Ring(SINGLE_ISSUER)
tell('plain', load(plain.fd, 'name', 'second', keep=(plain.fd,)))
plain.close()
other = Ring()
tell('other', load(other.fd, 'name', 'second', keep=(other.fd,))[0])
other.queue(2)
tell('other with', (other.enter(), other.completed()))
tell('both', sorted(m['name'] for m in bpftool('module', 'list')))

# It goes while its ring stays
tell('unload', unload('types_io_uring'))
ring.queue(2)
tell('after', (ring.enter(), ring.completed()))
tell('submitted after', (ring.enter(2, GETEVENTS), ring.completed()))
tell('loads again', load(ring.fd, keep=(ring.fd,))[0])
ring.queue(1)
tell('with again', (ring.enter(), ring.completed()))

# The ring goes, and with it the op
other.close()
tell('closed', settle(lambda: module('second')['state'], 'detached'))
op = module('second')['ops'][0]
tell('op', (op['state'], op.get('reason', '')))
tell('unload closed', unload('second'))
tell('unload again', unload('types_io_uring'))
ring.close()

# A task that waits in the loop is no user, and unloading does not wait for it
read, write = os.pipe()
child = os.fork()
if not child:
    ring = Ring()
    load(ring.fd, 'name', 'waits', 'wait_for=1000', keep=(ring.fd,))
    ring.queue(1)
    os.write(write, b'.')
    os._exit(0 if ring.enter() == 'Interrupted system call' else 1)
os.read(read, 1)
tell('waits', settle(lambda: steps('waits') > 1 and
                     open(f'/proc/{child}/stat').read().rsplit(') ', 1)[1][0], 'S'))
start = time.monotonic()
tell('unload waiting', unload('waits'))
tell('at once', time.monotonic() - start < 30)
os.kill(child, signal.SIGKILL)
tell('ends', os.WTERMSIG(os.waitpid(child, 0)[1]))
END
check script-ends-well exits 0
check nothing-is-submitted-without grep -Fxq 'without: (0, 0)' "$out"
check ring-works grep -Fxq 'submitted: (3, 3)' "$out"
check user-needs-perfmon grep -Eq '^less: [1-9]' "$out"
check user-needs-no-more grep -Fxq 'load: 0' "$out"
check is-live-without-users grep -Fxq "listed: ('live', 0, ['io_uring_bpf_ops'])" "$out"
check loop-submits grep -Fxq 'with: (0, 3)' "$out"
check loop-counts grep -Fxq 'steps: 2' "$out"
check loop-submits-again grep -Fxq 'again: (0, 5)' "$out"
check one-for-each-ring grep -Eq "^second: \([1-9][0-9]*, .*op ring \(io_uring_bpf_ops\): .*has one" "$out"
check bad-fd-is-named grep -Eq "^no fd: \([1-9][0-9]*, .*op ring \(io_uring_bpf_ops\): ring_fd 999 is not open" "$out"
check other-fd-is-named grep -Eq "^no ring: \([1-9][0-9]*, .*op ring \(io_uring_bpf_ops\): ring_fd 1 is no io_uring" "$out"
check ring-of-another-kind-is-named grep -Eq '^plain: \([1-9][0-9]*, .*op ring \(io_uring_bpf_ops\): .*IORING_SETUP_DEFER_TASKRUN' "$out"
check two-rings grep -Fxq 'other: 0' "$out"
check other-loop-submits grep -Fxq 'other with: (0, 2)' "$out"
check both-are-listed grep -Fxq "both: ['second', 'types_io_uring']" "$out"
check unloads-from-an-open-ring grep -Fxq 'unload: done' "$out"
check ring-is-as-before grep -Fxq 'after: (0, 0)' "$out"
check ring-works-after grep -Fxq 'submitted after: (2, 2)' "$out"
check ring-takes-another grep -Fxq 'loads again: 0' "$out"
check another-loop-submits grep -Fxq 'with again: (0, 1)' "$out"
check closed-ring-detaches grep -Fxq 'closed: detached' "$out"
check closed-ring-is-the-reason grep -Eq "^op: \('withdrawn', '.*closed.*'\)$" "$out"
check detached-unloads grep -Fxq 'unload closed: done' "$out"
check unloads grep -Fxq 'unload again: done' "$out"
check task-waits-in-the-loop grep -Fxq 'waits: S' "$out"
check waiting-task-is-no-user grep -Fxq 'unload waiting: done' "$out"
check waiting-task-holds-nothing-up grep -Fxq 'at once: True' "$out"
check waiting-task-ends grep -Fxq 'ends: 9' "$out"
run bpftool module list
check nothing-is-listed prints ''
finish
