# SPDX-License-Identifier: Apache-2.0
"""Rules and filters out of drafts."""

from dataclasses import replace

import pytest

from ringfence.net.address import AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.methods import parse_method
from ringfence.policy.model import ANY, ME, Filter, HostName, Kind, Rule, Verb
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.building import DROP, PASS, TRANSPORT, Draft, build
from ringfence.transfer.swanctl.selectors import parse_selectors

HERE, THERE = AddressRange.parse("192.0.2.1"), AddressRange.parse("192.0.2.2")
NET = AddressRange.parse("10.2.0.0/16")
PLAIN = Draft("x", 1, "connection x", local_addrs=(HERE,), remote_addrs=(THERE,))


def rule(draft: Draft, report: Report | None = None) -> Rule:
    (found,) = build(draft, report or Report("x"))
    assert isinstance(found, Rule)
    return found


def test_tunnels() -> None:
    found = rule(replace(PLAIN, remote_ts=parse_selectors("10.2.0.0/16")))
    assert (found.local, found.remote, found.gateways) == ((HERE,), (NET,), Gateways(THERE.first, HERE.first))
    assert found.kind is Kind.TUNNEL
    anybody = rule(replace(PLAIN, local_addrs=(), remote_addrs=()))
    assert (anybody.local, anybody.remote, anybody.gateways) == (ME, ANY, Gateways(None))
    assert not anybody.initiate


def test_ends_of_tunnels() -> None:
    report = Report("x")
    assert rule(replace(PLAIN, remote_addrs=(THERE, NET)), report).gateways == Gateways(THERE.first, HERE.first)
    assert "192.0.2.2 only" in report.left_out[0].why
    assert rule(replace(PLAIN, remote_addrs=(NET,)), report).gateways == Gateways(None, HERE.first)
    assert len(report.notes) == 1
    with pytest.raises(BadWord, match=r"gate\.example\.org"):
        rule(replace(PLAIN, remote_addrs=(HostName("gate.example.org"),)))


def test_transport() -> None:
    found = rule(replace(PLAIN, mode=TRANSPORT, local_addrs=(), remote_addrs=(HostName("db.example.org"),)))
    assert (found.local, found.remote, found.kind) == (ME, (HostName("db.example.org"),), Kind.ISOLATION)
    weak = Report("x")
    assert rule(replace(PLAIN, protect=(parse_method("esp 3des-md5"),)), weak).legacy
    assert "3des, md5 are weak" in weak.notes[0].why


def test_families() -> None:
    six = AddressRange.parse("2001:db8::1")
    for draft in (replace(PLAIN, mode=TRANSPORT, remote_addrs=(six,)), replace(PLAIN, remote_addrs=(six,))):
        with pytest.raises(BadWord, match="IPv4 at one end"):
            rule(draft)
    with pytest.raises(BadWord, match="its tunnel has IPv4"):
        rule(replace(PLAIN, remote_addrs=(six,), remote_ts=parse_selectors("10.2.0.0/16")))


def test_shunts() -> None:
    draft = replace(PLAIN, mode=DROP, remote_ts=parse_selectors("10.2.0.0/16[tcp/23] 10.2.0.0/16[udp/69] 10.3.0.0/16"))
    found = [*build(draft, Report("x"))]
    assert all(isinstance(one, Filter) and one.verb is Verb.BLOCK for one in found)
    assert [one.name for one in found] == ["x", "x 2"]
    assert [list(map(str, one.traffic)) for one in found] == [["tcp to 23", "udp to 69"], ["any"]]
    (everything,) = build(replace(PLAIN, mode=PASS), Report("x"))
    assert (everything.local, everything.remote) == (ME, ANY)
    with pytest.raises(BadWord, match="about nothing"):
        rule(replace(PLAIN, local_ts=parse_selectors("[tcp]"), remote_ts=parse_selectors("[udp]")))
