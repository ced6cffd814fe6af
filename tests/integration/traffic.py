# SPDX-License-Identifier: Apache-2.0
"""Small real applications that tests run in hosts."""

import hashlib

from ringfence.testing.namespaces import Host

RECEIVER = """
import hashlib, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], 7000), family=family) as server:
    print("ready", flush=True)
    connection, peer = server.accept()
    digest, octets = hashlib.sha256(), 0
    with connection:
        while piece := connection.recv(65536):
            digest.update(piece)
            octets += len(piece)
        print(peer[0], octets, digest.hexdigest(), flush=True)
"""

SENDER = """
import socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=10) as connection:
    connection.sendall(bytes(range(256)) * int(sys.argv[2]))
"""

ECHO = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as server:
    server.bind((sys.argv[1], 7000))
    print("ready", flush=True)
    while True:
        datagram, peer = server.recvfrom(65536)
        server.sendto(datagram, peer)
"""

ASK = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as client:
    client.settimeout(1)
    for octets in map(int, sys.argv[3:]):
        for attempt in range(int(sys.argv[2])):
            try:
                client.sendto(bytes(octets), (sys.argv[1], 7000))
                assert len(client.recv(65536)) == octets, octets
                break
            except (TimeoutError, OSError) as error:
                last = error
        else:
            raise SystemExit(f"{octets} octets: {last}")
"""


def transfer(source: Host, target: Host, address: str, kilobytes: int = 4096) -> str:
    """Send octets over TCP; the address that they came from, when they arrived whole."""
    receiver = target.spawn(*target.python("-c", RECEIVER, address), stdout=-1)
    assert receiver.stdout is not None
    assert receiver.stdout.readline() == "ready\n"
    source.run(*source.python("-c", SENDER, address, str(kilobytes * 4)))
    peer, octets, digest = receiver.stdout.readline().split()
    assert int(octets) == kilobytes * 1024
    assert digest == hashlib.sha256(bytes(range(256)) * kilobytes * 4).hexdigest()
    return peer


def echo(source: Host, target: Host, address: str, *sizes: int, attempts: int = 1) -> None:
    """Have datagrams come back, each in so many attempts; raises CommandFailed for one that does not."""
    server = target.spawn(*target.python("-c", ECHO, address), stdout=-1)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    try:
        source.run(*source.python("-c", ASK, address, str(attempts), *map(str, sizes)))
    finally:
        server.kill()
        server.wait()
