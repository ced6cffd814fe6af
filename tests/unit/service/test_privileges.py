# SPDX-License-Identifier: Apache-2.0
"""What is missing is said with its cure; what is not needed is given away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.service import privileges
from ringfence.service.errors import CannotRun

ALL = sum(1 << number for number in privileges.NEEDED)


def test_all_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tun = tmp_path / "tun"
    tun.write_text("")
    monkeypatch.setattr(privileges, "effective", lambda: ALL)
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/sbin/nft")
    privileges.check(tun=tun)


def test_each_missing_thing_has_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(privileges, "effective", lambda: ALL & ~(1 << privileges.NET_ADMIN))
    with pytest.raises(CannotRun, match="CAP_NET_ADMIN is missing") as caught:
        privileges.check(tun=tmp_path / "tun")
    assert "sudo" in caught.value.cure
    monkeypatch.setattr(privileges, "effective", lambda: ALL)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(CannotRun, match="nft") as caught:
        privileges.check(tun=tmp_path / "tun")
    assert "apt install nftables" in caught.value.cure
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/sbin/nft")
    with pytest.raises(CannotRun, match="No such file") as caught:
        privileges.check(tun=tmp_path / "tun")
    assert "modprobe tun" in caught.value.cure


STORY = (
    "import subprocess; from ringfence.service import privileges as p; p.keep_only();"
    "print(p.effective()); print(subprocess.run(['grep', '-E', 'CapEff|CapBnd|NoNewPrivs', '/proc/self/status'],"
    "capture_output=True, text=True).stdout)"
)
needs_root = pytest.mark.skipif(
    not privileges.effective() >> privileges.SETPCAP & 1, reason="needs CAP_SETPCAP, to give capabilities away"
)


def given_away(*before: str) -> tuple[int, dict[str, str]]:
    run = subprocess.run(
        [*before, sys.executable, "-c", STORY], capture_output=True, text=True, check=True, cwd=os.getcwd()
    )
    kept, *pairs = run.stdout.split()
    return int(kept), dict(zip(pairs[::2], pairs[1::2], strict=True))


@needs_root
def test_what_is_given_away_is_gone_for_children_too() -> None:
    kept, child = given_away()
    assert kept == ALL & privileges.effective()
    assert child == {"NoNewPrivs:": "1", "CapEff:": f"{kept:016x}", "CapBnd:": f"{kept:016x}"}


@needs_root
def test_who_may_not_set_bounds_gives_away_what_is_his() -> None:
    """As in a container that was given only what the service needs."""
    kept, child = given_away("setpriv", "--bounding-set=-setpcap", "--inh-caps=-setpcap")
    assert kept == ALL & privileges.effective()
    assert child["NoNewPrivs:"] == "1"


def test_a_policy_in_somebody_s_home_needs_one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("")
    policy.chmod(0o600)
    assert privileges.DAC_READ_SEARCH not in privileges.wanted([policy])
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert privileges.DAC_READ_SEARCH in privileges.wanted([policy])
    assert privileges.DAC_READ_SEARCH in privileges.wanted([policy, tmp_path / "gone" / "policy.toml"])
    assert privileges.wanted([Path("/etc/hostname")]) == tuple(privileges.NEEDED)
