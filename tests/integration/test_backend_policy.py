# SPDX-License-Identifier: Apache-2.0
"""A host follows its policy: permit, block, require, request; while the process lives, after it was killed, after it
was started again, and after a clean stop."""

import json
import time

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, AgentHandle, Pair, protect, two_agents, watched

from ringfence.backends import answers
from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

MUST = [protect("v4", ALICE, BOB), protect("v6", ALICE6, BOB6)]
MAY = [{**one, "clear_in": True, "clear_out": True} for one in MUST]


def pings(host: Host, address: str, *, count: int = 1, wait: float = 0.5) -> int:
    """How many of these came back."""
    out = host.run("ping", f"-c{count}", "-i0.1", f"-W{wait}", address, check=False).stdout
    return int(out.split(" received")[0].split(", ")[-1])


@pytest.fixture
def alice(pair: Pair) -> AgentHandle:
    agent = AgentHandle(pair.alice)
    agent.ask("start")
    return agent


def test_block_and_permit(pair: Pair, alice: AgentHandle) -> None:
    alice.ask("apply", entries=[
        protect("no ping to us", ALICE, BOB, action="block", protocol=1, directions="IN", source_ports=0x800,
                destination_ports=0x800),
        protect("no IPv6", ALICE6, BOB6, action="block"),
        protect("rest", ALICE, BOB, action="permit"),
    ])  # fmt: skip
    assert pings(pair.alice, BOB) == 1
    assert pings(pair.bob, ALICE) == 0
    assert pings(pair.alice, BOB6) == pings(pair.bob, ALICE6) == 0
    statistics = alice.ask("statistics")
    assert statistics["dropped"] == {"blocked": 3}
    time.sleep(1.2)
    told = [line for line in alice.ask("happened") if "Drop.BLOCKED" in line]
    assert sum(int(line.rpartition("count=")[2].rstrip(")")) for line in told) == 3
    assert "packets 3" in pair.alice.run("nft", "list", "counter", "inet", "ringfence", "blocked").stdout


def test_require_lets_nothing_through_in_clear(pair: Pair, alice: AgentHandle) -> None:
    alice.ask("apply", entries=MUST)
    watched(pair.router)
    for address in (BOB, BOB6):
        assert pings(pair.alice, address) == 0
    assert watched(pair.router) == {"protected": 0, "clear": 0}, "it is held"
    for address in (ALICE, ALICE6):
        assert pings(pair.bob, address) == 0
    assert watched(pair.router)["clear"] == 2, "bob's requests, and no answer"
    assert alice.ask("statistics")["dropped"]["clear-but-security-required"] == 2
    acquires = [line for line in alice.ask("happened") if line.startswith("Acquire")]
    assert len(acquires) == 2, "one for each kind"


def test_a_socket_bound_to_the_link_does_not_leak(pair: Pair, alice: AgentHandle) -> None:
    alice.ask("apply", entries=MUST)
    watched(pair.router)
    pair.alice.run("ping", "-c1", "-W0.5", "-I", "eth0", BOB, check=False)
    pair.alice.run("ping", "-c1", "-W0.5", "-I", "eth0", BOB6, check=False)
    assert watched(pair.router)["clear"] == 0
    assert alice.ask("statistics")["dropped"]["no-sa"] == 2


def test_what_waits_is_sent_when_there_is_an_sa(pair: Pair) -> None:
    agents = AgentHandle(pair.alice), AgentHandle(pair.bob)
    for agent, local, remote in ((agents[0], ALICE, BOB), (agents[1], BOB, ALICE)):
        agent.ask("start")
        agent.ask("apply", entries=[protect("v4", local, remote)])
    agents[1].ask("install", made={"entry": "v4", "local": BOB, "remote": ALICE})
    ping = pair.alice.spawn("ping", "-c3", "-i0.1", "-W5", BOB, stdout=-1)
    time.sleep(0.6)
    agents[0].ask("install", made={"entry": "v4", "local": ALICE, "remote": BOB})
    out, _ = ping.communicate(timeout=10)
    assert "3 received" in out


@pytest.mark.parametrize("entries", [MUST, MAY], ids=["require", "request"])
def test_killed(pair: Pair, alice: AgentHandle, entries: list[dict[str, object]]) -> None:
    """Required stays closed, requested and permitted are open, and nobody is needed for that."""
    alice.ask("apply", entries=[
        *entries, protect("blocked", ALICE, "10.77.1.254", action="block"), protect("other", "fd77:1::1", "fd77:1::ff",
                                                                                    action="permit"),
    ])  # fmt: skip
    alice.kill()
    time.sleep(0.1)
    watched(pair.router)
    open_count = 2 if entries is MAY else 0
    assert pings(pair.alice, BOB) + pings(pair.alice, BOB6) == open_count
    assert pings(pair.bob, ALICE) + pings(pair.bob, ALICE6) == open_count
    assert watched(pair.router)["clear"] == (8 if entries is MAY else 2), "of what is required only bob's requests"
    assert pings(pair.alice, "10.77.1.254") == 0
    assert pings(pair.alice, "fd77:1::ff") == 1


