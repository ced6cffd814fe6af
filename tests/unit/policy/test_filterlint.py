# SPDX-License-Identifier: Apache-2.0
from ringfence.net.address import parse_address
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.lint import lint
from ringfence.policy.networks import Interface
from ringfence.testing.policies import KEYS, rule_text

ME, ME6 = parse_address("10.77.0.1"), parse_address("fd77::1")
HOST = HostFacts((ME,), interfaces=(Interface("eth0", addresses=(ME,)), Interface("wlan0")))
RULE = rule_text("lab", with_='"10.77.0.0/24"')
HEAD = '[[packet-filter]]\nname = "wan"\ndirection = "in"\n'


def found(text: str, host: HostFacts = HOST) -> list[str]:
    policy = parse(text, name="p.toml")
    return [str(one) for one in lint(policy, compile_policy(policy, host, KEYS), host)]


def test_ike_and_esp_are_needed() -> None:
    only_web = 'default = "block"\nfilters = ["any tcp -> me:443"]\n'
    (one,) = found(RULE + HEAD + only_web)
    assert one.startswith(
        'p.toml:5: warning: packet filter "wan" drops IKE (udp 500) and ESP, without which "lab" can protect nothing.'
    )
    assert '"any esp -> any"' in one
    opened = only_web.replace("[", '["any udp -> any:500", "any esp -> any", ')
    assert found(RULE + HEAD + opened) == []
    assert "drops ESP, without" in found(RULE + HEAD.replace('"in"', '"out"') + 'filters = ["any esp -> any"]\n')[0]


def test_another_interface_than_that_of_our_address_is_no_matter() -> None:
    assert found(RULE + HEAD + 'interfaces = ["dev wlan0"]\nfilters = ["any esp -> any"]\n') == []
    assert found(RULE + HEAD + 'interfaces = ["lan"]\nfilters = ["any esp -> any"]\n')


def test_neighbour_discovery_is_needed_where_there_is_ipv6() -> None:
    text = HEAD + 'default = "block"\nfilters = ["any tcp -> me"]\n'
    six = HostFacts((ME, ME6))
    exempt = '[[filter]]\nname = "x"\npermit = "tcp to 80"\n'
    (one,) = found(exempt + text, six)
    assert "drops neighbour discovery" in one
    assert not [one for one in found(text) if "neighbour" in one]
    assert not [one for one in found(text + "version = 4\n", six) if "neighbour" in one]
