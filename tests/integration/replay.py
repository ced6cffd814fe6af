# SPDX-License-Identifier: Apache-2.0
"""Plays the session that a page shows: runs each ``HOST# COMMAND``, and compares what it says with the page.

    scripts/sandbox python tests/integration/replay.py docs/howto/operate.md       writes what was said into the page

``ringfence run … &`` starts a service and waits until it is ready. What differs from run to run, times, sizes and
numbers, is compared by its kind.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from integration.service_lab import ENVIRONMENT, Service, document

from ringfence.testing.namespaces import Host, routed_pair

BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
PROMPT = re.compile(r"^(?P<host>alice|bob)# (?P<command>.*)$")
POLICY = """\
[[rule]]
name   = "the two are isolated"
between = ["10.77.1.1", "10.77.2.1"]
secure = "require"
auth   = { psk-file = "lab.psk" }
"""
KEY = "dGhlIGV4YW1wbGUgb2YgdGhlIG1hbnVhbCwgZm9yIG5vIG90aGVyIHVzZQ=="
FASTER = "Nothing changed."
"""What ``ringfence reload`` says when the service had noticed by itself: no reason to change the page."""
KINDS = (
    (r"\d\d:\d\d(:\d\d)?", "TIME"),
    (r"0x[0-9a-f]{8}", "SPI"),
    (r"just now|a moment ago|\d+ (second|minute)s? ago", "AGO"),
    (r"in \d+ (h|min|s|minutes?|hours?|seconds?)\b", "SOON"),
    (r"\b\d+(\.\d+)? ?(s|ms|kB|B)\b", "SIZE"),
    (r"process \d+", "PROCESS"),
    (r"\d+ entries", "SOME entries"),
    (r"time \d+ms", "RTT"),
    (r"id=0x[0-9a-f]{4}|request in \d+", "PACKET"),
    (r"\b\d+ without security", "SOME without security"),
    (r".*\(again\)$", ""),
    (r"[ \t]+", " "),
)


class Session:
    """Two hosts, each with its folder, and the services that were started in them."""

    def __init__(self, alice: Host, bob: Host, folder: Path) -> None:
        self._hosts = {"alice": alice, "bob": bob}
        self._folder = folder
        self._services: dict[str, Service] = {}
        for name in self._hosts:
            document(folder / name, POLICY, KEY)
        wrapper = folder / "bin" / "ringfence"
        wrapper.parent.mkdir()
        words = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
        wrapper.write_text(f'#!/bin/sh\nexec env {words} COLUMNS=100 {sys.executable} -m ringfence "$@"\n')
        wrapper.chmod(0o755)

    def run(self, name: str, command: str) -> str:
        """What a command says."""
        host, home = self._hosts[name], self._folder / name
        if command.startswith("ringfence run "):
            _, _, policy, *words = command.removesuffix(" &").split()
            words = [str(home / word) if not word.startswith("--") else word for word in words]
            self._services[name] = Service(host, home / policy, *words)
            return ""
        script = f"PATH={self._folder}/bin:$PATH:/usr/sbin:/sbin; cd {home}; {{ {command}\n}} 2>&1"
        if command.endswith(" &"):
            host.spawn("sh", "-c", f"cd {home}; exec {command.removesuffix(' &')}", stderr=subprocess.DEVNULL)
            time.sleep(1)
            return ""
        said = host.run("sh", "-c", script, check=False).stdout
        if command.startswith("kill -9"):
            self._services[name].process.wait(10)
        return said.replace(f"{home}/", "")

    def captured(self, name: str) -> bool:
        """Whether tcpdump captured anything, which it may not as the root of a user namespace."""
        return any(path.stat().st_size > 100 for path in (self._folder / name).glob("*.pcap"))

    def close(self) -> None:
        """Stop what runs."""
        for service in self._services.values():
            if service.process.poll() is None:
                service.stop()


@contextmanager
def session() -> Iterator[Session]:
    """Fresh hosts."""
    with tempfile.TemporaryDirectory() as folder, routed_pair() as (alice, _router, bob):
        one = Session(alice, bob, Path(folder))
        try:
            yield one
        finally:
            one.close()


def steps(block: str) -> Iterator[tuple[str, str, str]]:
    """Host, command and what the page says it says."""
    found: list[tuple[str, str, list[str]]] = []
    for line in block.splitlines():
        if prompt := PROMPT.match(line):
            found.append((prompt["host"], prompt["command"], []))
        else:
            found[-1][2].append(line)
    return ((host, command, "\n".join(said)) for host, command, said in found)


def kinds(said: str) -> list[str]:
    """What was said, with kinds in place of what differs from run to run."""
    for pattern, kind in KINDS:
        said = re.sub(pattern, kind, said, flags=re.MULTILINE)
    return [line.strip() for line in said.splitlines() if line.strip()]


def replayed(text: str) -> str:
    """The page with what its commands said just now."""
    with session() as now:

        def play(found: re.Match[str]) -> str:
            lines: list[str] = []
            for host, command, before in steps(found[0]):
                said = now.run(host, command).strip("\n")
                said = before if said == FASTER else said
                lines += [f"{host}# {command}", *map(str.rstrip, said.splitlines())]
            return "\n".join(lines) + "\n"

        return BLOCK.sub(play, text)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(replayed(page.read_text()))
