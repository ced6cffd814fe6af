# SPDX-License-Identifier: Apache-2.0
"""Whatever a computer turns out to be, nothing passed before that its policy then requires or blocks."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringfence.databases.boot import Because, BootMode, Fate
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.address import parse_address
from ringfence.net.flow import ICMP, TCP, UDP, FlowKey
from ringfence.policy.bootspd import boot_mode, boot_spd
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.explain import parse_flow
from ringfence.policy.networks import Interface
from ringfence.secret import Secret

KEY = 'auth = { psk-file = "k" }'
ADDRESSES = tuple(map(parse_address, ("10.0.0.1", "10.0.0.2", "10.9.0.1", "10.9.0.2", "192.0.2.7", "224.0.0.5")))


def fate(text: str, words: str) -> Fate:
    return boot_spd(parse(text, name="p")).ask(*parse_flow(words)).fate


def rule(*lines: str) -> str:
    return "\n".join(['[[rule]]\nname = "lab"', KEY, *lines])


@pytest.mark.parametrize(
    "text",
    [
        rule('with = "10.9.0.0/16"'),
        rule('with = "db.corp.example"'),
        rule('with = "dns-servers"'),
        rule('with = "10.9.0.0/16"', 'profiles = "domain"'),
        rule('with = "10.9.0.0/16"', 'interfaces = "dev wg*"'),
        rule('between = ["10.0.0.1", "10.9.0.1"]'),
        '[[filter]]\nname = "lab"\nblock = "any"\nwith = "10.9.0.0/16"\nprofiles = "public"',
    ],
)
def test_what_may_be_meant_is_shut(text: str) -> None:
    text = '[boot]\nmode = "permit"\n' + text
    assert fate(text, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.DROPPED
    assert fate(text, "in tcp 10.9.0.1 -> 10.0.0.1:80") is Fate.DROPPED


@pytest.mark.parametrize(
    ("more", "passes"),
    [
        ('[[filter]]\nname = "web"\npermit = "tcp to 80"\nwith = "10.9.0.1"', True),
        ('[[filter]]\nname = "web"\npermit = "tcp to 80"\nwith = "web.corp.example"', False),
        ('[[filter]]\nname = "web"\npermit = "tcp to 80"\nwith = "10.9.0.1"\nprofiles = "public"', False),
        ('[[rule]]\nname = "web"\nsecure = "none"\nwith = "10.9.0.1"', True),
        ('[[rule]]\nname = "web"\nsecure = "none"\nwith = "dns-servers"', False),
        (rule('with = "10.9.0.1"', 'secure = "request"').replace('"lab"', '"web"'), True),
        (rule('with = "10.9.0.1"', 'secure = "request"', 'interfaces = "lan"').replace('"lab"', '"web"'), False),
    ],
)
def test_what_surely_passes_passes(more: str, passes: bool) -> None:
    text = rule('with = "10.9.0.0/16"') + "\n" + more
    assert (fate(text, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.PASSES) is passes
    assert fate(text, "out tcp 10.0.0.1 -> 10.9.0.2:80") is Fate.DROPPED


def test_what_has_to_be_secure_is_shut_also_for_rules_that_request() -> None:
    secure = '[[filter]]\nname = "web"\npermit = "tcp to 80"\nwith = "10.9.0.0/16"\nsecure = "authenticated"\n'
    request = rule('with = "10.9.0.1"', 'traffic = "tcp to 80"', 'secure = "request"')
    for text in (secure, secure + request):
        assert fate(text, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.DROPPED
        assert fate(text, "out tcp 10.0.0.1 -> 10.9.0.1:81") is Fate.PASSES
    assert fate(request, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.PASSES
    bypass = secure + "override-block = true\n"
    assert fate(bypass, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.PASSES, "it takes nothing away"


def test_a_name_weighs_as_the_address_that_it_will_be() -> None:
    wide = '[[filter]]\nname = "permit"\npermit = "any"\nwith = "10.9.0.0/16"\n'
    assert fate(rule('with = "db.corp.example"') + "\n" + wide, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.DROPPED
    narrow = wide.replace("10.9.0.0/16", "10.9.0.1").replace('"any"', '"tcp to 80"')
    assert fate(rule('with = "db.corp.example"') + "\n" + narrow, "out tcp 10.0.0.1 -> 10.9.0.1:80") is Fate.PASSES


def test_multicast_and_what_is_exempt_from_rules_is_the_modes() -> None:
    text = '[global]\nexempt = ["neighbor-discovery", "dhcp", "icmp"]\n' + rule()
    told = boot_spd(parse(text, name="p")).ask(*parse_flow("out udp 10.0.0.1 -> 224.0.0.251:5353"))
    assert (told.fate, told.because) == (Fate.PASSES, Because.MODE)
    assert fate(text, "in udp 10.9.0.1 -> 224.0.0.251:5353") is Fate.ANSWERS
    assert fate(text, "out icmp echo-request 10.0.0.1 -> 10.9.0.1") is Fate.PASSES
    assert fate(rule(), "out icmp echo-request 10.0.0.1 -> 10.9.0.1") is Fate.DROPPED


def test_a_tunnel_is_shut_for_whom_it_forwards_too() -> None:
    text = (
        '[[rule]]\nname = "branch"\nauth = { psk-file = "k" }\n'
        'local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }\n'
        'remote = { networks = "10.2.0.0/16", gateway = "198.51.100.7" }\n'
    )
    (entry,) = boot_spd(parse(text, name="p")).forwarded
    assert str(entry.selector) == "10.1.0.0/16 -> 10.2.0.0/16"
    assert boot_spd(parse(rule('with = "10.9.0.0/16"'), name="p")).forwarded == ()
    block = '[[filter]]\nname = "b"\nblock = "any"\nlocal = "10.1.0.0/16"\nremote = "10.2.0.0/16"'
    assert len(boot_spd(parse(block, name="p")).forwarded) == 1


def test_what_windows_2000_exempts_is_the_modes_unless_a_filter_names_it() -> None:
    text = (
        '[policy]\nname = "Secure"\nno-default-exempt = {0}\nauth = {{ psk-file = "k" }}\n[[policy.rule]]\n'
        'name = "all"\nfilter-list = "All IP Traffic"\nfilter-action = "Require Security"\n'
    )
    kerberos, block = "out tcp 10.0.0.1 -> 10.9.0.1:88", '[[filter]]\nname = "b"\nblock = "{0}"\n'
    passing = [number for number in range(4) if fate(text.format(number), kerberos) is Fate.PASSES]
    assert passing == [0, 2]
    assert fate(text.format(0) + block.format("tcp to 88"), kerberos) is Fate.DROPPED
    many = "out udp 10.0.0.1 -> 224.0.0.9:7"
    found = [number for number in range(4) if fate(text.format(number) + block.format("any"), many) is Fate.PASSES]
    assert found == [0, 1]


def _reads(text: str) -> bool:
    try:
        parse(text, name="p")
    except PolicyError:
        return False
    return True


def test_whoever_wrote_nothing_shuts_nothing() -> None:
    assert boot_mode(parse("", name="p")) is BootMode.PERMIT
    assert boot_mode(parse("[boot]", name="p")) is BootMode.STATEFUL
    assert boot_mode(parse(rule(), name="p")) is BootMode.STATEFUL
    assert boot_mode(parse(rule("enabled = false"), name="p")) is BootMode.PERMIT


ENDS = st.sampled_from(
    ["10.9.0.0/16", "10.9.0.1", "any", "db.corp.example", "dns-servers", "10.0.0.0/8", "10.9.0.0-10.9.0.1"]
)
TRAFFIC = st.sampled_from(["any", "tcp", "tcp to 80", "udp 53", "udp 500", "icmp echo-request", "tcp from 80"])
SCOPES = st.sampled_from(["", 'profiles = "public"', 'profiles = "domain"', 'interfaces = "dev eth0"'])
SECURE = st.sampled_from(['"require"', '"request"', '"none"', '{ in = "require", out = "request" }',
                          '{ in = "require", out = "none" }'])  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = []
    for number in range(draw(st.integers(1, 5))):
        ends = draw(
            st.one_of(
                ENDS.map(lambda one: f'with = "{one}"'),
                st.tuples(ENDS, ENDS).map(lambda two: f'between = ["{two[0]}", "{two[1]}"]'),
                st.just('local = "10.0.0.1"\nremote = "10.9.0.0/16"'),
            )
        )
        traffic, scope = draw(TRAFFIC), draw(SCOPES)
        verb = draw(st.sampled_from(["permit", "block", "rule"]))
        if verb == "rule":
            secure = draw(SECURE)
            auth = "" if secure == '"none"' else KEY
            parts.append(
                f'[[rule]]\nname = "{number}"\nsecure = {secure}\ntraffic = "{traffic}"\n{auth}\n{ends}\n{scope}'
            )
        else:
            way = draw(st.sampled_from(["", "", "mirrored = false", 'direction = "in"']))
            way += draw(
                st.sampled_from(["", "", '\nsecure = "authenticated"', '\nsecure = "encrypted"\noverride-block = true'])
            )
            parts.append(f'[[filter]]\nname = "{number}"\n{verb} = "{traffic}"\n{ends}\n{scope}\n{way}')
    return '[boot]\nmode = "permit"\n' + "\n".join(parts)


FLOWS = st.builds(
    FlowKey,
    st.sampled_from(ADDRESSES[:2]),
    st.sampled_from(ADDRESSES[2:]),
    st.sampled_from([TCP, UDP]),
    st.sampled_from([80, 53, 500, 999]),
    st.sampled_from([80, 53, 500, 999]),
) | st.builds(FlowKey, st.just(ADDRESSES[0]), st.just(ADDRESSES[2]), st.just(ICMP), st.just(2048), st.just(2048))


def stops(entry: SpdEntry | None, direction: Direction) -> bool:
    """Whether nothing of it passes in clear, once the policy is carried out."""
    if entry is None or entry.processing is None:
        return entry is not None and entry.action is Action.DISCARD
    clear = entry.processing.clear_in if direction is Direction.IN else entry.processing.clear_out
    return not clear


@settings(deadline=None, max_examples=200)
@given(
    documents(),
    st.lists(FLOWS, min_size=8, max_size=20),
    st.sampled_from(ADDRESSES[2:5]),
    st.sampled_from(ADDRESSES[2:5]),
    st.sampled_from(["public", "domain"]),
    st.sampled_from(["eth0", "eth1"]),
)
def test_nothing_passes_that_the_policy_stops(
    text: str, flows: list[FlowKey], name: bytes, server: bytes, profile: str, device: str
) -> None:
    assume(_reads(text))
    policy = parse(text + f'\n[profile]\ndefault = "{profile}"', name="p")
    own = ADDRESSES[:2]
    facts = HostFacts(
        own, dns_servers=(server,), interfaces=(Interface(device, addresses=own),), names={"db.corp.example": (name,)}
    )
    spd = compile_policy(policy, facts, {"k": Secret(b"key")}).spd
    boot = boot_spd(policy)
    plain = not any(word in text for word in ("example", "servers", "profiles", "interfaces"))
    for flow in flows:
        for direction, entry in ((Direction.OUT, spd.outbound(flow)), (Direction.IN, spd.inbound(flow.reversed()))):
            told = boot.ask(flow if direction is Direction.OUT else flow.reversed(), direction)
            if told.because is Because.WAITS:
                continue
            if stops(entry, direction):
                assert told.fate is Fate.DROPPED, (str(flow), direction)
            elif plain and told.fate is Fate.DROPPED:
                assert entry is not None, "where all is known no more is shut than the policy stops"
                assert entry.origin.rule.startswith("always in clear: IKE"), (str(flow), direction, entry)
