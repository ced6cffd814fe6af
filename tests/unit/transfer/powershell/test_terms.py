# SPDX-License-Identifier: Apache-2.0
"""Sets of a script as named terms."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.terms import Gone, Names, Terms
from ringfence.transfer.powershell.values import Kind, Thing

PROPOSALS = """
$k = New-NetIPsecAuthProposal -Machine -Kerberos
$u = New-NetIPsecAuthProposal -User -Kerberos
$a = New-NetIPsecPhase1AuthSet -DisplayName A -Proposal $k -Description d
$b = New-NetIPsecPhase2AuthSet -DisplayName B -Proposal $u
$bad = New-NetIPsecPhase1AuthSet -DisplayName Bad -Proposal $u
$mm = New-NetIPsecMainModeCryptoSet -DisplayName M -MaxMinutes 60 -MaxSessions 5 -ForceDiffieHellman $true `
    -Proposal (New-NetIPsecMainModeCryptoProposal -Encryption DES3 -Hash SHA1 -KeyExchange DH2)
$e = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA256 -Encryption AES256 -MaxMinutes 30
$f = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA1 -Encryption AES256
$one = New-NetIPsecQuickModeCryptoSet -DisplayName One -Proposal $e -PerfectForwardSecrecyGroup SameAsMainMode
$two = New-NetIPsecQuickModeCryptoSet -DisplayName Two -Proposal $e,$f -PerfectForwardSecrecyGroup DH14
$odd = New-NetIPsecQuickModeCryptoSet -DisplayName Odd -Proposal $e -PerfectForwardSecrecyGroup DH24
"""


class Made:
    def __init__(self) -> None:
        self.report = Report("x.ps1")
        self.machine = Machine(self.report)
        self.machine.run(Parser(PROPOSALS).script())
        assert not self.report.left_out
        self.terms = Terms(self.machine.session, self.report, KeyFiles())

    def __getitem__(self, name: str) -> Thing:
        found = self.machine.variables[name]
        assert isinstance(found, Thing)
        return found


def test_pairs() -> None:
    made = Made()
    names = [made.terms.auth(made["a"], None), made.terms.auth(made["a"], made["b"]), made.terms.auth(made["a"], None)]
    assert names == ["A", "A + B", "A"]
    assert [(one.name, len(one.first), len(one.second), one.description) for one in made.terms.auth_sets] == [
        ("A", 1, 0, "d"), ("A + B", 1, 1, "d")
    ]  # fmt: skip
    assert made.terms.main_mode_auth(made["a"]) == "A"
    assert made.terms.used(made["b"])
    assert not made.terms.used(made["one"])


def test_main_mode() -> None:
    made = Made()
    assert made.terms.main_mode(made["mm"]) == "M"
    (found,) = made.terms.main_mode_cryptos
    assert (found.legacy, found.mode.lifetime_s, found.mode.sessions, found.mode.force_dh) == (True, 3600, 5, True)
    assert found.mode.methods[0].limits == Limits(3600)


def test_quick_mode() -> None:
    made = Made()
    for name in ("one", "two", "one"):
        made.terms.quick_mode(made[name])
    one, two = made.terms.quick_mode_cryptos
    assert (one.lifetime, one.pfs, one.protect[0].limits) == (Limits(1800, 100_000 << 10), True, Limits())
    assert (two.lifetime, [method.limits.seconds for method in two.protect]) == (None, [1800, 3600])
    assert not two.legacy


def test_what_cannot_be_carried_over() -> None:
    made = Made()
    with pytest.raises(Gone, match=r'"Odd".*DH24 is not served'):
        made.terms.quick_mode(made["odd"])
    for _ in range(2):
        with pytest.raises(Gone, match='"Bad" has nothing'):
            made.terms.auth(made["bad"], None)
    assert len(made.report.left_out) == 1
    with pytest.raises(Gone):
        made.terms.auth(None, None)


def test_finding_a_set() -> None:
    made = Made()
    owner = Thing(Kind.RULE, {}, 7)
    for said in ("", "Default", "None", "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}"):
        assert made.terms.find(Kind.PHASE1, said, owner) is None
    by_name = made.terms.find(Kind.PHASE1, made["a"].name, owner)
    assert by_name is not None
    assert by_name.title == "A"
    assert not made.report.notes
    by_title = made.terms.find(Kind.PHASE1, "a", owner)
    assert by_title is by_name
    assert [one.place for one in made.report.notes] == ["x.ps1:7"]
    with pytest.raises(Gone, match='no Phase1AuthSet "zz"'):
        made.terms.find(Kind.PHASE1, "zz", owner)


def test_names_once_each() -> None:
    names = Names()
    assert [names.take(one) for one in ("a", "A", "a", "b\u00a0c")] == ["a", "A (2)", "a (3)", "b c"]


def test_one_key_and_nothing_behind_it() -> None:
    made = Made()
    made.machine.run(
        Parser(
            "$p = New-NetIPsecAuthProposal -Machine -PSK one; $q = New-NetIPsecAuthProposal -Machine -PSK two\n"
            "$psk = New-NetIPsecPhase1AuthSet -DisplayName P -Proposal $p, $k, $q"
        ).script()
    )
    made.terms.auth(made["psk"], made["b"])
    (found,) = made.terms.auth_sets
    assert (len(found.first), found.second) == (2, ())
    assert [one.words for one in made.report.left_out] == ['more keys of "P"', 'second authentication beside "P"']
