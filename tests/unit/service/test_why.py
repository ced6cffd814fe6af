# SPDX-License-Identifier: Apache-2.0
"""The answer of ``ringfence why``."""

from datetime import UTC, datetime

import pytest

from ringfence.audit import MainModeFailed
from ringfence.control.errors import BadRequest, NotThere
from ringfence.control.messages import Peer, PeerState
from ringfence.databases.comparison import Terms, compare
from ringfence.ike.errors import Reason
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret
from ringfence.service.events import Recorded
from ringfence.service.troubles import TroubleTable
from ringfence.service.why import Policy, shown, trouble_with

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
TEXT = """
[[rule]]
name = "lab"
with = "192.0.2.0/24"
auth = { psk-file = "lab.psk" }
[[rule]]
name = "other"
with = "198.51.100.0/24"
auth = { psk-file = "lab.psk" }
"""
FACTS = HostFacts((bytes([192, 0, 2, 1]),))


def policy() -> Policy:
    compiled = compile_policy(parse(TEXT, name="p.toml"), FACTS, {"lab.psk": Secret(b"0123456789abcdef")})
    return Policy(compiled.spd, compiled.pad)


def table(rule: str = "lab", times: int = 1) -> TroubleTable:
    words = [("hash", "sha1")], [("hash", "sha256"), ("group", "g")]
    found = compare("main mode proposals", [Terms(tuple(words[0]))], [Terms(tuple(words[1]), "w")])
    made = TroubleTable()
    for number in range(times):
        event = MainModeFailed(
            peer="192.0.2.9", reason=Reason.NO_PROPOSAL.value, detail="none in common", initiator=False, rule=rule,
            comparison=found,
        )  # fmt: skip
        made(Recorded(number, AT, event))
    return made


def test_both_sides_part_by_part() -> None:
    failing = Peer(address="192.0.2.9", state=PeerState.FAILING, rule="lab", since=AT)
    answer = trouble_with("192.0.2.9", policy(), [failing], table(times=3))
    assert not answer.protected
    (trouble,) = answer.troubles
    assert (trouble.times, trouble.place, trouble.subject) == (3, "p.toml:2", "main mode proposals")
    assert [(part.what, part.agree) for part in trouble.parts] == [("hash", False), ("group", False)]
    text = "\n".join(answer.lines)
    assert "failing since" in text
    assert "192.0.2.9 began, 3 times since" in text
    assert "failed            IKEv1, main mode: no proposal in common; 192.0.2.9 began, 3 times since" in text
    assert "hash              sha1                              ✘ sha256" in answer.lines
    assert "do                On 192.0.2.9, allow w." in answer.lines


def test_what_the_policy_knows() -> None:
    known = policy().known("192.0.2.9", "")
    assert known.rule == 'rule "lab" (p.toml:2)', "the only one for its address"
    assert known.keys == "lab.psk"
    assert "and 3 more" in known.offers
    assert policy().known("203.0.113.1", "").rule == "the rule"


def test_nobody_and_nonsense() -> None:
    with pytest.raises(NotThere, match=r"Nothing has failed with 192\.0\.2\.7") as caught:
        trouble_with("192.0.2.7", policy(), [], TroubleTable())
    assert "ringfence explain" in caught.value.cure
    with pytest.raises(BadRequest, match='"bob", which is not'):
        trouble_with("bob", policy(), [], TroubleTable())


def test_a_peer_that_works() -> None:
    fine = Peer(address="192.0.2.9", state=PeerState.PROTECTED, rule="lab", since=AT)
    answer = trouble_with("192.0.2.9", policy(), [fine], TroubleTable())
    assert (answer.protected, answer.troubles) == (True, [])
    assert answer.lines == [f'now               protected since {AT.astimezone():%H:%M:%S}, rule "lab"']
    told = fine.model_copy(update={"keying": "ikev1", "detail": "IKEv1 instead of IKEv2"})
    answer = trouble_with("192.0.2.9", policy(), [told], TroubleTable())
    assert answer.lines == [
        f'now               protected by IKEv1 since {AT.astimezone():%H:%M:%S}, rule "lab"',
        "but               IKEv1 instead of IKEv2",
    ]


def test_words_that_are_too_many() -> None:
    assert shown(["a", "b"]) == "a, b"
    assert shown(list("abcdef")) == "a, b, c, d and 2 more"
