# SPDX-License-Identifier: Apache-2.0
from ringfence.crypto.suites import DhGroup
from ringfence.databases.pad import PadEntry
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.mainmodes import without
from ringfence.secret import Secret
from ringfence.testing.policies import rule_text

HOST = HostFacts((parse_address("10.77.0.1"),))
KEYS = {name: Secret(name.encode()) for name in ("test.psk", "first.psk", "second.psk")}
RULE = rule_text("lab", with_='"10.0.0.0/8"')


def main_mode(name: str, ends: str, more: str = "") -> str:
    return f'[[main-mode]]\nname = "{name}"\n{ends}\nauth = {{ psk-file = "{name}.psk" }}\n{more}\n'


def compiled(text: str) -> Compiled:
    return compile_policy(parse(text, name="policy.toml"), HOST, KEYS)


def remotes(entry: PadEntry) -> set[AddressRange]:
    return {one.remote for one in entry.ends}


def keys(found: Compiled) -> dict[str, list[str]]:
    """Key files by peers."""
    return {str(one): [auth.source for auth in entry.auth] for entry in found.pad for one in remotes(entry)}


def test_the_first_about_both_addresses_decides() -> None:
    narrow, wide = main_mode("first", 'with = "10.77.0.0/24"'), main_mode("second", 'with = "10.77.0.0/16"')
    assert keys(compiled(RULE + narrow + wide)) == {
        "10.77.0.0/24": ["first.psk"],
        "10.77.1.0-10.77.255.255": ["second.psk"],
        "10.0.0.0-10.76.255.255": ["test.psk"],
        "10.78.0.0-10.255.255.255": ["test.psk"],
    }
    assert "first.psk" not in str(keys(compiled(RULE + wide + narrow)))


def test_each_peer_has_an_entry_with_its_own_main_mode() -> None:
    found = compiled(RULE + main_mode("first", 'with = "10.77.0.0/24"', 'methods = "aes256-sha384-ecp384"'))
    peers = {entry.name: entry for entry in found.pad}
    entries = [entry for entry in found.spd if entry.origin.rule == "lab"]
    assert len({entry.name for entry in entries}) == len(entries) == 3
    groups = {str(entry.selector.destination): peers[entry.peer].proposals[0].group for entry in entries}
    assert groups["10.77.0.0/24"] is DhGroup.ECP_384
    assert set(groups.values()) == {DhGroup.ECP_384, DhGroup.CURVE25519}


def test_one_for_other_addresses_or_switched_off_changes_nothing() -> None:
    for ends in ('local = "10.77.0.9"\nremote = "any"', 'with = "10.77.0.0/24"\nenabled = false'):
        assert keys(compiled(RULE + main_mode("first", ends))) == {"10.0.0.0/8": ["test.psk"]}


def test_each_of_our_addresses_has_its_own() -> None:
    host = HostFacts((parse_address("10.77.0.1"), parse_address("10.77.0.2"), parse_address("10.77.0.3")))
    text = RULE + main_mode("first", 'local = "10.77.0.1"\nremote = "any"')
    text += main_mode("second", 'local = "10.77.0.2"\nremote = "10.0.0.0/16"')
    found = compile_policy(parse(text, name="policy.toml"), host, KEYS).pad
    for ours, theirs, sources in (
        ("10.77.0.1", "10.0.0.9", ["first.psk"]),
        ("10.77.0.2", "10.0.0.9", ["second.psk"]),
        ("10.77.0.2", "10.1.0.9", ["test.psk"]),
        ("10.77.0.3", "10.0.0.9", ["test.psk"]),
        ("10.77.0.4", "10.0.0.9", []),
    ):
        entries = found.for_address(parse_address(theirs), parse_address(ours))
        assert [way.source for entry in entries for way in entry.auth] == sources, (ours, theirs)


def test_between_two_ends_either_may_be_here() -> None:
    for ends in ('between = ["10.77.0.1", "any"]', 'between = ["any", "10.77.0.1"]'):
        assert set(map(tuple, keys(compiled(RULE + main_mode("first", ends))).values())) == {("first.psk",)}


