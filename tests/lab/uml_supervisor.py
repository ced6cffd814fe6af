# SPDX-License-Identifier: Apache-2.0
"""The process that holds one guest of `uml-host`: its network outside, its serial line, and the socket `ctl`.

When it ends, for whatever reason, the guest ends with it.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

STATE = Path(os.environ.get("LAB_STATE", "/run/ipsec-lab"))
HEAD = struct.Struct(">cII")
BRIDGE = "lab0"
XSTATE = Path(os.environ.get("LAB_LAYERS", "/opt/ipsec-lab")) / "uml-xstate.so"
"""Needed where the processor has AMX; see uml-xstate.c."""


class Failed(Exception):
    """What went wrong, for people."""


def sh(*argv, check=True):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, argv))}: {done.stderr.strip() or done.returncode}")
    return done


# --- the network outside the guest -------------------------------------------------


def tap_name(name):
    return f"t{zlib.crc32(name.encode()):08x}"


@contextlib.contextmanager
def network_lock():
    """One guest at a time changes the namespaces and bridges."""
    with open(STATE / "network.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@network_lock()
def network_up(spec):
    netns, tap = spec["netns"], tap_name(spec["name"])
    mark = STATE / f"netns-{netns}"
    if not os.path.exists(f"/run/netns/{netns}"):
        sh("ip", "netns", "add", netns)
        mark.touch()  # ours: removed with the last guest in it
    in_ns = ["ip", "-n", netns]
    if sh(*in_ns, "link", "show", BRIDGE, check=False).returncode:
        sh(*in_ns, "link", "set", "lo", "up")
        sh(*in_ns, "link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "0")
        sh(*in_ns, "link", "set", BRIDGE, "up")
        for address in spec["peer_addresses"]:
            sh(*in_ns, "address", "replace", address, "dev", BRIDGE, *(["nodad"] if ":" in address else []))
    sh(*in_ns, "link", "delete", tap, check=False)
    sh(*in_ns, "tuntap", "add", "dev", tap, "mode", "tap")
    sh(*in_ns, "link", "set", tap, "mtu", spec["mtu"], "master", BRIDGE, "up")


@network_lock()
def network_down(spec):
    netns = spec["netns"]
    sh("ip", "-n", netns, "link", "delete", tap_name(spec["name"]), check=False)
    mark = STATE / f"netns-{netns}"
    others = [s for s in (read_spec(f) for f in guests()) if s and s["netns"] == netns and s["name"] != spec["name"]]
    if mark.exists() and not others:
        mark.unlink()
        sh("ip", "netns", "delete", netns, check=False)


def guests():
    return sorted(p.parent for p in STATE.glob("*/spec.json"))


def read_spec(folder):
    try:
        return json.loads((folder / "spec.json").read_text())
    except (FileNotFoundError, ValueError):
        return None


# --- the supervisor ---------------------------------------------------------------


def tie_to_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Supervisor:
    """Runs one guest: its process, its serial line, and the socket `ctl`."""

    def __init__(self, spec, ready):
        self.spec, self.ready = spec, ready
        self.folder = STATE / spec["name"]
        self.clients = {}  # job -> client socket
        self.next_job = 1
        self.buffer = b""
        self.selector = selectors.DefaultSelector()
        self.deadline = time.monotonic() + spec["ttl"]

    def boot(self):
        network_up(self.spec)
        self.line, theirs = socket.socketpair()
        theirs.set_inheritable(True)
        console = open(self.folder / "console.log", "wb")  # noqa: SIM115  (as long as the guest)
        command = [
            "nsenter",
            f"--net=/run/netns/{self.spec['netns']}",
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            *(["env", f"LD_PRELOAD={XSTATE}"] if XSTATE.exists() else []),
            "linux",
            f"mem={self.spec['memory']}M",
            f"umid={self.spec['name']}",
            f"uml_dir={self.folder}/uml",
            "root=/dev/root",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            f"init={self.folder}/guest",
            f"labspec={self.folder}/spec.json",
            "con=null",
            "con0=null,fd:1",
            "ssl=null",
            f"ssl0=fd:{theirs.fileno()}",
            # The old driver on purpose: it offloads nothing, so that each packet on
            # the wire is whole, with its checksum and no longer than the MTU.
            f"eth0=tuntap,{tap_name(self.spec['name'])},{self.spec['mac']}",
            "initcall_blacklist=raid6_select_algo,calibrate_xor_blocks",  # 1 s of benchmarks
            "panic=-1",
            "quiet",
            *self.spec["kernel"],
        ]
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            pass_fds=[theirs.fileno()],
            preexec_fn=tie_to_parent,
        )
        theirs.close()

    def send(self, kind, job, payload=b""):
        with contextlib.suppress(OSError):  # the guest is gone; serve() notices
            self.line.sendall(HEAD.pack(kind, job, len(payload)) + payload)

    def from_guest(self):
        data = self.line.recv(65536)
        if not data:
            raise Failed("the guest ended")
        self.buffer += data
        while len(self.buffer) >= HEAD.size:
            kind, job, length = HEAD.unpack_from(self.buffer)
            if len(self.buffer) < HEAD.size + length:
                return
            frame, self.buffer = (self.buffer[: HEAD.size + length], self.buffer[HEAD.size + length :])
            if kind == b"b":
                self.ready("")
            elif job in self.clients:
                with contextlib.suppress(OSError):
                    self.clients[job].sendall(frame)
                if kind == b"x":
                    self.drop(job)

    def drop(self, job):
        client = self.clients.pop(job)
        self.selector.unregister(client)
        client.close()

    def from_client(self, job):
        """The order of a new client, or its disappearance, which ends its command."""
        data = self.clients[job].recv(1 << 20)
        if not data:
            self.drop(job)
            self.send(b"k", job)
        elif data == b"stop":
            self.send(b"q", 0)
            self.deadline = min(self.deadline, time.monotonic() + 5)
        else:
            self.send(b"r", job, data)

    def serve(self):
        (self.folder / "ctl").unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(self.folder / "ctl"))
        listener.listen(16)
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(self.line, selectors.EVENT_READ)
        while self.child.poll() is None and time.monotonic() < self.deadline:
            for key, _ in self.selector.select(timeout=0.5):
                if key.fileobj is listener:
                    client, _ = listener.accept()
                    self.clients[self.next_job] = client
                    self.selector.register(client, selectors.EVENT_READ, self.next_job)
                    self.next_job += 1
                elif key.fileobj is self.line:
                    self.from_guest()
                elif key.data in self.clients:
                    self.from_client(key.data)

    def end(self):
        if self.child.poll() is None:
            self.child.kill()  # unshare --kill-child takes the guest along
        self.child.wait()
        network_down(self.spec)
        (self.folder / "ctl").unlink(missing_ok=True)


def supervise(spec, lock, report):
    """The body of the background process; `report` is the pipe to `start`."""
    os.setsid()
    pending = [report]

    def ready(error):
        if pending:
            os.write(pending[0], (error or "ok").encode())
            os.close(pending.pop())

    null = os.open("/dev/null", os.O_RDWR)
    errors = os.open(STATE / spec["name"] / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for fd, target in ((0, null), (1, errors), (2, errors)):
        os.dup2(target, fd)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(0))
    host = Supervisor(spec, ready)
    problem = "the guest ended during its boot"
    try:
        host.boot()
        host.serve()
    except Failed as error:
        problem = str(error)
    finally:
        if hasattr(host, "child"):
            host.end()
        else:
            network_down(spec)
        (host.folder / "spec.json").unlink(missing_ok=True)
        ready(problem)
