# SPDX-License-Identifier: Apache-2.0
"""What the service's tests share: services in hosts, as people start them, and questions to them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.testing.namespaces import Host

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
KEY = "an open sesame that nobody guesses"

RULE = """
[[rule]]
name = "the two are isolated"
between = ["10.77.1.1", "10.77.2.1"]
secure = "require"
auth = { psk-file = "lab.psk" }
"""
SIX = RULE.replace("the two are isolated", "likewise for IPv6").replace("10.77.1.1", "fd77:1::1").replace(
    "10.77.2.1", "fd77:2::1"
)  # fmt: skip
REQUEST = RULE.replace('"require"', '"request"')
TELNET = """
[[filter]]
name = "no telnet"
block = "tcp to 23"
"""


def document(folder: Path, text: str = RULE, key: str = KEY) -> Path:
    """A policy with its key file."""
    folder.mkdir(exist_ok=True)
    secret = folder / "lab.psk"
    secret.write_text(key + "\n")
    secret.chmod(0o600)
    path = folder / "policy.toml"
    path.write_text(text)
    return path


class Service:
    """``ringfence run`` in a host."""

    def __init__(self, host: Host, policy: Path, *words: str) -> None:
        self.host = host
        self.policy = policy
        self.log = policy.parent / f"{host.name}.log"
        self._words = words
        self.process: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        address = self.policy.parent / f"{self.host.name}.notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, self.log.open("a") as log:
            notified.bind(str(address))
            notified.settimeout(20)
            self.process = self.host.spawn(
                *ringfence("run", str(self.policy), *self._words), stderr=log,
                env={**ENVIRONMENT, "NOTIFY_SOCKET": str(address)},
            )  # fmt: skip
            try:
                assert notified.recv(1000).startswith(b"READY=1")
            except TimeoutError:
                raise AssertionError(f"the service does not start: {self.log.read_text()}") from None

    def ask(self, *words: str, code: int = 0) -> Any:
        """Its answer in JSON."""
        done = self.say(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout if code == 0 else done.stderr)

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the command line."""
        return command(self.host, *words)

    def kill(self) -> None:
        """End it without any chance to clean up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it politely; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What happened, all or of one kind."""
        lines = self.say("monitor", "--no-follow", "--last", "10000", "--json").stdout.splitlines()
        return [event for event in map(json.loads, lines) if name in ("", event["event"])]


def ringfence(*words: str) -> list[str]:
    return [sys.executable, "-m", "ringfence", *words]


def command(host: Host, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """``ringfence`` in a host, to its end."""
    set_words = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    return host.run("env", *set_words, *before, *ringfence(*words), check=False)


def ping(host: Host, address: str, *, count: int = 1, wait: float = 2.0) -> int:
    """How many of ``count`` pings are answered."""
    out = host.run("ping", f"-c{count}", "-i0.2", f"-W{wait}", address, check=False).stdout
    return int(out.split(" received")[0].split()[-1])


def eventually(what: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until ``what`` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.1)


def capabilities(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status") as status:
        pairs = (line.split() for line in status if line.startswith(("Cap", "NoNewPrivs")))
        return {name.rstrip(":"): value for name, value in pairs}


def is_root() -> bool:
    return os.geteuid() == 0
