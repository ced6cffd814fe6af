# SPDX-License-Identifier: Apache-2.0
"""docs/howto/road-warrior.md: its two documents make a tunnel, and it names the settings that there are."""

import re
from pathlib import Path

from protocol.warriors import Front, addresses, selectors

from ringfence.net.address import parse_address

TEXT = (Path(__file__).parents[2] / "docs/howto/road-warrior.md").read_text()
GATEWAY, WARRIOR = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_its_documents_fit_each_other() -> None:
    front = Front(GATEWAY)
    alice = front.start(WARRIOR, "203.0.113.5")
    front.run()
    assert addresses(alice) == [(parse_address("10.9.0.20"),)]
    assert selectors(alice) == ["10.9.0.20 -> 10.1.0.0/16"]
    (assigned,) = alice.assigned.values()
    assert assigned.given.dns == (parse_address("10.1.0.53"),)
    assert assigned.given.domains == ("corp.example",)
