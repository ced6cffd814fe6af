# SPDX-License-Identifier: Apache-2.0
"""Rules and settings of ``netsh advfirewall`` as a script makes and changes them."""

from ringfence.policy.document import parse
from ringfence.policy.terms import Kerberos
from ringfence.policy.write import canonical
from ringfence.transfer.base import Imported
from ringfence.transfer.netsh.importing import read_script

RULE = (
    "consec add rule name=a endpoint1=any endpoint2=10.0.0.1 action=requireinrequireout auth1=computerkerb "
    "qmsec=ah:sha1"
)


def of(*lines: str) -> Imported:
    found = read_script("\n".join(f"netsh advfirewall {line}" for line in lines), "x")
    assert parse(canonical(found.policy), name="x") == found.policy
    return found


def whys(found: Imported) -> list[str]:
    return [f"{one.place.partition(':')[2]} {one.why}" for one in found.left_out]


def test_rules_are_changed_and_deleted_by_all_that_is_said() -> None:
    again = RULE.replace("10.0.0.1", "10.0.0.2")
    found = of(
        RULE, again, "consec set rule name=A endpoint2=10.0.0.2 new name=b enable=no", "consec delete rule name=a"
    )
    assert [(one.name, one.enabled) for one in found.policy.rules] == [("b", False)]
    assert of(RULE, again, "consec delete rule name=all", RULE).policy.rules[0].name == "a"
    none = of(RULE, "consec set rule name=z new enable=no", "consec set rule name=a", "consec delete rule name=z")
    assert whys(none) == ["2 there is no such rule"]
    assert none.policy.rules[0].enabled


def test_names_are_told_apart() -> None:
    found = of(RULE, RULE, "firewall add rule name=a dir=out action=block remoteip=10.0.0.9")
    assert [one.name for one in (*found.policy.rules, *found.policy.filters)] == ["a", "a (2)", "a (3)"]
    assert whys(of("consec add rule name=all action=noauthentication", "consec add rule action=noauthentication")) == [
        '1 a rule has to have a name, and not "all"', '2 a rule has to have a name, and not "all"',
    ]  # fmt: skip


def test_a_rule_that_no_document_may_have_is_left_out() -> None:
    found = of(RULE.replace("ah:sha1", "authnoencap:sha1"), RULE + " qmpfs=dhgroup14")
    assert [one.place for one in found.left_out] == ["x:1"]
    assert "null encapsulation only" in found.left_out[0].why


def test_windows_defaults_are_told() -> None:
    found = of("consec add rule name=a endpoint1=any endpoint2=any action=requestinrequestout")
    assert found.policy.settings.auth == (Kerberos(),)
    assert [one.why.partition(",")[0].partition(":")[0] for one in found.notes] == [
        "its first authentication is left to Windows' default", "its methods are left to Windows' default",
    ]  # fmt: skip


def test_reset_and_stores() -> None:
    found = of(RULE, "set global ipsec saidletimemin 9", "reset", RULE.replace("name=a", "name=b"), "set store local",
               "set store gpo=corp\\x")  # fmt: skip
    assert [one.name for one in found.policy.rules] == ["b"]
    assert found.policy.settings.idle_s == 300
    assert len(found.notes) == 1


def test_settings_of_profiles() -> None:
    found = of("set domainprofile settings localconsecrules disable", "set allprofiles state off")
    assert not found.policy.settings.local_rules
    assert [one.place for one in found.left_out] == ["x:2"]
    assert whys(of("import a.wfw", "export a.wfw", "monitor delete mmsa all"))[0].startswith("1 the file that it reads")
