# SPDX-License-Identifier: Apache-2.0
"""Dynamic rules of ``netsh ipsec``."""

from ringfence.policy.document import parse
from ringfence.policy.model import Need, Reading, Verb
from ringfence.policy.scope import LinkKind
from ringfence.policy.terms import CrlCheck
from ringfence.policy.windows import DefaultExempt
from ringfence.policy.write import canonical
from ringfence.transfer.base import Imported
from ringfence.transfer.netsh.importing import read_script

TERMS = ("add mmpolicy m 3 60 mmsecmethods=3DES-SHA1-2", "add qmpolicy q yes grpmm AH[SHA1]")


def of(*lines: str) -> Imported:
    found = read_script("\n".join(f"netsh ipsec dynamic {line}" for line in lines), "x")
    assert parse(canonical(found.policy), name="x") == found.policy
    return found


def whys(found: Imported) -> list[str]:
    return [f"{one.place.partition(':')[2]} {one.why}" for one in found.left_out]


def test_a_rule_that_negotiates() -> None:
    found = of(*TERMS, "add rule any me m q tcp dstport=80 conntype=dialup psk=k")
    (rule,) = found.policy.rules
    assert (rule.name, rule.secure.outward, rule.pfs, rule.legacy) == (
        "dynamic any tcp <-> me:80",
        Need.REQUEST,
        True,
        True,
    )
    assert rule.main_mode is not None
    assert (rule.main_mode.lifetime_s, rule.main_mode.sessions) == (3600, 3)
    assert list(map(str, rule.traffic)) == ["tcp from 80"]
    assert rule.scope.interfaces == (LinkKind.REMOTE_ACCESS,)
    assert "here it stays" in found.notes[-1].why


def test_rules_that_permit_or_block() -> None:
    found = of(
        "add rule me any m actioni=permit actiono=permit",
        "add rule any me m protocol=tcp dstport=9 mirrored=no actioni=block actiono=block",
    )
    permit, block = found.policy.filters
    assert (permit.verb, permit.mirrored, permit.direction) == (Verb.PERMIT, True, Reading.OUT)
    assert (block.verb, block.mirrored, block.direction) == (Verb.BLOCK, False, Reading.IN)
    assert list(map(str, block.traffic)) == ["tcp to 9"]


def test_rules_are_changed_and_deleted() -> None:
    found = of(
        *TERMS,
        "add rule me any m q psk=k",
        "set rule me any actioni=block actiono=block",
        "add rule me 10.0.0.1 m q",
        "delete rule me 10.0.0.1",
        "delete rule me 10.0.0.2",
    )
    assert found.policy.rules == ()
    assert found.policy.filters[0].verb is Verb.BLOCK
    assert whys(of(*TERMS, "add rule me any m q", "add rule me any m q", "set rule me 10.0.0.1 qmp=q")) == [
        "4 there is such a rule already, and netsh refuses it",
        "5 there is no such rule",
    ]
    assert of(*TERMS, "add rule me any m q", "delete all").policy.rules == ()


def test_what_cannot_be_carried_over() -> None:
    found = of(
        *TERMS,
        "add rule me any m q tunneldst=10.0.0.1",
        "add rule me 10.0.0.1 m q mirrored=no",
        "add rule me 10.0.0.2 m",
        "add rule me 10.0.0.3 m q actioni=permit",
        "add rule me 10.0.0.4 m q actioni=permit actiono=block",
        "add mmpolicy n softsa=9 mmlifetime=9999",
    )
    assert [why.partition(" ")[0] for why in whys(found)] == ["3", "4", "5", "6", "7", "8"]
    assert found.policy.rules == found.policy.filters == ()
    assert "at most" in found.notes[0].why


def test_terms_are_changed_and_deleted() -> None:
    lines = (
        *TERMS,
        "set qmpolicy q soft=no pfsgroup=grp3",
        "set mmpolicy m mmlifetime=120",
        "add rule me any m q psk=k",
    )
    (rule,) = of(*lines).policy.rules
    assert rule.secure.outward is Need.REQUIRE
    assert rule.main_mode is not None
    assert rule.main_mode.lifetime_s == 7200
    assert of(*lines, "delete qmpolicy q").policy.rules == ()
    assert of(*lines, "delete qmpolicy all", "delete mmpolicy m").policy.rules == ()


def test_settings_of_the_service() -> None:
    found = of("set config strongcrlcheck 2", "set config ipsecexempt 4", "set config ikelogging 1", "set config x y")
    assert found.policy.settings.crl_check is CrlCheck.STRICT
    assert [why.partition(" ")[0] for why in whys(found)] == ["2", "3", "4"]
    text = "ipsec static add filter l me any\nipsec static add policy p assign=y\nipsec static add rule r p l Block\n"
    exempt = read_script(text + "ipsec dynamic set config ipsecexempt 1", "x")
    assert exempt.policy.ipsec is not None
    assert exempt.policy.ipsec.exempt is DefaultExempt.MULTICAST
    assert "there is none" in of("set config ipsecexempt 1").left_out[0].why
