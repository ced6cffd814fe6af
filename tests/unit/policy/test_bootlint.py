# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.bootlint import boot_findings
from ringfence.policy.document import parse

RULE = '[[rule]]\nname = "lab"\nauth = { psk-file = "k" }\n'


def found(text: str) -> list[str]:
    return [one.message for one in boot_findings(parse(text, name="p"))]


@pytest.mark.parametrize(
    ("exempt", "rule", "vain"),
    [
        ("in tcp to 22", RULE, True),
        ("in tcp to 22", RULE + 'with = "10.9.0.0/16"', False),
        ("in tcp to 22", RULE + 'traffic = "tcp from 22"', True),
        ("in tcp to 22", RULE + 'traffic = "tcp to 22"', False),
        ("in tcp to 22", RULE + 'secure = "request"', False),
        ("out udp to 53", RULE + 'traffic = "udp"', True),
        ("out udp to 53", RULE + 'secure = { in = "require", out = "request" }', False),
        ("out udp to 53", RULE + '[[filter]]\nname = "dns"\npermit = "udp to 53"', False),
    ],
)
def test_what_is_exempt_in_vain(exempt: str, rule: str, vain: bool) -> None:
    told = found(f'[boot]\nexempt = "{exempt}"\n{rule}')
    assert [f'exempt "{exempt}" is in vain: what rule "lab" p:3' in one for one in told] == [True] * vain


def test_what_shuts_more_than_later() -> None:
    told = found("[boot]\n" + RULE + 'with = ["db.corp.example", "dns-servers", "10.9.0.1"]')
    assert told == [
        'rule "lab" shuts its traffic with everybody before the service is up: what "db.corp.example", "dns-servers" '
        "stands for is not known yet."
    ]
    assert found("[boot]\n" + RULE + 'with = "db.corp.example"\nsecure = "request"') == []
    assert found("[boot]\n" + RULE + 'with = "db.corp.example"\nenabled = false') == []
    block = '[[filter]]\nname = "no"\nblock = "any"\nwith = "db.corp.example"'
    assert found("[boot]\n" + block)[0].startswith('filter "no"')


def test_a_document_that_says_nothing_of_it_is_left_alone() -> None:
    assert found(RULE + 'with = "db.corp.example"') == []
