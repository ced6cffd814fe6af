# SPDX-License-Identifier: Apache-2.0
"""Hosts are apart, cables join them, and nothing is left."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringfence.demo.namespaces import CommandFailed, Lab, NoLab, routed_pair


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "nsenter" in Lab.obstacle()


def test_a_refusal_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.demo.namespaces.UNSHARE", "false")
    with pytest.raises(NoLab, match="user namespaces"), Lab() as lab:
        lab.host("a")
    assert "user namespaces" in Lab.obstacle()


@pytest.mark.root
def test_two_hosts_and_a_router() -> None:
    with routed_pair(mtu=1400) as (alice, router, bob):
        assert "ttl=63" in alice.run("ping", "-c1", bob_address := "10.77.2.1").stdout
        assert alice.run("cat", "/sys/class/net/eth0/mtu", check=False).returncode in (0, 1)
        assert "mtu 1400" in bob.run("ip", "link", "show", "eth0").stdout
        assert alice.run("ls", "/run").stdout == ""
        assert alice.run("pwd").stdout.strip() == os.getcwd()
        assert alice.run("cat", text="hello").stdout == "hello"
        with pytest.raises(CommandFailed, match="alice"):
            alice.run("false")
        before = alice.traces()
        alice.run("nft", "add", "table", "inet", "x")
        assert [name for name, text in alice.traces().items() if text != before[name]] == ["nftables"]
        sleeper = router.spawn("sleep", "100", stdout=subprocess.PIPE)
        assert bob_address
    assert sleeper.returncode == -9


@pytest.mark.root
def test_names_are_once_only() -> None:
    with Lab() as lab:
        lab.host("a")
        with pytest.raises(ValueError):
            lab.host("a")


KILLED = """
import sys, time
from ringfence.demo.namespaces import Lab
lab = Lab()
print(lab.host("a").spawn("sleep", "1000").pid, lab.hosts["a"].pid, flush=True)
time.sleep(100)
"""


@pytest.mark.root
def test_nothing_outlives_a_process_that_is_killed() -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = process.stdout.readline().split()
    while Path(f"/proc/{pids[0]}/comm").read_text() != "sleep\n":  # it is on its way through other programs
        time.sleep(0.01)
    process.kill()
    process.wait()
    process.stdout.close()
    end = time.monotonic() + 5
    while any(_runs(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False
