# SPDX-License-Identifier: Apache-2.0
"""The round trip of all that can be said is in ``test_write``."""

from ringfence.policy.document import parse
from ringfence.policy.scope import EVERYWHERE, Device, Profile, Scope
from ringfence.policy.write import canonical, effective
from ringfence.policy.write_networks import profile_sections, scope_pairs

TEXT = """\
[profile]
default = "private"

[profile.domain]
networks = "10.0.0.0/8"
dns-suffixes = ["corp.example", "lab"]

[[profile.public]]
interfaces = "dev eth9"

[[profile.public]]
gateways = "192.0.2.1"
"""


def test_as_it_was_written() -> None:
    policy = parse(TEXT, name="p.toml")
    assert canonical(policy) == TEXT
    assert len(list(profile_sections(policy.profiles))) == 4
    lines = effective(policy).splitlines()
    assert any(line.startswith("networks") and line.endswith("# line 5") for line in lines)
    assert any(line.startswith("[profile.domain]") and line.endswith("# p.toml:4") for line in lines)


def test_where_a_statement_holds() -> None:
    assert list(scope_pairs(EVERYWHERE)) == [("profiles", '["domain", "private", "public"]', True)]
    assert list(scope_pairs(Scope((Profile.PUBLIC,), (Device("eth0"),)))) == [
        ("profiles", '"public"', False), ("interfaces", '"dev eth0"', False),
    ]  # fmt: skip
