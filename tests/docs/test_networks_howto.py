# SPDX-License-Identifier: Apache-2.0
"""docs/howto/networks.md: its policy can be used, and its packet is explained as it says."""

import re
from pathlib import Path

from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import answer, parse_question
from ringfence.policy.host import HostFacts
from ringfence.policy.networks import Interface
from ringfence.policy.scope import LinkKind
from ringfence.secret import Secret

TEXT = (Path(__file__).parents[2] / "docs/howto/networks.md").read_text()
(DOCUMENT,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
((QUESTION, ANSWER),) = re.findall(r'```\n\$ ringfence explain "([^"]+)"\n(.*?)```', TEXT, re.DOTALL)


def test_its_packet_is_explained_as_it_says() -> None:
    own = parse_address("10.1.2.3")
    cafe = HostFacts((own,), interfaces=(Interface("wlan0", LinkKind.WIRELESS, (own,)),))
    policy = parse(DOCUMENT, name="policy.toml")
    compiled = compile_policy(policy, cafe, dict.fromkeys(policy.key_files, Secret(b"a key")))
    assert answer(compiled, parse_question(QUESTION)).lines() == tuple(ANSWER.splitlines())
