# SPDX-License-Identifier: Apache-2.0
"""Whole Group Policy objects: the specification's example, and one with what that has not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.transfer.grouppolicy.objects import instructions, pol, vector

from ringfence.policy.document import parse
from ringfence.policy.write import canonical
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.formats import guess
from ringfence.transfer.grouppolicy.importing import Source, read_file, read_objects
from ringfence.transfer.grouppolicy.preg import encode, sz
from ringfence.transfer.grouppolicy.sets import BASE


@pytest.mark.parametrize("name", ["specification", "domain-isolation"])
def test_the_document_of_an_object_says_the_same(name: str) -> None:
    found = read_file(pol(name), f"{name}.pol")
    assert parse(canonical(found.policy), name="x") == found.policy


def test_the_published_example() -> None:
    found = read_file(pol("specification"), "gpo.pol")
    assert [(one.name, str(one.secure)) for one in found.policy.rules] == [
        ("Tunnel From Internet To Corp", "require"),
        ("Exempt TCP Ports on Specific boxes", "none"),
        ("Domain Isolation Rule", "in require, out request"),
    ]
    sets = [one.name for one in found.policy.quick_mode_cryptos]
    assert sets == [
        "Tunnel From Internet To Corp - Phase 2 Crypto Set",
        "AuthIP Domain Isolation Rule - Phase 2 Crypto Set",
    ]
    second = found.policy.quick_mode_cryptos[1]
    assert list(map(str, second.protect)) == ["esp null-sha1", "esp null-aes128-gmac", "ah sha1", "esp 3des-sha1"]
    assert [one.words for one in found.left_out] == [
        "DefaultInboundAction", 'rule of the firewall "Firewall Rule Test"'
    ]  # fmt: skip


def test_what_of_the_other_object_is_left_out() -> None:
    found = read_file(pol("domain-isolation"), "gpo.pol")
    assert [one.words for one in found.left_out if one.place.split(":")[1].startswith(("Con", "Main"))] == [
        'rule "broken"', 'rule "without its set"', 'main mode rule "group 24"'
    ]  # fmt: skip
    assert len(found.policy.rules) == 5
    assert dict(found.secrets) == {"lab-key.psk": "a key of the lab\n"}
    assert "a key of the lab" not in repr(found)


def test_of_two_objects_the_later_has_precedence() -> None:
    low = encode(instructions({"ConSecRules": {"{1}": "v2.0|Action=DoNotSecure|Active=TRUE|Name=low|",
                                               "{2}": "v2.0|Action=DoNotSecure|Active=TRUE|Name=both|"}}))  # fmt: skip
    high = encode(instructions({"ConSecRules": {"{1}": "v2.0|Action=DoNotSecure|Active=TRUE|Name=high|"}}))
    found = read_objects([Source("Low", low), Source("High", high)])
    assert {one.name: str(one.place) for one in found.policy.rules} == {"high": "High", "both": "Low"}
    assert [str(note) for note in found.notes] == [
        'Low:ConSecRules\\{1}: {1}: "High" has precedence, and says otherwise'
    ]


def test_what_is_about_other_things_is_counted_and_unknown_directives_named() -> None:
    others = [sz("Software\\Policies\\Other", "a", "b"), sz(f"{BASE}\\ConSecRules", "**Later", "x")]
    found = read_file(encode([*vector("specification"), *others]), "x.pol")
    assert any(note.words == "1 setting" for note in found.notes)
    assert any(left.words == "**Later" for left in found.left_out)


def test_octets_that_are_no_file() -> None:
    with pytest.raises(ImportFailed) as caught:
        read_file(pol("specification")[:-1], "x.pol")
    assert str(caught.value).startswith('x.pol: it cannot be read: no "]" where an instruction ends at octet')


def test_it_is_known_by_how_it_begins() -> None:
    found = guess(pol("specification").decode("cp1252", "replace"), "x")
    assert found is not None
    assert found.name == "registry.pol"


VALUES = [one for name in ("specification", "domain-isolation") for one in vector(name)]
TEXTS = [one.text for one in VALUES if one.text is not None]


@settings(deadline=None, max_examples=25)
@given(st.lists(
    st.tuples(
        st.sampled_from(VALUES), st.sampled_from(TEXTS) | st.text(max_size=20), st.integers(0, 60),
        st.sampled_from(["", "|", "=", "TRUE", "9", "\0"]),
    ), max_size=8,
))  # fmt: skip
def test_no_value_confuses_a_reader(changes: list[tuple[object, str, int, str]]) -> None:
    odd = [
        sz(one.key, one.value, text[:at] + mark + text[at:])  # type: ignore[attr-defined]
        for one, text, at, mark in changes
        if "\0" not in text
    ]
    found = read_file(encode([*VALUES, *odd]), "x.pol")
    assert parse(canonical(found.policy), name="x") == found.policy
