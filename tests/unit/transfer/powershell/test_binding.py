# SPDX-License-Identifier: Apache-2.0
"""Which argument is for which parameter."""

import pytest

from ringfence.transfer.powershell.binding import Given, NotKnown, Refused, bind
from ringfence.transfer.powershell.parameters import cmdlet
from ringfence.transfer.powershell.values import Kind, Thing, Unknown, Value


def bound(name: str, *arguments: Given) -> dict[str, Value]:
    found = cmdlet(name)
    assert found is not None
    given = bind(found, arguments)
    if given.unknown:
        raise NotKnown(next(iter(given.unknown.values())))
    return given.values


def named(name: str) -> Given:
    return Given(name, None, valued=False)


def test_names_beginnings_and_aliases() -> None:
    found = bound(
        "new-netipsecrule", named("displayn"), Given("", "x"), named("SecIn"), Given("", "require"),
        Given("enabled", "False"), named("ID"), Given("", "n"),
    )  # fmt: skip
    assert found == {"DisplayName": "x", "InboundSecurity": "Require", "Enabled": "False", "IPsecRuleName": "n"}


def test_switches_and_what_stands_by_its_place() -> None:
    assert bound("new-netipsecauthproposal", named("Machine"), named("kerb")) == {"Machine": True, "Kerberos": True}
    assert bound("set-netipsecrule", Given("", "n"), named("Enabled"), Given("", "True")) == {
        "IPsecRuleName": ("n",), "Enabled": "True"
    }  # fmt: skip
    assert bound("get-netipsecrule", Given("All", False)) == {"All": False}


def test_forms() -> None:
    found = bound(
        "new-netipsecrule", Given("Profile", "domain, private"), Given("RemoteAddress", ("a", "b")),
        Given("RequireAuthorization", True), Given("ForwardPathLifetime", "100"), Given("LocalPort", 5),
    )  # fmt: skip
    assert found == {
        "Profile": ("Domain", "Private"), "RemoteAddress": ("a", "b"), "RequireAuthorization": True,
        "ForwardPathLifetime": 100, "LocalPort": ("5",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([Given("Nonsense", "x")], "has no parameter -nonsense"),
        ([Given("Phase", "x")], "may stand for each of -Phase1AuthSet, -Phase2AuthSet"),
        ([Given("Mode", "Sideways")], "-Mode takes None, Transport, Tunnel, and not 'Sideways'"),
        ([named("Mode")], "-Mode has no value"),
        ([named("Mode"), named("Enabled"), Given("", "True")], "-Mode has no value"),
        ([Given("Mode", "Tunnel"), Given("Mode", "None")], "-Mode is said twice"),
        ([Given("", "x")], "a value stands there without a parameter"),
        ([Given("Phase1AuthSet", Thing(Kind.PHASE1, {}, 1))], "write NetIPsecPhase1AuthSet as"),
        ([Given("Mode", ("Tunnel", "None"))], "-Mode takes one of"),
        ([Given("ForwardPathLifetime", "x")], "takes a number"),
        ([Given("RequireAuthorization", "maybe")], "takes \\$true or"),
        ([Given("DisplayName", ("a", "b"))], "takes one text, and 2 stand there"),
    ],
)
def test_what_windows_refuses(given: list[Given], why: str) -> None:
    with pytest.raises(Refused, match=why):
        bound("new-netipsecrule", *given)


def test_what_is_not_known() -> None:
    with pytest.raises(NotKnown, match="-RemoteAddress is not known, for Read-Host asks"):
        bound("new-netipsecrule", Given("RemoteAddress", ("a", Unknown("Read-Host asks for it"))))
    assert bound("new-netipsecrule", Given("PolicyStore", Unknown("x"))) == {"PolicyStore": "?"}