def test_addresses_without_others() -> None:
    one = AddressRange.parse("10.0.0.0/30")
    assert list(map(str, without(one, AddressRange.parse("10.0.0.1")))) == ["10.0.0.0", "10.0.0.2/31"]
    assert list(without(one, AddressRange.parse("10.0.0.0/8"))) == []
    assert list(without(one, AddressRange.parse("10.1.0.0/16"))) == [one]


def test_of_peers_from_anywhere_one_about_them_all_decides() -> None:
    tunnel = rule_text("roaming", local='{ networks = "10.9.0.0/24" }'.replace(" }", ', gateway = "10.77.0.1" }'),
                       remote='{ networks = "10.8.0.0/16", gateway = "any" }')  # fmt: skip
    for some, key in (('with = "10.0.0.0/8"', "test.psk"), ('with = "any"', "first.psk")):
        found = keys(compiled(tunnel + main_mode("first", some)))
        assert found == {"0.0.0.0/0": [key]}


def test_where_any_address_may_be_our_end_one_about_them_all_decides() -> None:
    tunnel = rule_text("roaming", local='"10.9.0.0/24"', remote='{ networks = "10.8.0.0/16", gateway = "any" }')
    ours = tuple(map(parse_address, ("10.77.0.1", "10.77.0.2", "fd77::1")))
    for end, key in (("10.77.0.1", "test.psk"), ("10.77.0.0/24", "test.psk"), ("any", "first.psk")):
        text = tunnel + main_mode("first", f'local = "{end}"\nremote = "any"')
        pad = compile_policy(parse(text, name="policy.toml"), HostFacts(ours), KEYS).pad
        (entry,) = pad
        assert [way.source for way in entry.auth] == [key], end
        assert [(str(one.remote), str(one.local)) for one in entry.ends] == [
            ("0.0.0.0/0", "10.77.0.1"), ("0.0.0.0/0", "10.77.0.2"), ("::/0", "fd77::1"),
        ]  # fmt: skip


def test_of_a_tunnel_only_its_own_end_is_negotiated_with() -> None:
    tunnel = rule_text("branch", local='{ networks = "10.9.0.0/24", gateway = "10.77.0.1" }',
                       remote='{ networks = "10.8.0.0/16", gateway = "10.77.0.9" }')  # fmt: skip
    host = HostFacts((parse_address("10.77.0.1"), parse_address("10.77.0.2")))
    (entry,) = compile_policy(parse(tunnel, name="policy.toml"), host, KEYS).pad
    there = parse_address("10.77.0.9")
    assert [entry.serves(there, one) for one in host.own] == [True, False]


def test_which_one_decides_and_which_ones_decide_nothing() -> None:
    text = RULE + main_mode("first", 'with = "10.77.0.0/16"') + main_mode("second", 'with = "10.77.1.0/24"')
    text += main_mode("third", 'with = "192.0.2.0/24"') + main_mode("fourth", 'with = "192.0.2.0/24"\nenabled = false')
    text += (
        main_mode("fifth", 'with = "192.0.2.0/24"\nprofiles = "domain"')
        + '[profile.domain]\nnetworks = "10.9.0.0/16"\n'
    )
    keys = {name: Secret(b"x" * 16) for name in ("first.psk", "second.psk", "third.psk", "fourth.psk", "fifth.psk")}
    found = compile_policy(parse(text, name="policy.toml"), HOST, {**KEYS, **keys})
    assert {name: str(origin) for name, origin in found.main_modes.items()} == {
        "lab/10.77.0.1 <-> 10.77.0.0/16": 'rule "first" policy.toml:5'
    }
    decides = "decides nothing"
    assert [(str(one.place), one.message, one.cure) for one in found.undecisive] == [
        (
            "policy.toml:10",
            f'main mode rule "second" {decides}: "first", before it, decides for all its addresses.',
            "Of main mode rules the first one counts: put it first.",
        ),
        (
            "policy.toml:15",
            f'main mode rule "third" {decides}: no connection security rule that protects is about its addresses.',
            "",
        ),
    ]


def test_one_that_some_address_has_decides() -> None:
    text = RULE + main_mode("first", 'local = "10.77.0.1"\nremote = "any"') + main_mode("second", 'with = "any"')
    host = HostFacts((parse_address("10.77.0.1"), parse_address("10.77.0.2")))
    assert compile_policy(parse(text, name="policy.toml"), host, KEYS).undecisive == ()
