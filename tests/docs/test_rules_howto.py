# SPDX-License-Identifier: Apache-2.0
"""docs/howto/connection-security-rules.md: its documents are of the kinds it says, and hold."""

import re
from pathlib import Path

import pytest

from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.model import Kind
from ringfence.policy.settle import Settler
from ringfence.policy.write_terms import sections
from ringfence.secret import Secret

TEXT = (Path(__file__).parents[2] / "docs/howto/connection-security-rules.md").read_text()
DOCUMENTS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
HOST = HostFacts(tuple(map(parse_address, ("10.1.0.1", "192.0.2.1"))))


def test_every_kind_has_a_document() -> None:
    found = [rule.kind for text in DOCUMENTS[:5] for rule in parse(text, name="howto").rules]
    assert found == [Kind.ISOLATION, Kind.EXEMPTION, Kind.SERVER_TO_SERVER, Kind.TUNNEL, Kind.CUSTOM]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_its_documents_can_be_carried_out(text: str) -> None:
    policy = parse(text, name="howto")
    compiled = compile_policy(policy, HOST, dict.fromkeys(policy.key_files, Secret(b"a key")))
    assert compiled.refusals == ()
    assert {entry.origin.rule for entry in compiled.spd} >= {rule.name for rule in policy.rules}


def test_every_setting_is_explained() -> None:
    policy = parse(
        "".join(DOCUMENTS[5:6] + DOCUMENTS[6:7] + DOCUMENTS[7:8]).replace('name = "servers"', 'name = "s"'),
        name="howto",
    )
    for section in sections(policy, Settler(policy)):
        for one in section.settings:
            assert re.search(rf"`(main-mode\.)?{one.name.partition('.')[0]}\b", TEXT), (section.head, one.name)
