# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.boot import AfterStop, BootMode
from ringfence.databases.spd import Direction
from ringfence.policy.boot import NO_BOOT, BootSettings, parse_exemption
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord, PolicyError


def read(text: str) -> BootSettings:
    return parse(f"[boot]\n{text}", name="p").boot


def test_all_of_it() -> None:
    found = read('mode = "block"\nexempt = ["in tcp to 22", "udp 53", "out icmp"]\nafter-stop = "guard"')
    assert (found.mode, found.after_stop) == (BootMode.BLOCK, AfterStop.GUARD)
    assert list(map(str, found.exempt)) == ["in tcp to 22", "udp 53", "out icmp"]
    assert [one.begins for one in found.exempt] == [Direction.IN, Direction.BOTH, Direction.OUT]
    assert [one.line for one in found.places.values()] == [2, 3, 4]


def test_what_is_not_said() -> None:
    assert read("") == read("exempt = []") == NO_BOOT
    assert read('exempt = "in tcp to 22"').exempt == (parse_exemption("in tcp to 22"),)
    assert parse("", name="p").boot == NO_BOOT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mode = "shut"', '"permit", "block" or "stateful"'),
        ('after-stop = "boots"', 'Did you mean "boot"?'),
        ('exempt = ["any"]', 'Say mode = "permit"'),
        ('exempt = ["in"]', "says nothing"),
        ('exempt = ["inward tcp to 22"]', "in tcp to 22"),
        ('mode = "permit"\nexempt = ["in tcp to 22"]', "Say one of them"),
        ("exempt = 22", "a list of texts"),
        ("ports = 22", 'no setting "ports"'),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert said in str(caught.value)


def test_the_cure_of_an_exemption_is_its_own() -> None:
    with pytest.raises(BadWord) as caught:
        parse_exemption("tcp at 22")
    assert "out udp to 53" in caught.value.cure
