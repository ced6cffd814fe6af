# SPDX-License-Identifier: Apache-2.0
"""Routes of our table: sources and sizes as the host would have them, exemptions thrown back, first entry first."""

from dataclasses import replace
from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends.routes import (
    Difference,
    Host,
    HostRoute,
    Link,
    OwnRoute,
    difference,
    host_address,
    largest_inner,
    wanted,
)
from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.pool import Assigned
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.esp import overhead
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, esp_suite, make_sa

ME, INNER = parse_address("192.0.2.1"), parse_address("10.1.0.1")
SUITE = esp_suite(Encryption.AES_GCM_16)
HOST = Host(
    links=(Link(2, "eth0", 1500, (ME,)), Link(3, "eth1", 9000, (INNER,))),
    routes=(
        HostRoute(ip_network("0.0.0.0/0"), 2, ME, 1500),
        HostRoute(ip_network("192.0.2.0/24"), 2, ME, 1500),
        HostRoute(ip_network("10.1.0.0/16"), 3, INNER, 9000),
    ),
    local=frozenset((ME, INNER)),
)


def protect(name: str, source: str, destination: str, **more: object) -> SpdEntry:
    protocol = more.pop("protocol", None)
    assert protocol is None or isinstance(protocol, int)
    processing = Processing((SecurityMethod((SUITE,)),), **more)  # type: ignore[arg-type]
    selector = Selector.between(source, destination, protocol)
    return SpdEntry(name, selector, Action.PROTECT, Origin(name), processing=processing)


def permit(name: str, source: str, destination: str, protocol: int | None = None) -> SpdEntry:
    return SpdEntry(name, Selector.between(source, destination, protocol), Action.BYPASS, Origin(name))


def told(*entries: SpdEntry, host: Host = HOST) -> dict[str, OwnRoute]:
    """The routes for what the host sends."""
    return {one.destination: one for one in wanted(Spd(entries), host) if not one.forwarded}


def told_of_forwarded(*entries: SpdEntry, host: Host = HOST) -> dict[str, OwnRoute]:
    return {one.destination: one for one in wanted(Spd(entries), host) if one.forwarded}


def test_a_host_keeps_source_and_size() -> None:
    assert told(protect("a", "192.0.2.1", "198.51.100.7")) == {
        "198.51.100.7/32": OwnRoute(
            "198.51.100.7/32",
            source="192.0.2.1",
            mtu=largest_inner(1500, 4, protect("a", "192.0.2.1", "0.0.0.0/0").processing),
        )  # type: ignore[arg-type]
    }


def test_everything_follows_the_host_s_own_more_specific_routes() -> None:
    routes = told(protect("me", "192.0.2.1", "0.0.0.0/0"), protect("me too", "10.1.0.1", "0.0.0.0/0"))
    assert routes["0.0.0.0/0"].source == "192.0.2.1"
    assert routes["10.1.0.0/16"].source == "10.1.0.1"
    assert routes["10.1.0.0/16"].mtu > 8900
    assert "192.0.2.0/24" not in routes, "the same as the route around it"
    assert routes["224.0.0.0/4"].throw
    assert routes["255.255.255.255/32"].throw


def test_a_gateway_prefers_an_address_that_its_tunnel_serves() -> None:
    tunnel = {"mode": Mode.TUNNEL, "tunnel_local": ME, "tunnel_remote": parse_address("198.51.100.7")}
    routes = told(protect("branch", "10.1.0.0/16", "10.2.0.0/16", **tunnel))
    assert routes["10.2.0.0/16"].source == "10.1.0.1"
    routes = told(protect("branch", "10.9.0.0/16", "10.2.0.0/16", **tunnel))
    assert routes["10.2.0.0/16"].source == "192.0.2.1", "none serves, so nothing is changed"


def test_what_is_only_for_this_host_leaves_forwarded_packets_alone() -> None:
    own = protect("me", "192.0.2.1", "0.0.0.0/0"), protect("me too", "10.1.0.1", "10.0.0.0/8")
    assert told_of_forwarded(*own) == {}
    net = protect("net", "10.1.0.0/16", "10.2.0.0/16")
    routes = told_of_forwarded(*own, net)
    assert list(routes) == ["10.2.0.0/16"], "nor does what else the host itself protects"
    assert routes["10.2.0.0/16"] == OwnRoute("10.2.0.0/16", mtu=told(net)["10.2.0.0/16"].mtu, forwarded=True)
    assert "10.2.0.0/16" in told(net), "the gateway's own traffic, too"


