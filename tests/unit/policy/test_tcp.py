# SPDX-License-Identifier: Apache-2.0
"""TCP as a rule says it."""

import pytest

from ringfence.databases.tcp import Tcp, TcpUse
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.host import HostFacts
from ringfence.policy.write import canonical
from ringfence.secret import Secret

RULE = """
[[rule]]
name   = "lab"
with   = "10.77.0.0/24"
auth   = {{ psk-file = "lab.psk" }}
{0}
"""
V2 = 'keying = "ikev2"\n'


def compiled(more: str) -> Compiled:
    policy = parse(RULE.format(more), name="policy.toml")
    return compile_policy(policy, HostFacts((parse_address("192.0.2.9"),)), {"lab.psk": Secret(b"k")})


def wrong(more: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse(RULE.format(more), name="policy.toml")
    return " ".join(one.message for one in caught.value.findings)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("", None),
        ('tcp = "fallback"', Tcp()),
        ('tcp = "only"', Tcp(TcpUse.ONLY)),
        ('tcp = "fallback"\ntcp-port = 443', Tcp(port=443)),
    ],
)
def test_what_a_rule_says(said: str, means: Tcp | None) -> None:
    found = compiled(V2 + said)
    (entry,) = found.pad
    assert entry.tcp == means
    assert found.spd.tcp_ports == (() if means is None else (means.port,))


def test_it_comes_out_as_it_went_in() -> None:
    text = canonical(parse(RULE.format(V2 + 'tcp = "only"\ntcp-port = 443'), name="policy.toml"))
    assert 'tcp = "only"' in text
    assert "tcp-port = 443" in text
    assert "tcp-port" not in canonical(parse(RULE.format(V2 + 'tcp = "only"'), name="policy.toml"))
    assert "tcp" not in canonical(parse(RULE.format(V2), name="policy.toml"))


def test_fallback_may_stand_beside_ikev1() -> None:
    (entry,) = compiled('keying = ["ikev2", "ikev1"]\ntcp = "fallback"').pad
    assert entry.tcp == Tcp()


def test_what_cannot_be() -> None:
    assert "is for IKEv2 alone" in wrong('keying = "ikev1"\ntcp = "fallback"')
    assert "may be negotiated by IKEv1" in wrong('keying = ["ikev2", "ikev1"]\ntcp = "only"')
    assert "has no use without tcp" in wrong(V2 + "tcp-port = 443")
    assert "tcp-port" in wrong(V2 + 'tcp = "only"\ntcp-port = 50000')
    assert '"always"' in wrong(V2 + 'tcp = "always"')
