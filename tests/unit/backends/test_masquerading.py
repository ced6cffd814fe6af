# SPDX-License-Identifier: Apache-2.0
import struct
from pathlib import Path

import pytest

from ringfence.backends import masquerading
from ringfence.backends.masquerading import masquerades, translating
from ringfence.backends.nfnetlink import attribute


def described(kind: bytes = b"nat\0", hook: int = 4, used: int = 1) -> dict[int, bytes]:
    """A chain as nf_tables tells of it."""
    hooks = attribute(1, struct.pack("!I", hook)) + attribute(2, struct.pack("!i", 100))
    return {1: b"t\0", 4: hooks, 6: struct.pack("!I", used), 7: kind}


def test_a_chain_for_source_addresses_that_has_rules() -> None:
    assert translating(described())
    assert not translating(described(kind=b"filter\0"))
    assert not translating(described(hook=0)), "that of destinations"
    assert not translating(described(used=0))
    assert not translating({1: b"t\0", 6: bytes(4)}), "a chain without a hook"


def test_only_who_forwards_masquerades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masquerading, "_translates", lambda: True)
    assert not masquerades(tmp_path)
    for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        path = tmp_path / name.split("/")[0] / "proc/sys/net" / name
        path.parent.mkdir(parents=True)
        path.write_text("0\n")
        root = tmp_path / name.split("/")[0]
        assert not masquerades(root)
        path.write_text("1\n")
        assert masquerades(root)


def test_the_older_iptables_lists_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masquerading, "_translates", lambda: False)
    for name, text in (("proc/sys/net/ipv4/ip_forward", "1\n"), ("proc/self/net/ip_tables_names", "filter\n")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert not masquerades(tmp_path)
    (tmp_path / "proc/self/net/ip_tables_names").write_text("filter\nnat\n")
    assert masquerades(tmp_path)


def test_the_kernel_is_asked() -> None:
    assert masquerading._translates() in (True, False)