def test_whoever_is_not_wholly_this_host_may_be_behind_it() -> None:
    both = Host(HOST.links, HOST.routes, frozenset(map(parse_address, ("192.0.2.1", "192.0.2.2", "fd00::1"))))
    for source, behind in (
        ("192.0.2.1-192.0.2.2", False), ("192.0.2.1-192.0.2.3", True), ("192.0.2.9", True), ("0.0.0.0/0", True),
    ):  # fmt: skip
        assert bool(told_of_forwarded(protect("one", source, "10.5.0.0/16"), host=both)) is behind, source
    assert not told_of_forwarded(protect("one", "fd00::1", "fd05::/16"), host=both)
    assert told_of_forwarded(protect("net", "fd00::/64", "fd05::/16"), host=both)


def test_exemptions_count_for_forwarded_packets_by_what_is_protected_for_them() -> None:
    dns, me = permit("dns", "10.1.0.0/16", "10.5.0.53"), protect("me", "192.0.2.1", "10.5.0.0/16")
    net = protect("net", "10.1.0.0/16", "10.5.0.0/16")
    assert list(told(dns, me, net)) == ["10.5.0.0/16"], "of what the host sends there some is protected"
    routes = told_of_forwarded(dns, me, net)
    assert routes["10.5.0.53/32"].throw
    assert not routes["10.5.0.0/16"].throw
    everybody = told_of_forwarded(protect("all", "0.0.0.0/0", "0.0.0.0/0"))
    assert everybody["224.0.0.0/4"].throw
    assert everybody["10.1.0.0/16"].mtu > everybody["0.0.0.0/0"].mtu, "each link's size"


def test_a_range_is_its_prefixes() -> None:
    assert list(told(protect("a", "192.0.2.1", "10.5.0.1-10.5.0.4"))) == ["10.5.0.1/32", "10.5.0.2/31", "10.5.0.4/32"]


def test_permitted_before_is_thrown_back() -> None:
    routes = told(permit("dns", "0.0.0.0/0", "10.5.0.53"), protect("all", "192.0.2.1", "10.5.0.0/16"))
    assert routes["10.5.0.53/32"] == OwnRoute("10.5.0.53/32", throw=True)
    assert not routes["10.5.0.0/16"].throw


def test_permitted_in_part_or_too_late_is_not() -> None:
    for late in (
        (protect("all", "192.0.2.1", "10.5.0.0/16"), permit("dns", "0.0.0.0/0", "10.5.0.53")),
        (permit("dns", "0.0.0.0/0", "10.5.0.53", 17), protect("all", "192.0.2.1", "10.5.0.0/16")),
        (permit("dns", "10.1.0.1", "10.5.0.53"), protect("all", "192.0.2.1", "10.5.0.0/16")),
    ):
        assert list(told(*late)) == ["10.5.0.0/16"]


def test_permits_of_each_address_count_together() -> None:
    routes = told(
        permit("1", "192.0.2.1", "10.5.0.53"), permit("2", "10.1.0.1", "10.5.0.53"),
        protect("3", "192.0.2.1", "10.5.0.0/16"), protect("4", "10.1.0.1", "10.5.0.0/16"),
    )  # fmt: skip
    assert routes["10.5.0.53/32"].throw


def test_protected_before_permitted_around() -> None:
    routes = told(
        protect("one", "192.0.2.1", "10.5.0.7"), permit("net", "0.0.0.0/0", "10.5.0.0/24"),
        protect("never", "192.0.2.1", "10.5.0.8"), protect("all", "192.0.2.1", "10.5.0.0/16"),
    )  # fmt: skip
    assert not routes["10.5.0.7/32"].throw
    assert "10.5.0.8/32" not in routes
    assert not routes["10.5.0.0/16"].throw
    assert "10.5.0.0/24" not in routes, "one of its hosts is protected: the packet path decides for the others"


def test_inbound_only_needs_no_route() -> None:
    one = protect("in", "192.0.2.1", "10.5.0.0/16")
    only = SpdEntry("in", one.selector, one.action, one.origin, Direction.IN, one.processing)
    assert told(only) == {}


def test_without_any_route_of_its_own_a_network_is_routed_all_the_same() -> None:
    routes = told(protect("a", "10.1.0.0/16", "10.2.0.0/16"), host=Host(HOST.links))
    assert routes["10.2.0.0/16"].source == "10.1.0.1"


def test_difference_adds_before_it_removes() -> None:
    a, b, c = OwnRoute("10.0.0.0/8"), OwnRoute("10.0.0.0/8", mtu=1400), OwnRoute("10.1.0.0/16")
    assert difference([a, c], [b]).put == (b,)
    assert difference([a, c], [b]).remove == (c,)
    assert difference([a, c], [c, a]) == difference([], [])
    forwarded = OwnRoute("10.1.0.0/16", forwarded=True)
    assert difference([c], [forwarded]) == Difference((forwarded,), (c,))


