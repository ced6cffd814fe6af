# SPDX-License-Identifier: Apache-2.0
"""Ringfence as a person runs it: the command, in a network namespace, with a policy file and its key beside it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ringfence.control.client import Client
from ringfence.control.errors import ControlError
from ringfence.control.messages import MainModeSa, QuickModeSa, Sas, Status

PSK = "lab-secret-of-no-value"
START_S = 15.0 * float(os.environ.get("RINGFENCE_PATIENCE", "1"))
RINGFENCE = ("-m", "ringfence")


class Product:
    """One running service and its folder."""

    def __init__(self, netns: str, folder: Path, program: Sequence[str] = RINGFENCE) -> None:
        self.netns = netns
        self.program = program
        self.folder = folder
        self.socket = folder / "s"
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, policy: str, psk: str = PSK) -> Path:
        """Put policy and key where the service finds them."""
        (self.folder / "lab.psk").write_text(psk)
        (self.folder / "lab.psk").chmod(0o600)
        path = self.folder / "policy.toml"
        path.write_text(policy)
        return path

    def start(self) -> None:
        """Run it, and wait until it guards."""
        command = ["ip", "netns", "exec", self.netns, sys.executable, *self.program, "run"]
        command += [str(self.folder / "policy.toml"), "--socket", str(self.socket), "--verbose"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        limit = time.monotonic() + START_S
        while True:
            try:
                self.status()
                return
            except ControlError:
                if self._process.poll() is not None or time.monotonic() > limit:
                    raise AssertionError(f"it did not start:\n{self.said()}") from None
                time.sleep(0.05)

    def stop(self) -> int:
        """End it as Ctrl-C does; its status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not stop:\n{self.said()}") from None

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(errors="replace")

    def client(self) -> Client:
        """A conversation with it."""
        return Client(self.socket)

    def status(self) -> Status:
        """The whole on one page."""
        with self.client() as client:
            return client.status()

    def sas(self) -> Sas:
        """All SAs."""
        with self.client() as client:
            return client.sas()

    @property
    def quick_modes(self) -> list[QuickModeSa]:
        """Those in force."""
        return self.sas().quick_modes

    @property
    def main_modes(self) -> list[MainModeSa]:
        """Those in force and in the making."""
        return self.sas().main_modes

    def events(self, name: str) -> list[dict[str, object]]:
        """The events of one name so far."""
        with self.client() as client:
            return [record.fields for record in client.events() if record.event == name]

    def traces(self) -> list[str]:
        """What it left in the namespace: devices, rules, tables; empty after a clean stop."""
        found = []
        for words in (("ip", "-o", "link"), ("ip", "rule"), ("ip", "-6", "rule"), ("nft", "list", "tables")):
            done = subprocess.run(
                ["ip", "netns", "exec", self.netns, *words], capture_output=True, text=True, check=True
            )
            found += [
                line for line in done.stdout.splitlines() if "rf0" in line or "ringfence" in line or "fwmark" in line
            ]
        return found


@contextmanager
def running(
    netns: str,
    policy: str,
    psk: str = PSK,
    *,
    keys: Mapping[str, str] | None = None,
    program: Sequence[str] = RINGFENCE,
) -> Iterator[Product]:
    """Ringfence with this policy in that namespace; when a test fails, what it said is shown.

    ``keys`` are more key files; ``program`` is what Python runs.
    """
    with tempfile.TemporaryDirectory(prefix="rf") as folder:
        product = Product(netns, Path(folder), program)
        product.write(policy, psk)
        for name, key in (keys or {}).items():
            (product.folder / name).write_text(key)
            (product.folder / name).chmod(0o600)
        try:
            product.start()
            yield product
            assert product.stop() == 0
            assert product.traces() == []
        except BaseException:
            product.kill()
            if product.log.exists():
                print(product.said()[-20000:], file=sys.stderr)
            raise


def until(what: Callable[[], object], *, seconds: float = 15, why: str = "") -> object:
    """As ``lab.guest.eventually``, patient enough for a negotiation on a busy machine."""
    from lab.guest import eventually

    return eventually(what, seconds=seconds * float(os.environ.get("RINGFENCE_PATIENCE", "1")), why=why)
