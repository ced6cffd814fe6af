# SPDX-License-Identifier: Apache-2.0
"""What a rule says of other gateways, read and written."""

import pytest

from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.gateways import Gateways
from ringfence.policy.write import canonical, effective
from ringfence.policy.write_elsewhere import other_pairs, send_pairs

RULE = """
[[rule]]
name = "branch"
local = {{ networks = "10.1.0.0/16"{local} }}
remote = {{ networks = "10.2.0.0/16"{remote} }}
secure = "require"
auth = {{ psk-file = "lab.psk" }}
keying = [{keying}]
"""
GATEWAY = ', gateway = "198.51.100.7"'


def text(local="", remote=GATEWAY, keying='"ikev2"'):
    return RULE.format(local=local, remote=remote, keying=keying)


def test_both_are_read_and_written() -> None:
    said = text(', send-to = "192.0.2.9"', GATEWAY + ', others = ["198.51.100.8", "198.51.100.32/30"]')
    (rule,) = parse(said, name="p").rules
    assert rule.gateways is not None
    assert rule.gateways.others == (AddressRange.parse("198.51.100.8"), AddressRange.parse("198.51.100.32/30"))
    assert rule.gateways.send_to == parse_address("192.0.2.9")
    assert [*other_pairs(rule.gateways)] == [("remote.others", '["198.51.100.8", "198.51.100.32/30"]', False)]
    assert [*send_pairs(rule.gateways)] == [("local.send-to", '"192.0.2.9"', False)]
    assert [*other_pairs(Gateways(None)), *send_pairs(Gateways(None))] == []
    for form in (canonical, effective):
        (again,) = parse(form(parse(said, name="p")), name="p").rules
        assert again.gateways == rule.gateways


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (text(remote=GATEWAY + ', others = "gw.example.com"'), "named by their addresses"),
        (text(remote=', gateway = "any", others = "198.51.100.8"'), "names none"),
        (text(remote=', others = "198.51.100.8"'), "no use without a gateway"),
        (text(', send-to = "gw.example.com"'), "is a name and not an IP address"),
        (text(remote=GATEWAY + ', others = "198.51.100.8"', keying='"ikev2", "ikev1"'), "which IKEv1 does not know"),
    ],
)
def test_what_cannot_be(wrong, why) -> None:
    with pytest.raises(PolicyError) as raised:
        parse(wrong, name="p")
    assert why in str(raised.value)
