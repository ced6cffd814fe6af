# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.bootspd import boot_spd
from ringfence.policy.bootwords import answer, shut_by, summary
from ringfence.policy.document import parse
from ringfence.policy.explain import parse_question

TEXT = """
[boot]
mode = "MODE"
exempt = ["in tcp to 22"]
after-stop = "guard"

[[rule]]
name = "lab"
with = "10.9.0.0/16"
auth = { psk-file = "k" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""


def lines(mode: str, words: str) -> list[str]:
    text = TEXT.replace("MODE", mode)
    if mode == "permit":
        text = text.replace('exempt = ["in tcp to 22"]\n', "")
    return list(answer(boot_spd(parse(text, name="p")), parse_question(words))[1])


def test_all_of_it_in_a_line() -> None:
    assert summary(parse(TEXT.replace("MODE", "block"), name="p").boot) == (
        "block: what is blocked or must be protected is shut, and nothing else passes but DHCP and neighbour "
        "discovery; exempt: in tcp to 22; a clean stop leaves shut what must be protected"
    )
    assert "exempt" not in summary(parse("", name="p").boot)


def test_what_shuts_anything() -> None:
    found = shut_by(boot_spd(parse(TEXT.replace("MODE", "block"), name="p")))
    assert sorted(found) == ['rule "lab" p:7', 'rule "no telnet" p:12']


@pytest.mark.parametrize(
    ("mode", "words", "verdict", "because"),
    [
        (
            "stateful",
            "out tcp 10.0.0.1 -> 10.9.0.1:80",
            "blocked",
            'must be protected, and nobody can yet: rule "lab" p:7',
        ),
        ("permit", "in tcp 10.8.0.1:23 -> 10.0.0.1", "blocked", 'it is blocked: rule "no telnet" p:11'),
        ("block", "out udp 10.0.0.1:68 -> 10.8.0.1:67", "permitted", "always pass"),
        ("block", "in udp 10.8.0.1 -> 10.0.0.1:500", "blocked", "the other side tries again"),
        ("block", "in tcp 10.8.0.1 -> 10.0.0.1:22", "permitted", "[boot] exempts it"),
        ("block", "out tcp 10.0.0.1 -> 10.8.0.1:80", "blocked", 'mode = "block" shuts all that is not exempt'),
        ("stateful", "out tcp 10.0.0.1 -> 10.8.0.1:80", "permitted", 'mode = "stateful" lets what begins here pass'),
        (
            "stateful",
            "in tcp 10.8.0.1 -> 10.0.0.1:80",
            "only as an answer",
            'mode = "stateful" shuts what others begin',
        ),
    ],
)
def test_one_packet(mode: str, words: str, verdict: str, because: str) -> None:
    first, second = lines(mode, words)
    assert verdict in first
    assert because in second
