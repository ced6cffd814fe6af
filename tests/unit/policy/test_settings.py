# SPDX-License-Identifier: Apache-2.0
"""The settings themselves are tried in test_rules and test_ipsec; here is what these do not reach."""

import pytest

from ringfence.policy.decode import Table
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.settings import decode_name, decode_places, either
from ringfence.policy.source import Source
from ringfence.policy.terms import Childless, MainMode
from ringfence.policy.write import canonical


def table(text: str) -> Table:
    source = Source.read(text, name="p")
    return Table(source, (), source.data, [])


def test_the_lines_of_inner_settings() -> None:
    places = decode_places(table("a = 1\nb = { c = 2 }\n"))
    assert {name: place.line for name, place in places.items()} == {"a": 1, "b": 2, "b.c": 2}


def test_a_name_is_needed() -> None:
    found = table("")
    assert decode_name(found) == ""
    assert "has no name" in str(found.findings[0])


def test_either() -> None:
    assert (either(None, 1), either(0, 1)) == (1, 0)


@pytest.mark.parametrize(("word", "seconds"), [('"8 h"', 28_800), ('"60 s"', 60), (None, None)])
def test_how_old_a_proof_may_be(word, seconds):
    text = PROOFS.replace("WORD", word) if word else PROOFS.replace("main-mode.reauthenticate = WORD", "")
    policy = parse(text, name="p.toml")
    mode = policy.rules[0].main_mode or MainMode()
    assert mode.reauthenticate_s == seconds
    again = parse(canonical(policy), name="q.toml").rules[0].main_mode or MainMode()
    assert again.reauthenticate_s == seconds


@pytest.mark.parametrize("word", ['"59 s"', '"soon"', "true"])
def test_a_proof_cannot_be_that_old(word):
    with pytest.raises(PolicyError, match="reauthenticate"):
        parse(PROOFS.replace("WORD", word), name="p.toml")


@pytest.mark.parametrize("word", list(Childless))
def test_whether_contracts_come_after_the_ike_sa(word):
    text = PROOFS.replace("reauthenticate = WORD", f'childless = "{word.value}"')
    mode = parse(text, name="p.toml").rules[0].main_mode
    assert mode is not None
    assert mode.childless is word
    again = parse(canonical(parse(text, name="p.toml")), name="q.toml").rules[0].main_mode or MainMode()
    assert again.childless is word


def test_another_word_for_that():
    text = PROOFS.replace("reauthenticate = WORD", 'childless = "force"')
    with pytest.raises(PolicyError, match="childless") as caught:
        parse(text, name="p.toml")
    assert "prefer" in str(caught.value)


PROOFS = """
[[rule]]
name = "lab"
with = "192.0.2.9"
secure = "require"
keying = "ikev2"
auth = { psk-file = "lab.psk" }
main-mode.reauthenticate = WORD
"""
