#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""no_route.py: the users of tcp_vegas, which a listener has, as the kernel counts them
before and after a connection for which the listener finds no route to the peer.
"""
import socket
import subprocess
import time

SERVER, CLIENT = "10.1.1.1", "10.1.1.2"


def ip(command):
    subprocess.run(f"ip {command} dev lo", shell=True, check=True)


def users():
    with open("/sys/module/tcp_vegas/refcnt", encoding="ascii") as refcnt:
        return int(refcnt.read())


def main():
    ip("link set up")
    for addr in SERVER, CLIENT:
        ip(f"addr add {addr}/32")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_TCP, socket.TCP_CONGESTION, b"vegas")
    # It takes a connection when data comes, so that the route can go before
    listener.setsockopt(socket.SOL_TCP, socket.TCP_DEFER_ACCEPT, 100)
    listener.bind((SERVER, 0))
    listener.listen()
    print("users", users(), flush=True)
    client = socket.socket()
    client.bind((CLIENT, 0))
    client.connect(listener.getsockname())
    ip(f"route del local {CLIENT} table local")
    client.send(b"x")
    end = time.monotonic() + 10
    while users() == 1 and time.monotonic() < end:
        time.sleep(0.1)
    print("users without a route", users(), flush=True)


main()
