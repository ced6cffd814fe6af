# SPDX-License-Identifier: Apache-2.0
"""A computer with two addresses and a main mode rule for each answers with the right one, in either version of IKE."""

import pytest

from ringfence.audit import MainModeEstablished, MainModeFailed
from ringfence.databases.spd import Spd
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import format_address, parse_address
from ringfence.net.flow import ICMP, FlowKey
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.secret import Secret
from ringfence.testing.network import MemoryHost, MemoryNetwork
from ringfence.testing.random import SeededRandom

SERVED = "192.0.2.1", "192.0.2.2"
CLIENT = "192.0.2.9"
KEYS = {name: Secret(name.encode()) for name in ("first.psk", "second.psk", "none.psk")}
RULE = """
[[rule]]
name = "all"
with = "192.0.2.0/24"
auth = { psk-file = "none.psk" }
keying = ["KEYING"]
"""
MAIN_MODE = """
[[main-mode]]
name = "WORD"
local = "ADDRESS"
remote = "any"
auth = { psk-file = "WORD.psk" }
methods = ["METHOD"]
"""
METHODS = {"first": "aes256-sha384-ecp384", "second": "aes128-sha256-x25519"}
TOWARDS = MAIN_MODE.replace('local = "ADDRESS"\nremote = "any"', 'with = "ADDRESS"')


def rules(text: str, **addresses: str) -> str:
    made = [text.replace("WORD", word).replace("ADDRESS", each) for word, each in addresses.items()]
    return "".join(one.replace("METHOD", METHODS[word]) for one, word in zip(made, addresses, strict=True))


class Two:
    """A server with two addresses, and a client."""

    def __init__(self, keying: str, served: str, client: str) -> None:
        self.network = MemoryNetwork()
        self.server = self.network.add(SERVED[0], IkeEngine(random=SeededRandom("server")))
        self.network.also(self.server, SERVED[1])
        self.client = self.network.add(CLIENT, IkeEngine(random=SeededRandom("client")))
        self._keying = keying
        self.apply(self.server, served, *SERVED)
        self._spd = self.apply(self.client, client, CLIENT)

    def apply(self, host: MemoryHost, main_modes: str, *addresses: str) -> Spd:
        text = RULE.replace("KEYING", self._keying) + main_modes
        compiled = compile_policy(parse(text, name="p.toml"), HostFacts(tuple(map(parse_address, addresses))), KEYS)
        self.network.do(host, host.engine.apply(compiled.spd, compiled.pad, self.network.now))
        return compiled.spd

    def talk(self, to: str) -> None:
        """A packet of the client."""
        flow = FlowKey(parse_address(CLIENT), parse_address(to), ICMP, None, None)
        entry = next(one for one in self._spd if one.peer and flow.destination in one.selector.destination)
        self.network.acquire(self.client, entry.name, flow)
        self.network.run(5)

    def answering(self) -> list[tuple[str, str]]:
        """The addresses that the server has IKE SAs with, and by which algorithms."""
        return [(format_address(one.path.local.address), str(one.proposal)) for one in self.server.engine.ike_sas()]


BY_OWN_ADDRESS = rules(MAIN_MODE, first=SERVED[0], second=SERVED[1])


@pytest.mark.parametrize("keying", ["ikev1", "ikev2"])
def test_each_address_answers_by_its_own_rule(keying: str) -> None:
    two = Two(keying, BY_OWN_ADDRESS, rules(TOWARDS, first=SERVED[0], second=SERVED[1]))
    for address in SERVED:
        two.talk(address)
    assert sorted(two.answering()) == list(zip(SERVED, METHODS.values(), strict=True))
    receiving = {format_address(child.inbound[0].destination) for child in two.server.inbound.values()}
    assert receiving == set(SERVED)


@pytest.mark.parametrize("keying", ["ikev1", "ikev2"])
def test_the_key_for_one_address_does_not_open_the_other(keying: str) -> None:
    """Though the algorithms are those of the other: nothing but the rule for it is asked."""
    wrong = rules(TOWARDS, first=SERVED[1]).replace(METHODS["first"], METHODS["second"])
    two = Two(keying, BY_OWN_ADDRESS, wrong)
    two.talk(SERVED[1])
    two.network.run(120)
    assert two.server.of(MainModeEstablished) == []
    assert {event.reason for event in two.server.of(MainModeFailed)} == {"wrong-preshared-key"}
    assert two.client.inbound == two.server.inbound == {}


@pytest.mark.parametrize("keying", ["ikev1", "ikev2"])
def test_the_algorithms_for_one_address_are_not_taken_at_the_other(keying: str) -> None:
    wrong = rules(TOWARDS, second=SERVED[1]).replace(METHODS["second"], METHODS["first"])
    two = Two(keying, BY_OWN_ADDRESS, wrong)
    two.talk(SERVED[1])
    assert {event.reason for event in two.server.of(MainModeFailed)} == {"no-proposal-in-common"}
    assert two.answering() == []


@pytest.mark.parametrize("keying", ["ikev1", "ikev2"])
def test_what_one_address_made_ends_when_another_rule_decides_for_it(keying: str) -> None:
    two = Two(keying, BY_OWN_ADDRESS, rules(TOWARDS, first=SERVED[0]))
    two.talk(SERVED[0])
    assert two.answering() == [(SERVED[0], METHODS["first"])]
    swapped = rules(MAIN_MODE, first=SERVED[1], second=SERVED[0])
    two.apply(two.server, swapped, *SERVED)
    two.network.run(5)
    assert two.answering() == []
    assert two.client.engine.ike_sas() == ()
    assert two.client.outbound == {}
