# SPDX-License-Identifier: Apache-2.0
"""Windows' three default policies against each other and against a computer without IPsec, on the wire.

Expected is what Windows' documentation says of them: the Client talks in clear until a server asks; the Server asks
everybody, and serves those who cannot; the Secure Server sends nothing in clear but ICMP, and accepts the first packet
of who speaks to it. A preshared key stands in place of Kerberos.

Four computers ask and four are asked, one of each kind, so every combination is of two that never met before. All
computers have two addresses: at the first ones the first question is by TCP, at the second ones by UDP.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from integration.service_lab import Service, document
from integration.truth import Client, Table, Tcpdump, serve

from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

POLICIES = {
    "client": "Client (Respond Only)",
    "server": "Server (Request Security)",
    "secure": "Secure Server (Require Security)",
}
KINDS = (*POLICIES, "plain")
NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}
ASKING, ASKED = "10.77", "10.78"

CLEAR, ESP, UNANSWERED, NOTHING = "clear", "esp", "asked in clear", "nothing"
FIRST_CLEAR, ANSWERED_IN_ESP = "asked in clear, then esp", "asked in clear, answered in esp"
FIRST = {
    "client": {"client": CLEAR, "server": FIRST_CLEAR, "secure": FIRST_CLEAR, "plain": CLEAR},
    "server": {"client": ESP, "server": ESP, "secure": ESP, "plain": CLEAR},
    "secure": {"client": ESP, "server": ESP, "secure": ESP, "plain": NOTHING},
    "plain": {"client": CLEAR, "server": CLEAR, "secure": UNANSWERED, "plain": CLEAR},
}
"""The first question, by who asks and who is asked; by UDP it is a single datagram, so nothing of it comes later."""
QUESTIONS = (("tcp", "out"), ("udp", "out"), ("tcp", "in"), ("udp", "in"))
"""At the first addresses."""


def expected(asks: str, asked: str) -> dict[str, str]:
    """All that is to be seen between two."""
    first = FIRST[asks][asked]
    later, back = (ESP if what == FIRST_CLEAR else what for what in (first, FIRST[asked][asks]))
    datagram = ANSWERED_IN_ESP if first == FIRST_CLEAR else first
    return {"tcp out": first, "udp out": later, "tcp in": back, "udp in": back, "first udp out": datagram}


class Street:
    """All computers, their services and applications."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.router = lab.router("router")
        self.hosts = {net: {kind: self._host(lab, net, kind) for kind in KINDS} for net in (ASKING, ASKED)}
        for hosts in self.hosts.values():
            for host in hosts.values():
                serve(host)
        self._asks = {net: {kind: Client(host) for kind, host in self.hosts[net].items()} for net in self.hosts}
        self._taps = {kind: Tcpdump(self.router, f"eth{number}") for number, kind in enumerate(KINDS, len(KINDS))}
        self._table = Table()
        self.services: list[Service] = []
        for hosts in self.hosts.values():
            for kind, name in POLICIES.items():
                text = f'[policy]\nbased-on = "{name}"\nauth = {{ psk-file = "lab.psk" }}\n'
                policy = document(folder / hosts[kind].name, text)
                self.services.append(Service(hosts[kind], policy, "--socket", str(policy.parent / "s")))

    def _host(self, lab: Lab, net: str, kind: str) -> Host:
        number = NUMBERS[kind]
        host = lab.host(f"{'a' if net == ASKING else 'b'}-{kind}")
        lab.cable(self.router, host, f"{net}.{number}.254/24", f"{net}.{number}.1/24")
        host.run("ip", "address", "add", f"{net}.{number}.2/24", "dev", "eth0")
        host.route("default", via=f"{net}.{number}.254")
        other = ASKED if net == ASKING else ASKING
        for peer in NUMBERS.values():
            host.run("ip", "route", "add", f"{other}.{peer}.2", "via", f"{net}.{number}.254",
                     "src", f"{net}.{number}.2")  # fmt: skip
        return host

    def between(self, asks: str, asked: str) -> dict[str, str]:
        """Every question between two."""
        wanted = expected(asks, asked)
        found = {f"{kind} {way}": self._ask(kind, way, (asks, asked), wanted[f"{kind} {way}"], 1)
                 for kind, way in QUESTIONS}  # fmt: skip
        return found | {"first udp out": self._ask("udp", "out", (asks, asked), wanted["first udp out"], 2)}

    def _ask(self, kind: str, way: str, who: tuple[str, str], wanted: str, address: int) -> str:
        asks, asked = (f"{net}.{NUMBERS[one]}.{address}" for net, one in zip((ASKING, ASKED), who, strict=True))
        ends = (asks, asked) if way == "out" else (asked, asks)
        client = self._asks[ASKING][who[0]] if way == "out" else self._asks[ASKED][who[1]]
        patience = 2.5 if wanted in (UNANSWERED, NOTHING) else 8.0
        return self._table.cell(kind, client, self._taps[who[1]], ends, patience).wire


@pytest.fixture(scope="module")
def street(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with Lab() as lab:
        made = Street(lab, tmp_path_factory.mktemp("d"))
        yield made
        for service in made.services:
            service.stop()


@pytest.mark.parametrize("turn", range(len(KINDS)))
def test_who_talks_to_whom(street: Street, turn: int) -> None:
    """Four combinations at a time, no computer in two of them."""
    pairs = [(KINDS[number], KINDS[turn - number]) for number in range(len(KINDS))]
    with ThreadPoolExecutor() as pool:
        found = dict(zip(pairs, pool.map(lambda pair: street.between(*pair), pairs), strict=True))
    assert found == {pair: expected(*pair) for pair in pairs}
