# SPDX-License-Identifier: Apache-2.0
"""The stage of the story: three computers around a router, a web server on one, and the policy that two will get.

::

    alice 10.77.1.1 ─── router ─── bob 10.77.2.1
                           │
                    mallory 10.77.3.1

Everything is in network namespaces: nothing outside is touched, and nothing is left.
"""

import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Self

from ringfence.demo.agent import Agent
from ringfence.demo.errors import NotTrue
from ringfence.demo.namespaces import Host, Lab
from ringfence.demo.wiretap import Wiretap

NETS = {"alice": 1, "bob": 2, "mallory": 3}
ADDRESSES = {name: f"10.77.{net}.1" for name, net in NETS.items()}
NAMES = {address: name for name, address in ADDRESSES.items()}

PASSWORD = "open-sesame"  # noqa: S105
PAYROLL = "Payroll: alice 5200, bob 4900"
PAGE_PATH = f"/payroll.txt?user=alice&password={PASSWORD}"
URL = f"http://{ADDRESSES['bob']}{PAGE_PATH}"

POLICY = """\
[[rule]]
name   = "our computers talk protected"
with   = "10.77.0.0/16"
secure = "require"
auth   = { psk-file = "demo.psk" }
keying = "ikev1"
"""

FETCH = """\
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.write(opener.open(sys.argv[1], timeout=float(sys.argv[2])).read().decode())
"""
"""The client of the story: a few lines of Python that know nothing of IPsec."""


class Stage:
    """Use it with ``with``; all of it is gone afterwards, but the folder of what is to be kept."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.work = Path(tempfile.mkdtemp(prefix="ringfence-demo-"))
        self.lab = Lab()
        self.agents: dict[str, Agent] = {}
        self.failed = False
        """Whether the logs of the services are worth keeping."""
        self.interfaces: dict[str, str] = {}
        """Of the router, by the host at the other end."""
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes and take the network away."""
        wiretap = getattr(self, "wiretap", None)
        if wiretap is not None:
            wiretap.close()
        for name, agent in self.agents.items():
            agent.close()
            if self.failed:
                (self.output / f"{name}.log").write_text(agent.log())
        self.lab.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def host(self, name: str) -> Host:
        """One of the three."""
        return self.lab.hosts[name]

    def traces(self, *, seconds: float = 3.0) -> dict[str, dict[str, str]]:
        """What stands on the hosts of the two that get the policy, once the kernel has done with the new links."""
        end = time.monotonic() + seconds
        while True:
            found = {name: self.host(name).traces() for name in ("alice", "bob")}
            ready = all("NO-CARRIER" not in one["links"] and "fe80::" in one["addresses"] for one in found.values())
            if ready or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def fetch(self, name: str, *, seconds: float = 8.0) -> "subprocess.Popen[str]":
        """Begin to ask for the page, on this host."""
        host = self.host(name)
        return host.spawn(
            *host.python("-c", FETCH, URL, str(seconds)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )  # fmt: skip

    @staticmethod
    def answer(client: "subprocess.Popen[str]") -> str | None:
        """The page that a client got, or None."""
        said, _ = client.communicate(timeout=15)
        return said if client.returncode == 0 else None

    def write_policy(self, name: str, key: str) -> Path:
        """The policy document and the key, as an administrator puts them on a host."""
        folder = self.work / name
        folder.mkdir()
        (folder / "policy.toml").write_text(POLICY)
        key_file = folder / "demo.psk"
        key_file.touch(0o600)
        key_file.write_text(f"{key}\n")
        return folder / "policy.toml"

    def _build(self) -> None:
        router = self.lab.router("router")
        for name, net in NETS.items():
            host = self.lab.host(name)
            cable = self.lab.cable(router, host, f"10.77.{net}.254/24", f"10.77.{net}.1/24")
            host.route("default", via=f"10.77.{net}.254")
            self.interfaces[name] = cable.left
        self._serve()
        for name in ("alice", "mallory"):
            self.host(name).wait_for(ADDRESSES["bob"])
        self.output.mkdir(parents=True, exist_ok=True)
        self.wiretap = Wiretap(router, list(self.interfaces.values()), self.output / "capture.pcap")

    def _serve(self) -> None:
        site = self.work / "site"
        site.mkdir()
        (site / "payroll.txt").write_text(f"{PAYROLL}\n")
        bob = self.host("bob")
        words = ("-m", "http.server", "80", "--bind", ADDRESSES["bob"], "--directory", str(site))
        server = bob.spawn(*bob.python(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not self._listens(bob):
            if server.poll() is not None or time.monotonic() > end:
                raise NotTrue("The web server on bob does not start.")
            time.sleep(0.05)

    @staticmethod
    def _listens(host: Host) -> bool:
        """Whether something listens at TCP port 80."""
        return any(":0050 " in line and " 0A " in line for line in host.run("cat", "/proc/net/tcp").stdout.splitlines())


def new_key() -> str:
    """A key that nobody can guess."""
    return b64encode(os.urandom(32)).decode()
