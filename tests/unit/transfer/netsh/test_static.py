# SPDX-License-Identifier: Apache-2.0
"""A store of IPsec policies as commands make and change it."""

import pytest

from ringfence.net.address import parse_address
from ringfence.policy.model import Connection, Kerberos, PskFile
from ringfence.policy.windows import Response
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.session import Session
from ringfence.transfer.netsh.static import TAGS, Static
from ringfence.transfer.netsh.words import cut


def store(*lines: str) -> Static:
    made = Static(Session())
    run(made, *lines)
    return made


def run(made: Static, *lines: str) -> None:
    for line in lines:
        verb, noun, rest = [*line.split(maxsplit=2), ""][:3]
        command = f"{verb} {noun}"
        made.run(command, Arguments(cut(rest), TAGS[command]))


BASE = ("add filter l me any", "add filteraction a", "add policy p", "add rule r p l a")


def test_names_are_the_same_in_any_case() -> None:
    made = store("add filter List me any", "add filteraction Act block", "add policy Pol", "add rule R pol LIST act")
    rule = made.policies["pol"].rules[0]
    assert (rule.filter_list, rule.filter_action) == ("List", "Act")


@pytest.mark.parametrize(
    "line",
    [
        "add policy P", "add filterlist L", "add filteraction A", "add rule R p l a", "set policy q assign=y",
        "set policy name=p guid={1}", "set filterlist q newname=x", "set filteraction q action=block",
        "set rule q policy=p activate=no", "set rule id=1 policy=p", "delete rule id=1 policy=p", "add rule x p q a",
        "add rule x p l q", "add rule x q l a", "add rule x p l a tunnel=gate.example", "add policy", "add rule x p",
        "add filterlist <Dynamic>", "add filter <Dynamic> me any",
        "delete filterlist l", "delete filteraction a", "set rule r policy=p conntype=wlan", "add policy x qmpermm=x",
        "add policy x mmsecmethods=x", "add filteraction x qmsecmethods=x", "add filteraction x action=x",
    ],
)  # fmt: skip
def test_refused(line: str) -> None:
    made = store(*BASE)
    with pytest.raises(Refused):
        run(made, line)
    assert len(made.policies["p"].rules) == 1
    assert made.policies["p"].rules[0].enabled
    assert (len(made.policies), len(made.lists), len(made.actions)) == (1, 1, 1)


def test_policy_settings() -> None:
    made = store(
        'add policy p "words" yes 5 60 yes 90 yes "3DES-SHA1-2"', "set policy p newname=Q mmlifetime=120 mmpfs=no",
        "set policy q gponame=x",
    )  # fmt: skip
    policy = made.policies["q"]
    assert (policy.description, policy.pfs, policy.sessions, policy.poll_s) == ("words", False, 5, 5400)
    assert policy.default_rule.active
    assert made.assigned == "q"
    assert [one.limits.seconds for one in policy.methods] == [7200]
    run(made, "set policy q assign=no", "add policy z assign=no")
    assert made.assigned == ""
    run(made, "set policy q mmlifetime=9999 pollinginterval=0")
    assert (policy.lifetime_s, policy.poll_s) == (172_799, 60)


def test_actions() -> None:
    made = store('add filteraction a "words" yes yes yes negotiate "AH[SHA1]"')
    action = made.actions["a"].value
    assert (action.description, action.pfs, action.accept_unsecured, action.fallback_to_clear) == (
        "words", True, True, True,
    )  # fmt: skip
    run(made, "set filteraction a newname=b qmpfs=no soft=no")
    changed = made.actions["b"].value
    assert (changed.pfs, changed.accept_unsecured, changed.fallback_to_clear) == (False, True, False)
    assert changed.methods == action.methods
    run(made, "set filteraction b action=block")
    assert made.actions["b"].value.response is Response.BLOCK
    assert made.actions["b"].value.methods == ()


def test_rules() -> None:
    made = store(
        *BASE, 'set rule r policy=p newname=s tunnel=10.0.0.1 conntype=dialup activate=no desc="d" kerberos=yes psk="k"'
    )
    rule = made.policies["p"].rules[0]
    assert rule.auth == (Kerberos(), PskFile("r.psk"))
    assert (rule.name, rule.tunnel, rule.connection, rule.enabled, rule.description) == (
        "s", parse_address("10.0.0.1"), Connection.REMOTE_ACCESS, False, "d",
    )  # fmt: skip
    run(made, "set rule s policy=p tunnel=none activate=yes")
    assert (rule.tunnel, rule.enabled, rule.auth) == (None, True, (Kerberos(), PskFile("r.psk")))


def test_renaming_and_deleting() -> None:
    made = store(*BASE, "set filterlist l newname=list desc=d", "set filteraction a newname=act", "add filterlist free")
    rule = made.policies["p"].rules[0]
    assert (rule.filter_list, rule.filter_action) == ("list", "act")
    assert made.lists["list"].value.description == "d"
    run(made, "delete filterlist all", "delete filteraction all")
    assert set(made.lists) == {"list"}
    run(made, "delete rule none p", "delete filter list any me", "delete filter nowhere me any", "delete policy none")
    assert len(made.lists["list"].value.filters) == 1
    run(made, "delete filter list me any protocol=any", "delete rule R policy=P")
    assert made.lists["list"].value.filters == ()
    run(made, "delete filterlist list", "delete filteraction act")
    assert not made.lists
    assert not made.actions
    run(made, *BASE[:2], *BASE[3:], "delete rule all p")
    assert made.policies["p"].rules == []
    run(made, "set policy p assign=y", "delete policy P")
    assert (made.policies, made.assigned) == ({}, "")
    run(made, "add policy p assign=y", "delete policy all")
    assert (made.policies, made.assigned) == ({}, "")
    run(made, "add policy p assign=y", "delete all")
    assert (made.policies, made.lists, made.actions, made.assigned) == ({}, {}, {}, "")


def test_the_same_filter_is_in_a_list_once() -> None:
    made = store("add filter l me any desc=one", "add filter l me any desc=two", "add filter l me any mirrored=no")
    assert [one.description for one in made.lists["l"].value.filters] == ["one", ""]


def test_the_default_rule() -> None:
    made = store("add policy p", 'set defaultrule p yes yes "AH[SHA1]" psk=k', "set defaultrule p qmpfs=no")
    rule = made.policies["p"].default_rule
    assert (rule.active, rule.pfs, list(map(str, rule.methods))) == (True, False, ["ah sha1"])
    assert rule.auth == (PskFile("default-response.psk"),)


def test_what_nobody_made() -> None:
    made = store(
        'add rule r "server (request security)" "all icmp traffic" permit',
        'set policy "Server (Request Security)" assign=y',
    )
    assert made.assigned == "server (request security)"
    policy = made.policies[made.assigned]
    assert policy.based_on == "Server (Request Security)"
    assert (policy.rules[0].filter_list, policy.rules[0].filter_action) == ("All ICMP Traffic", "Permit")


def test_stores() -> None:
    session = Session()
    made = Static(session)
    run(made, "set store local", "set store domain x.example")
    assert len(session.notes) == 1
    assert '"domain"' in session.notes[0].why