def test_a_successor_takes_over_and_leaves_no_trace(pair: Pair) -> None:
    before = pair.alice.traces()
    first = AgentHandle(pair.alice)
    first.ask("start")
    first.ask("apply", entries=[*MUST, protect("net", ALICE, "10.77.0.0/16"), protect("dns", ALICE, "10.77.9.0/24")])
    pings(pair.bob, ALICE)
    first.kill()
    second = AgentHandle(pair.alice)
    second.ask("start")
    watched(pair.router)
    assert pings(pair.alice, BOB) == 0
    assert watched(pair.router)["clear"] == 0, "the table of the dead one is in force until there is a new one"
    second.ask("apply", entries=MAY)
    assert second.ask("statistics")["dropped"]["clear-but-security-required"] == 1, "counters go on"
    assert pings(pair.bob, ALICE) == 0, "a request is answered through the device, where it waits"
    second.close()
    assert pair.alice.traces() == before
    assert pings(pair.bob, ALICE) == 1


def test_stop_puts_everything_back(pair: Pair) -> None:
    """Also strict reverse-path filters, which would drop what peers send."""
    pair.alice.setting("net.ipv4.conf.all.rp_filter", 1)
    pair.alice.setting("net.ipv4.conf.eth0.rp_filter", 1)
    before = {host: host.traces() for host in (pair.alice, pair.bob)}
    agents = two_agents(pair.alice, pair.bob)
    assert pings(pair.alice, BOB) == pings(pair.bob, ALICE) == 1
    agents[0].kill()
    successor = AgentHandle(pair.alice)
    successor.ask("start")
    successor.ask("apply", entries=MUST)
    for agent in (successor, agents[1]):
        agent.close()
    for host, traces in before.items():
        assert host.traces() == traces


def test_reload_loses_nothing(pair: Pair) -> None:
    agents = two_agents(pair.alice, pair.bob)
    watched(pair.router)
    ping = pair.alice.spawn("ping", "-c300", "-i0.01", "-W2", BOB, stdout=-1)
    for number in range(8):
        time.sleep(0.2)
        more = [protect(f"other {one}", ALICE, f"10.{one}.0.0/16") for one in range(number, number + 20)]
        agents[0].ask("apply", entries=[*more, *MUST])
    out, _ = ping.communicate(timeout=20)
    assert "300 received" in out
    assert watched(pair.router) == {"protected": 600, "clear": 0}


def test_rekeying_loses_nothing(pair: Pair) -> None:
    agents = two_agents(pair.alice, pair.bob)
    ping = pair.alice.spawn("ping", "-c200", "-i0.01", "-W2", BOB, stdout=-1)
    for number in range(10, 15):
        time.sleep(0.2)
        ends = ((agents[0], ALICE, BOB), (agents[1], BOB, ALICE))
        for way in ({"outbound": False}, {"inbound": False}):
            for agent, local, remote in ends:
                made = {"entry": "v4", "local": local, "remote": remote, "number": number, "replaces": number - 1}
                agent.ask("install", made=made, **way)
        if number > 10:
            for agent in agents:
                agent.ask("remove", number=number - 1)
    out, _ = ping.communicate(timeout=20)
    assert "200 received" in out
    for agent in agents:
        assert agent.ask("statistics")["dropped"] == {}


def test_fallback_to_clear(pair: Pair, alice: AgentHandle) -> None:
    """Requested outward, required inward: answers to what we sent in clear come in, other clear packets do not."""
    alice.ask("apply", entries=[{**one, "clear_out": True} for one in MUST])
    alice.ask("fail", acquire=True)
    assert pings(pair.bob, ALICE) == 0
    assert pings(pair.alice, BOB, count=3, wait=2) == 3
    assert pings(pair.alice, BOB6, count=3, wait=2) == 3
    assert any(line.startswith("FellBack") for line in alice.ask("happened"))


def left(host: Host, name: str) -> int:
    """For how many seconds the only note in a set of nftables is still kept."""
    out = json.loads(host.run("nft", "-j", "list", "set", "inet", "ringfence", name).stdout)
    (element,) = out["nftables"][1]["set"]["elem"]
    return int(element["elem"]["expires"])


def test_each_packet_in_clear_prolongs_its_note(pair: Pair, alice: AgentHandle) -> None:
    """So a connection that lasts is answered as long as it lasts, also across a reload."""
    entries = [{**one, "clear_out": True} for one in MUST]
    alice.ask("apply", entries=entries)
    alice.ask("fail", acquire=True)
    assert pings(pair.alice, BOB, wait=2) == 1
    for again in (False, True):
        time.sleep(3.5)
        assert left(pair.alice, "clear-peers-4") <= answers.SECONDS - 3
        if again:
            alice.ask("apply", entries=entries)
        assert pings(pair.alice, BOB, wait=2) == 1
        assert left(pair.alice, "clear-peers-4") >= answers.SECONDS - 1
        assert left(pair.alice, "clear-protocols-4") >= answers.SECONDS - 1


