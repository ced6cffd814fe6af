# SPDX-License-Identifier: Apache-2.0
"""The IPsec policy that a store ends up with."""

from ringfence.policy.document import parse
from ringfence.policy.write import canonical
from ringfence.transfer.base import Imported
from ringfence.transfer.netsh.importing import read_script

LISTS = ("add filter l me any", "add filteraction block action=block", "add filteraction n qmsecmethods=AH[SHA1]")


def of(*lines: str) -> Imported:
    found = read_script("\n".join(f"netsh ipsec static {line}" for line in (*LISTS, *lines)), "x")
    assert parse(canonical(found.policy), name="x") == found.policy
    return found


def whys(found: Imported) -> list[str]:
    return [f"{one.place.partition(':')[2]} {one.why}" for one in found.left_out]


def test_no_policy() -> None:
    found = of()
    assert found.policy.ipsec is None
    assert [one.name for one in found.policy.filter_lists] == ["l"]


def test_the_assigned_one_counts() -> None:
    found = of("add policy a", "add rule r a l block", "add policy b assign=y", "add rule r b l block")
    assert found.policy.ipsec is not None
    assert found.policy.ipsec.name == "b"
    assert [(one.name, len(one.rules)) for one in found.policy.unassigned] == [("a", 1)]
    assert (whys(found), found.notes) == ([], ())


def test_none_of_several_is_assigned() -> None:
    found = of("add policy a", "add rule r a l block", "add policy legacy", "add rule r legacy l block")
    assert found.policy.ipsec is None
    assert [one.name for one in found.policy.unassigned] == ["a", "legacy (policy)"]
    assert "none of the policies is assigned" in found.notes[0].why


def test_each_has_its_own_default_response_rule_and_key() -> None:
    found = of(
        "add policy a activatedefaultrule=yes assign=y", "set defaultrule a qmsecmethods=ESP[3DES,SHA1] psk=one",
        "add policy b activatedefaultrule=yes", "set defaultrule b qmsecmethods=AH[SHA1] psk=two",
    )  # fmt: skip
    made = {one.name: str(one.methods[0]) for one in found.policy.filter_actions if "Response" in one.name}
    assert made.keys() == {"Default Response, a", "Default Response, b"}
    assert made["Default Response, a"].startswith("esp 3des-sha1")
    assert sorted(found.secrets.values()) == ["one\n", "two\n"], "the keys of what is not assigned come along, too"


def test_a_policy_that_is_not_assigned() -> None:
    found = of("add policy a", "add rule r a l block")
    assert found.policy.ipsec is not None
    assert "is not assigned" in found.notes[0].why


def test_lists_without_filters() -> None:
    found = of("add policy a assign=y", "add filterlist e", "add rule r a e block")
    assert found.policy.ipsec is None
    assert [why.partition(",")[0] for why in whys(found)] == [
        '4 the policy "a" has no rule', '5 the filter list "e" has no filter', '6 its filter list "e" has no filter',
    ]  # fmt: skip


def test_half_a_tunnel() -> None:
    lines = (
        "add policy a assign=y", "add filter o 10.0.0.0 10.1.0.0 srcmask=16 dstmask=16 mirrored=no",
        "add filter i 10.1.0.0 10.0.0.0 srcmask=16 dstmask=16 mirrored=no", "add rule one a o n tunnel=192.0.2.1 psk=k",
    )  # fmt: skip
    half = of(*lines)
    assert half.policy.ipsec is None
    assert "one direction only" in whys(half)[1]
    whole = of(*lines, "add rule two a i n tunnel=192.0.2.2 psk=k")
    assert whys(whole) == []
    other_action = of(*lines, "add filteraction m qmsecmethods=AH[SHA1]", "add rule two a i m tunnel=192.0.2.2 psk=k")
    assert len(whys(other_action)) == 3
    off = of(*lines[:-1], lines[-1] + " activate=no")
    assert off.policy.ipsec is not None
    assert not off.policy.ipsec.own_rules[0].enabled


def test_a_tunnel_that_blocks() -> None:
    found = of("add policy a assign=y", "add rule r a l block tunnel=192.0.2.1")
    assert "its tunnel has no use" in whys(found)[0]
    assert found.policy.ipsec is not None
    assert found.policy.ipsec.own_rules[0].tunnel is None


def test_rules_that_read_alike() -> None:
    found = of("add policy a assign=y", 'add rule "" a l block', 'add rule "" a l block')
    assert found.policy.ipsec is not None
    assert [one.title for one in found.policy.ipsec.own_rules] == ["l: block", "l: block (2)"]


def test_default_response() -> None:
    plain = of("add policy a activatedefaultrule=yes assign=y")
    assert plain.policy.ipsec is not None
    assert [one.title for one in plain.policy.ipsec.own_rules] == ["<Dynamic>: Default Response"]
    assert "since Vista" in plain.notes[0].why
    own = of("add policy a activatedefaultrule=yes assign=y", "set defaultrule a qmsecmethods=ESP[DES,MD5] psk=k")
    action = own.policy.filter_actions[-1]
    assert (action.name, action.legacy, list(map(str, action.methods))) == ("Default Response", True, ["esp des-md5"])


def test_weak_methods_are_kept_and_named() -> None:
    found = of(
        "add filteraction w qmsecmethods=ESP[DES,MD5]", "add policy a mmsec=DES-MD5-1 assign=y", "add rule r a l w"
    )
    assert found.policy.ipsec is not None
    assert found.policy.ipsec.legacy
    assert [one.why for one in found.notes] == [
        "des, md5 can be broken today", "des, md5, modp768 of main mode can be broken today",
    ]  # fmt: skip


def test_a_default_policy_is_based_on() -> None:
    found = of('set policy "Secure Server (Require Security)" assign=y')
    assert found.policy.ipsec is not None
    assert found.policy.ipsec.based_on == "Secure Server (Require Security)"
    assert found.policy.ipsec.name == ""
    assert len(found.policy.ipsec.rules) == 3
