# SPDX-License-Identifier: Apache-2.0
"""A client that goes from network to network, and a gateway with one address or two."""

from protocol.pairs import keys, start, traffic
from ringfence.audit import MessageExchanged, SaMoved
from ringfence.databases.identity import Identity
from ringfence.databases.sa import Mode
from ringfence.ike.settings import IkeSettings
from ringfence.net.address import format_address
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import PERFECT, Link, MemoryHost, MemoryNetwork

HOME, AWAY, ELSEWHERE, GATEWAY, SECOND = "192.0.2.1", "198.51.100.7", "203.0.113.9", "192.0.2.2", "198.51.100.2"
NETS = {"local_net": "10.1.0.0/24", "remote_net": "10.2.0.0/24", "mode": Mode.TUNNEL, "keying": (2,), "mobike": True}
NAMES = {"local_identity": Identity.parse("client.example"), "remote_identity": Identity.parse("gw.example")}
CLIENT = HostPolicy(HOME, GATEWAY, own=(HOME,), **NETS, **NAMES)
SERVES = CLIENT.mirrored().with_(own=(GATEWAY,), roams="0.0.0.0/0")


class Roaming:
    """Both, on a wire."""

    def __init__(
        self, client: HostPolicy = CLIENT, server: HostPolicy = SERVES, *, link: Link = PERFECT, seed: object = 0,
        nats: tuple = (), settings: IkeSettings | None = None,
    ) -> None:  # fmt: skip
        self.network = MemoryNetwork(f"roaming {seed}", link)
        self.network.nats += nats
        self.policies = {"client": client, "server": server}
        self.client = start(self.network, client, seed, settings)
        self.server = start(self.network, server, seed, settings)

    def begin(self, seconds: float = 2) -> "Roaming":
        self.network.acquire(self.client, ENTRY, self.policies["client"].flow())
        self.network.run(seconds)
        return self

    def follow(self, who: str, **changes: object) -> None:
        """A host follows another policy from now on."""
        policy = self.policies[who] = self.policies[who].with_(**changes)
        host = getattr(self, who)
        self.network.do(host, host.engine.apply(*policy.compiled(), self.network.now))

    def arrive(self, *own: str, leave: bool = True) -> None:
        """The client has these addresses, and sends from the first; those before are gone unless it does not leave."""
        for address in own:
            self.network.also(self.client, address)
        for address in self.policies["client"].own if leave else ():
            if address not in own:
                self.network.leave(address)
        self.follow("client", local=own[0], own=own)

    def run(self, seconds: float = 2) -> None:
        self.network.run(seconds)


def where(host: MemoryHost) -> tuple[str, str]:
    """The addresses by which it sends."""
    sa = host.using().outbound[-1]
    return format_address(sa.source), format_address(sa.destination)


def ends(host: MemoryHost) -> list[tuple[str, str]]:
    """Those of its IKE SAs."""
    return [
        (format_address(sa.path.local.address), format_address(sa.path.remote.address)) for sa in host.engine.ike_sas()
    ]


def carries(both: Roaming) -> bool:
    """Whether packets come through, both ways, by one contract of one IKE SA."""
    ours, theirs = both.client.using(), both.server.using()
    alive = len(both.client.engine.ike_sas()) == len(both.server.engine.ike_sas()) == 1
    same = keys(ours.outbound) == keys(theirs.inbound) and keys(theirs.outbound) == keys(ours.inbound)
    return alive and same and traffic(ours, theirs) and traffic(theirs, ours)


def said(host: MemoryHost) -> list[str]:
    """What it has sent, in words."""
    return [event.payloads for event in host.of(MessageExchanged) if event.sent]


def moves(host: MemoryHost) -> list[tuple[str, str]]:
    return [(event.was, event.now) for event in host.of(SaMoved)]