def test_a_refusal_by_the_host_leaves_the_old_policy(pair: Pair, alice: AgentHandle) -> None:
    alice.ask("apply", entries=MUST)
    before = pair.alice.traces()
    pair.alice.run("mount", "--bind", "/bin/false", pair.alice.run("which", "nft").stdout.strip())
    with pytest.raises(AssertionError, match="nftables refused"):
        alice.ask("apply", entries=[])
    pair.alice.run("umount", pair.alice.run("which", "nft").stdout.strip())
    assert pair.alice.traces() == before
    assert pings(pair.bob, ALICE) == 0
    alice.close()


def test_two_at_once_are_refused(pair: Pair, alice: AgentHandle) -> None:
    second = AgentHandle(pair.alice)
    with pytest.raises(AssertionError, match="Another"):
        second.ask("start")


def test_the_host_s_own_changes_are_followed(pair: Pair, alice: AgentHandle) -> None:
    """A new address becomes the source that packets to a protected place have, as it would without us."""
    alice.ask("apply", entries=[protect("all", "0.0.0.0/0", "0.0.0.0/0"), protect("all6", "::/0", "::/0")])
    assert "src 10.77.1.1 " in pair.alice.run("ip", "route", "get", "10.77.9.9").stdout
    pair.alice.run(
        *["ip", "link", "add", "more0", "mtu", "1400", "type", "veth", "peer", "name", "more1", "mtu", "1400"]
    )
    pair.alice.setting("net.ipv4.conf.more0.rp_filter", 1)
    for name in ("more0", "more1"):
        pair.alice.run("ip", "link", "set", name, "up")
    pair.alice.run("ip", "address", "add", "10.77.9.1/24", "dev", "more0")
    time.sleep(1.0)
    route = pair.alice.run("ip", "route", "get", "10.77.9.9").stdout
    assert "dev rf0" in route
    assert "src 10.77.9.1 " in route
    table = pair.alice.run("ip", "route", "show", "table", "4301").stdout
    assert "10.77.9.0/24 dev rf0 proto static src 10.77.9.1 mtu 1358" in table
    assert any(line.startswith("HostChanged") for line in alice.ask("happened"))
    pair.alice.run("ip", "link", "delete", "more0")
    time.sleep(1.0)
    assert "src 10.77.1.1 " in pair.alice.run("ip", "route", "get", "10.77.9.9").stdout
    watched(pair.router)
    assert pings(pair.alice, BOB) == pings(pair.alice, BOB6) == 0
    assert watched(pair.router)["clear"] == 0
    alice.close()


@pytest.mark.parametrize(
    "harm",
    [
        "ip link delete rf0", "ip link set rf0 down", "nft flush ruleset", "ip rule delete priority 4301",
        "ip -6 rule delete priority 4301", "ip route flush table 4301", "ip -6 route flush table 4301",
    ],
)  # fmt: skip
def test_what_somebody_takes_away_comes_back(pair: Pair, harm: str) -> None:
    """A firewall that flushes, a network manager that tidies up: in a moment all is as before."""
    agents = two_agents(pair.alice, pair.bob)
    names = ("rules", "rules, IPv6", "nftables")
    before = {name: pair.alice.traces()[name] for name in names}
    watched(pair.router)
    pair.alice.run(*harm.split())
    time.sleep(1)
    assert {name: pair.alice.traces()[name] for name in names} == before
    assert pings(pair.alice, BOB) == pings(pair.bob, ALICE6) == 1
    assert watched(pair.router)["clear"] == 0
    for agent in agents:
        agent.close()


def test_routes_change_their_kind(pair: Pair, alice: AgentHandle) -> None:
    """A destination is protected, then exempt, then protected otherwise; the table is what a fresh one would be."""
    nets = (("10.5.0.0/16", "10.5.1.0/24", ALICE), ("fd05::/32", "fd05:0:1::/48", ALICE6))
    turns = [
        [protect(f"all {net}", me, net) for net, _, me in nets],
        [one for net, part, me in nets
         for one in (protect(f"part {net}", me, part, action="permit"), protect(f"all {net}", me, net))],
        [protect(f"all {net}", me, net, suites=["esp-cbc", "ah"]) for net, _, me in nets],
        [protect(f"part {net}", me, part) for net, part, me in nets],
        [],
    ]  # fmt: skip
    tables = []
    for entries in (*turns, *reversed(turns)):
        alice.ask("apply", entries=entries)
        tables.append(
            [pair.alice.run("ip", f, "route", "show", "table", "4301", check=False).stdout for f in ("-4", "-6")]
        )
    assert tables[:5] == tables[:4:-1]
    assert [text.count("throw") for text in tables[1]] == [1, 1]
    assert tables[4] == ["", ""]
