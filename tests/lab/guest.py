# SPDX-License-Identifier: Apache-2.0
"""Guests and peers of the lab, driven from tests."""

import ctypes
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LAB = Path(__file__).resolve().parent
LAYERS = Path(os.environ.get("LAB_LAYERS", "/opt/ipsec-lab"))
NEEDS = {
    "linux": (),
    "strongswan": ("/usr/lib/ipsec/charon", "/usr/sbin/swanctl"),
    "strongswan6": (f"{LAYERS}/strongswan6/usr/sbin/swanctl",),
    "libreswan": (f"{LAYERS}/libreswan/usr/sbin/ipsec",),
    "libreswan5": (f"{LAYERS}/libreswan5/usr/sbin/ipsec",),
    "openiked": (f"{LAYERS}/openiked/usr/sbin/iked",),
}
"""Files without which a peer cannot run, besides the guest's own."""

THEIRS = ("10.77.0.2", "fd77::2")
OURS = ("10.77.0.1", "fd77::1")
"""Each guest has a network of its own, so the addresses are always these."""

CLONE_NEWNET = 0x40000000


class Failed(Exception):
    """A command in a guest ended with another status than 0."""


def missing(kind: str) -> str | None:
    """Why there can be no peer of this kind here; None when there can."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if os.geteuid():
        return "a guest needs network namespaces: run scripts/test, or scripts/sandbox COMMAND"
    for program in ("linux", "ip", "unshare", "nsenter", "insmod"):
        if not shutil.which(program, path=search):
            return f"the program {program} is missing: tests/lab/install, as root, brings it"
    if not Path("/dev/net/tun").exists():
        return "this machine has no /dev/net/tun"
    for path in NEEDS[kind]:
        if not Path(path).exists():
            return f"{path} is missing: tests/lab/install, as root, brings it"
    return None


@contextmanager
def in_namespace(name: str) -> Iterator[None]:
    """The calling thread is in that network namespace; sockets that it opens stay there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(fd: int) -> None:
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}")

    home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        enter(there)
        try:
            yield
        finally:
            enter(home)
    finally:
        os.close(home)
        os.close(there)


def eventually(what: Callable[[], object], *, seconds: float = 10, pause: float = 0.1, why: str = "") -> object:
    """The first true answer of ``what``; fails after ``seconds``."""
    limit = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {why or what}")
        time.sleep(pause)
    return answer


@dataclass
class Guest:
    """A booted guest, in a namespace of its own together with our side."""

    kind: str
    name: str
    netns: str
    share: Path
    """A folder that both sides see, in the guest as /share."""

    @classmethod
    def boot(cls, kind: str, share: Path) -> "Guest":
        """Start it and wait until it answers."""
        name = f"{kind}-{os.getpid()}"
        layer = ["--layer", str(LAYERS / kind)] if (LAYERS / kind).exists() else []
        words = [LAB / "uml-host", "start", name, "--netns", name, "--share", share, *layer]
        for theirs, ours, bits in zip(THEIRS, OURS, (24, 64), strict=True):
            words += ["--address", f"{theirs}/{bits}", "--peer-address", f"{ours}/{bits}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise Failed(done.stderr)
        return cls(kind, name, name, share)

    def stop(self) -> None:
        """End it; its namespace goes with it."""
        subprocess.run([LAB / "uml-host", "stop", self.name], check=True, timeout=60)

    def run(self, *words: object, check: bool = True, timeout: float = 60, **environment: object) -> str:
        """What a command in the guest prints."""
        words = ("env", *(f"{name}={value}" for name, value in environment.items()), *words)
        command = [LAB / "uml-host", "exec", "--timeout", str(timeout), self.name, "--", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout + 10)
        if check and done.returncode:
            raise Failed(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def script(self, text: str, **more: object) -> str:
        """What a shell script in the guest prints."""
        return self.run("bash", "-c", text, **more)

    def outside(self, *words: object, check: bool = True, timeout: float = 60) -> str:
        """What a command on our side of the wire prints."""
        command = ["ip", "netns", "exec", self.netns, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def translate(self, table: str) -> None:
        """Put a table of nftables between us, for connections that are known already, too."""
        self.outside("nft", table.strip().replace("\n", "; "))
        self.outside(LAB / "forget-flows")

    def xfrm_errors(self) -> dict[str, int]:
        """The error counters of the guest's kernel that are not zero."""
        lines = self.run("cat", "/proc/net/xfrm_stat").splitlines()
        return {name: int(count) for name, count in map(str.split, lines) if int(count)}

    def states(self) -> list[str]:
        """The SPIs of the guest's SAs, without those still being negotiated."""
        blocks = self.run("ip", "xfrm", "state").split("src ")[1:]
        words = [block.split() for block in blocks if any(name in block for name in ("aead", "enc ", "auth-trunc"))]
        return [one[one.index("spi") + 1] for one in words]

    def forget(self) -> None:
        """Remove every SA and policy."""
        self.run("ip", "xfrm", "state", "flush")
        self.run("ip", "xfrm", "policy", "flush")


class Peer(Guest):
    """A guest in which an IKE daemon runs with the settings of peers/settings."""

    @property
    def program(self) -> str:
        """Which daemon it is, of whatever version."""
        return self.kind.rstrip("56")

    def up(self, **settings: object) -> None:
        """Start the daemon anew with these settings; nothing of former ones remains."""
        self.forget()
        self._words: dict[str, object] = {"LOCAL": THEIRS[0], "REMOTE": OURS[0], "VERSION": 1, **settings}
        self.run(LAB / "peers" / self.program / "up", **self._words)

    def initiate(self, *, check: bool = True) -> str:
        """Let it begin main mode and quick mode, and wait for the end."""
        if self.program == "strongswan":
            return self.run("swanctl", "--initiate", "--child", "lab", "--timeout", "15", check=check)
        if self.program == "openiked":
            said = self.run(LAB / "peers/openiked/up", **{**self._words, "ROLE": "active"})
            return said if not check else f"{said}{eventually(self.states, seconds=30, why='it begins by itself')}"
        return self.run("timeout", "20", "ipsec", "auto", "--up", "lab", check=check)

    def rekey(self) -> str:
        """Let it negotiate new quick mode SAs in place of those that it has."""
        if self.program == "strongswan":
            return self.run("swanctl", "--rekey", "--child", "lab")
        return self.run("timeout", "20", "ipsec", "whack", "--rekey-ipsec", "--name", "lab")

    def rekey_main_mode(self) -> str:
        """Let it negotiate a new main mode SA."""
        if self.program == "strongswan":
            return self.run("swanctl", "--rekey", "--ike", "lab")
        return self.run("timeout", "20", "ipsec", "whack", "--rekey-ike", "--name", "lab")

    def terminate(self) -> str:
        """Let it delete what it has with us, and tell us."""
        if self.program == "strongswan":
            return self.run("swanctl", "--terminate", "--ike", "lab", check=False)
        return self.run("ipsec", "auto", "--down", "lab", check=False)

    def log(self) -> str:
        """What the daemon wrote."""
        path = {
            "strongswan": "/var/log/charon.log",
            "libreswan": "/var/log/pluto.log",
            "openiked": "/var/log/iked.log",
        }[self.program]
        return self.run("cat", path, check=False)
