# SPDX-License-Identifier: Apache-2.0
"""Hosts and cables out of network namespaces: a laboratory for demos and tests, with the real Linux TCP/IP stack.

::

    with Lab() as lab:
        alice, router, bob = lab.host("alice"), lab.router("router"), lab.host("bob")
        lab.cable(alice, router, "10.77.1.1/24", "10.77.1.254/24")
        lab.cable(router, bob, "10.77.2.254/24", "10.77.2.1/24")
        alice.run("ip", "route", "add", "default", "via", "10.77.1.254")
        ...
        alice.run("ping", "-c1", "10.77.2.1")

A host is a network namespace and a mount namespace of its own, with an empty ``/run``, so that every host can have
sockets and process files at their usual places; all other files are this machine's. A small process holds it and ends
when the ``Lab`` ends or its process dies: nothing is left, whatever happens.

It works as root, and as a plain user where the kernel allows user namespaces: then all hosts live in one user
namespace, whose root is that user.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from ringfence.errors import IpsecError

SECONDS = 20.0
HOLD = """
mount -t tmpfs tmpfs /run && ip link set lo up &&
for one in all default; do echo 0 >/proc/sys/net/ipv6/conf/$one/accept_dad; done 2>/dev/null
echo ready && exec cat >/dev/null
"""
ENTER, UNSHARE = "nsenter", "unshare"
ROOT_OF_NAMESPACE = ("--user", "--preserve-credentials")
TIED = ("setpriv", "--pdeathsig", "KILL")
"""Words that let a command end with the process that started it, even when that is killed; so do the hosts."""
PROGRAMS = (ENTER, UNSHARE, TIED[0], "ip", "mount")


class NoLab(IpsecError):
    """This machine allows no network namespaces to this user, or lacks a program for them."""


class CommandFailed(IpsecError):
    """A command in a host ended with a status that is not 0."""


@dataclass(frozen=True, slots=True)
class Cable:
    """A pair of virtual Ethernet interfaces, one in each of two hosts."""

    left: str
    """Its name in the first host."""
    right: str


class Host:
    """One namespace; made by ``Lab.host``."""

    def __init__(self, lab: "Lab", name: str, holder: "subprocess.Popen[bytes]") -> None:
        self.name: Final = name
        self.pid: Final = holder.pid
        """Of the process that holds the namespace: ``/proc/PID/ns/net`` is it."""
        self.lab: Final = lab
        self._holder = holder
        self.interfaces = 0
        """How many cables end here."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """Words that, before a command, run it here, in the present working directory."""
        return (
            ENTER, f"--target={self.pid}", *self.lab.user_words, "--net", "--mount", f"--wd={Path.cwd()}",
        )  # fmt: skip

    def run(
        self, *command: str, check: bool = True, seconds: float = SECONDS, text: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with ``text`` as its input; raises CommandFailed unless ``check`` is False."""
        done = subprocess.run(  # noqa: S603
            [*self.prefix, *command], input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
        if check and done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise CommandFailed(f"{' '.join(command)}: {said}", place=self.name)
        return done

    def spawn(
        self, *command: str, stdin: "int | IO[str]" = subprocess.DEVNULL, stdout: "int | IO[str]" = subprocess.DEVNULL,
        stderr: "int | IO[str] | None" = None, env: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":  # fmt: skip
        """Start a command, whose process is the command's own; it is killed when the lab ends, or this process."""
        process = subprocess.Popen(  # noqa: S603
            [*self.prefix, *TIED, *command], stdin=stdin, stdout=stdout, stderr=stderr, text=True,
            env=None if env is None else {**os.environ, **env},
        )  # fmt: skip
        self.lab.adopt(process)
        return process

    def python(self, *arguments: str) -> tuple[str, ...]:
        """The words that run this very Python, for ``run`` and ``spawn``."""
        return (sys.executable, *arguments)

    def address(self, interface: str, *addresses: str) -> None:
        """Give an interface addresses with their prefix lengths; they are usable at once."""
        for one in addresses:
            self.run("ip", "address", "add", one, "dev", interface, *(("nodad",) if ":" in one else ()))

    def route(self, destination: str, *, via: str) -> None:
        """Add a route."""
        self.run("ip", "route", "add", destination, "via", via)

    def wait_for(self, address: str, *, seconds: float = 5.0) -> None:
        """Wait until ``address`` answers a ping; a link that was just made loses its first packets."""
        end = time.monotonic() + seconds
        while self.run("ping", "-c1", "-W0.2", address, check=False).returncode:
            if time.monotonic() > end:
                raise CommandFailed(f"{address} does not answer", place=self.name)

    def setting(self, name: str, value: str | int) -> None:
        """Change a kernel setting of this namespace, such as ``net.ipv4.ip_forward``."""
        path = "/proc/sys/" + name.replace(".", "/")
        self.run("sh", "-c", 'printf %s "$1" > "$2"', "sh", str(value), path)

    def traces(self) -> dict[str, str]:
        """All that a program could leave behind in the networking of this host, as text to compare."""
        commands = {
            "links": ("ip", "-o", "link"),
            "addresses": ("ip", "-o", "address"),
            "rules": ("ip", "-4", "rule"),
            "rules, IPv6": ("ip", "-6", "rule"),
            "routes": ("ip", "-4", "route", "show", "table", "all"),
            "routes, IPv6": ("ip", "-6", "route", "show", "table", "all"),
            "nftables": ("nft", "list", "ruleset"),
            "settings": (
                "sh", "-c", "grep -r . /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/ip_forward "
                "/proc/sys/net/ipv4/conf/*/src_valid_mark",
            ),
        }  # fmt: skip
        return {name: self.run(*command, check=False).stdout for name, command in commands.items()}

    def close(self) -> None:
        """End the namespace."""
        if self._holder.stdin is not None:
            self._holder.stdin.close()
        if self._holder.stdout is not None:
            self._holder.stdout.close()
        _end(self._holder)


class Lab:
    """Hosts and the cables between them; use it with ``with``."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.user_words: tuple[str, ...] = ()
        """What ``nsenter`` needs to be root of the hosts' user namespace; nothing when we are root."""
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def obstacle() -> str:
        """Why there can be no lab here, for people; empty when there can be one."""
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            return f"programs are missing: {', '.join(missing)} (apt install util-linux iproute2 mount)"
        try:
            with Lab() as lab:
                lab.host("probe")
        except NoLab as error:
            return str(error)
        return ""

    def host(self, name: str) -> Host:
        """Add a host with a loopback interface; raises NoLab."""
        if name in self.hosts:
            raise ValueError(f"there is a {name} already")
        host = Host(self, name, self._hold())
        self.hosts[name] = host
        if os.geteuid():
            self.user_words = ROOT_OF_NAMESPACE
        return host

    def router(self, name: str) -> Host:
        """Add a host that forwards packets of both families."""
        host = self.host(name)
        host.setting("net.ipv4.ip_forward", 1)
        host.setting("net.ipv6.conf.all.forwarding", 1)
        return host

    def cable(
        self, left: Host, right: Host, left_addresses: str | Sequence[str] = (),
        right_addresses: str | Sequence[str] = (), *, mtu: int = 1500,
    ) -> Cable:  # fmt: skip
        """Join two hosts; interfaces are ``eth0``, ``eth1`` … in the order in which cables are laid."""
        cable = Cable(f"eth{left.interfaces}", f"eth{right.interfaces}")
        left.run(
            "ip", "link", "add", cable.left, "mtu", str(mtu), "type", "veth",
            "peer", "name", cable.right, "mtu", str(mtu), "netns", str(right.pid),
        )  # fmt: skip
        for host, interface, addresses in (
            (left, cable.left, left_addresses),
            (right, cable.right, right_addresses),
        ):
            host.interfaces += 1
            host.address(interface, *([addresses] if isinstance(addresses, str) else addresses))
            host.run("ip", "link", "set", interface, "up")
        return cable

    def adopt(self, process: "subprocess.Popen[str]") -> None:
        """Kill this process when the lab ends."""
        self._processes.append(process)

    def close(self) -> None:
        """End all processes and hosts."""
        for process in self._processes:
            _end(process)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):  # what was never read or written is of no use now
                        stream.close()
        self._processes.clear()
        for host in self.hosts.values():
            host.close()
        self.hosts.clear()

    def _hold(self) -> "subprocess.Popen[bytes]":
        words = [UNSHARE, "--net", "--mount"]
        if os.geteuid():
            first = next(iter(self.hosts.values()), None)
            if first is None:
                words[1:1] = ["--user", "--map-root-user"]
            else:
                words = [ENTER, f"--target={first.pid}", *ROOT_OF_NAMESPACE, *words]
        try:
            holder = subprocess.Popen(  # noqa: S603
                [*words, "sh", "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise NoLab(f"cannot run {words[0]}: {error.strerror}", cure="Install util-linux.") from error
        if holder.stdout is None or holder.stdout.readline() != b"ready\n":
            said = b"" if holder.stderr is None else holder.stderr.read()
            _close(holder)
            raise NoLab(
                f"no network namespace can be made: {said.decode().strip()}",
                cure="Run as root, or allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 "
                "(on newer systems kernel.apparmor_restrict_unprivileged_userns=0).",
            )
        if holder.stderr is not None:
            holder.stderr.close()
        return holder


@contextlib.contextmanager
def routed_pair(*, mtu: int = 1500) -> Iterator[tuple[Host, Host, Host]]:
    """Two hosts and a plain router between them that knows nothing of IPsec: alice, router, bob.

    alice is 10.77.1.1 and fd77:1::1, bob 10.77.2.1 and fd77:2::1; ``mtu`` is that of the cable to bob.
    """
    with Lab() as lab:
        alice, router, bob = lab.host("alice"), lab.router("router"), lab.host("bob")
        lab.cable(alice, router, ("10.77.1.1/24", "fd77:1::1/64"), ("10.77.1.254/24", "fd77:1::ff/64"))
        lab.cable(router, bob, ("10.77.2.254/24", "fd77:2::ff/64"), ("10.77.2.1/24", "fd77:2::1/64"), mtu=mtu)
        for host, net in ((alice, 1), (bob, 2)):
            host.route("default", via=f"10.77.{net}.254")
            host.route("default", via=f"fd77:{net}::ff")
        for address in ("10.77.2.1", "fd77:2::1"):
            alice.wait_for(address)
        yield alice, router, bob


def _end(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()


def _close(process: "subprocess.Popen[bytes]") -> None:
    _end(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