@settings(deadline=None)
@given(st.sampled_from(ESP_SUITES), st.sampled_from(Mode), st.integers(1280, 9000), st.sampled_from((4, 6)))
def test_the_largest_packet_fits_and_one_more_does_not(suite, mode: Mode, mtu: int, version: int) -> None:  # type: ignore[no-untyped-def]
    processing = Processing((SecurityMethod((suite,)),), mode, udp=False)
    inner = largest_inner(mtu, version, processing)
    header = 20 if version == 4 else 40
    sa = make_sa(suite, mode=mode)
    kept = 0 if mode is Mode.TUNNEL else header
    assert header + overhead(sa, inner - kept) <= mtu or inner == (576, 1280)[version == 6]
    assert header + overhead(sa, inner - kept + 1) > mtu or inner == (576, 1280)[version == 6]


def test_ah_around_esp_and_udp_take_their_room() -> None:
    ah = next(
        one for one in AH_SUITES if one.authenticator and one.authenticator.algorithm is Integrity.HMAC_SHA256_128
    )
    both = Processing((SecurityMethod((SUITE, ah)), SecurityMethod((SUITE,))), udp=False)
    esp = Processing((SecurityMethod((SUITE,)),), udp=False)
    in_udp = Processing((SecurityMethod((SUITE,)),))
    assert largest_inner(1500, 4, both) == largest_inner(1500 - 28, 4, esp)
    assert largest_inner(1500, 6, both) == largest_inner(1500 - 32, 6, esp)
    assert largest_inner(1500, 4, in_udp) == largest_inner(1492, 4, esp)
    assert largest_inner(1280, 6, esp) == 1280


def test_an_address_to_ask_for() -> None:
    assert host_address(ip_network("10.0.0.0/8")) == "10.0.0.1"
    assert host_address(ip_network("10.0.0.7/32")) == "10.0.0.7"
    assert host_address(ip_network("::/0")) != "::1"


def test_ports_do_not_exempt() -> None:
    one = permit("web", "0.0.0.0/0", "10.5.0.53")
    web = Selector(one.selector.source, one.selector.destination, 6, destination_ports=PortRange.one(80))
    routes = told(SpdEntry("web", web, Action.BYPASS, one.origin), protect("all", "192.0.2.1", "10.5.0.0/16"))
    assert list(routes) == ["10.5.0.0/16"]
    assert AddressRange.parse("10.5.0.53").is_host


def test_nothing_leads_to_link_local_addresses() -> None:
    """Such a route would need a link; the kernel refuses one to a device that has no such address."""
    found = wanted(Spd((protect("near", "fe80::1", "fe80::/64"), protect("net", "192.0.2.1", "10.5.0.0/16"))), HOST)
    assert [one.destination for one in found] == ["10.5.0.0/16"]


def test_transport_mode_never_borrows_the_address_of_another_link() -> None:
    """A rule for the addresses of one interface, and a default route by another."""
    here, there = parse_address("10.0.0.1"), parse_address("192.0.2.1")
    host = Host(
        (Link(2, "eth0", 1500, (here,)), Link(3, "eth1", 1500, (there,))),
        (HostRoute(ip_network("0.0.0.0/0"), 3, there), HostRoute(ip_network("10.0.0.0/24"), 2, here)),
        frozenset((here, there)),
    )
    entry = protect("p", "10.0.0.1", "0.0.0.0/0")
    sources = {one.destination: one.source for one in wanted(Spd((entry,)), host) if not one.throw}
    assert sources == {"0.0.0.0/0": "192.0.2.1", "10.0.0.0/24": "10.0.0.1"}


def test_what_is_protected_from_an_address_that_a_peer_gives_comes_from_it() -> None:
    entry = replace(
        protect("office", "0.0.0.0/0", "10.9.0.0/16", mode=Mode.TUNNEL, assigned=Assigned.OURS), peer="office"
    )
    assert told(entry)["10.9.0.0/16"].source == "192.0.2.1", "until there is one, as the host would have it"
    given_now = replace(HOST, assigned={"home": (INNER,), "office": (parse_address("fd00::7"), bytes([10, 8, 0, 7]))})
    assert told(entry, host=given_now)["10.9.0.0/16"].source == "10.8.0.7"
    assert told_of_forwarded(entry, host=given_now) == {}, "what others send has no address of ours"
