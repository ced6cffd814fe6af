# SPDX-License-Identifier: Apache-2.0
import itertools
import re
from dataclasses import fields
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.boot import AfterStop, BootMode
from ringfence.databases.spd import Action
from ringfence.net.address import AddressRange
from ringfence.place import Place
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse, parse_documents
from ringfence.policy.errors import PolicyError
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.lower import statements
from ringfence.policy.model import Filter, Policy, Verb
from ringfence.policy.resultant import BOOT, PRECEDENCE, SETTINGS, Given, Resultant, rank, resultant
from ringfence.policy.source import Source
from ringfence.policy.terms import GlobalSettings, PskFile
from ringfence.policy.traffic import parse_traffic
from ringfence.policy.write import effective
from ringfence.secret import Secret

IPSEC = """
[policy]
name = "{0}"
auth = {{ psk-file = "k" }}

[[policy.rule]]
name = "{0} rule"
filter-list = "{1}"
filter-action = "Require Security"

[filter-list."Web"]
description = "{0}"
filters = ["me tcp <-> any:443"]
"""


def read(store: str, text: str) -> Given:
    return Given(store, parse_documents([Source.read(text, name=f"{store}.toml", store=store)]))


def block(*names: str) -> str:
    return "".join(f'[[filter]]\nname = "{name}"\nblock = "tcp to 23"\n' for name in names)


def protect(*names: str) -> str:
    return "".join(f'[[rule]]\nname = "{name}"\nauth = {{ psk-file = "k" }}\n' for name in names)


def test_one_store_is_as_it_is() -> None:
    alone = read("local", block("a"))
    assert resultant([alone]) == Resultant(alone.policy)
    assert resultant([]) == Resultant(Policy())


def test_the_higher_store_has_its_way_and_the_other_is_kept_with_the_reason() -> None:
    found = resultant([read("local", block("a", "b") + protect("c")), read("persistent", protect("b", "d"))])
    assert [(one.name, one.place.store) for one in found.policy] == [
        ("b", "persistent"), ("d", "persistent"), ("c", "local"), ("a", "local"),
    ]  # fmt: skip
    (loser,) = found.set_aside
    assert (loser.store, loser.winner) == ("local", Place("persistent.toml", 1, "persistent"))
    assert str(loser) == ('filter "b" local.toml:4: the persistent store has a rule of this name (persistent.toml:1)')
    assert found.policy.name == "local.toml"
    text = effective(found.policy, found.set_aside)
    assert "# persistent.toml:1 (persistent store)" in text
    assert f"# set aside: {loser}" in text


def test_of_ipsec_policies_one_is_assigned() -> None:
    found = resultant([read("local", IPSEC.format("own", "Web")), read("directory", IPSEC.format("domain", "Web"))])
    assert found.policy.ipsec is not None
    assert found.policy.ipsec.name == "domain"
    assert [one.description for one in found.policy.filter_lists] == ["domain"]
    assert found.policy.beneath is None
    assert {one.what: one.why for one in found.set_aside} == {
        'policy "own"': 'IPsec policies do not merge, and the directory store assigns "domain"',
        'filter list "Web"': "the directory store has a filter list of this name",
    }


def test_the_persistent_policy_stays_beneath() -> None:
    persistent, local = read("persistent", IPSEC.format("always", "Web")), read("local", IPSEC.format("own", "Web"))
    found = resultant([local, persistent]).policy
    assert found.ipsec is not None
    assert found.ipsec.name == "own"
    assert [one.description for one in found.filter_lists] == ["own"]
    assert {one.name for one in statements(found)} == {"own rule", "always rule"}
    assert set(found.titles) == {"own rule", "always rule"}
    assert found.key_files == ("k",)
    assert "# beneath it" in effective(found)
    alone = resultant([read("local", block("a")), persistent]).policy
    assert alone.ipsec == persistent.policy.ipsec
    assert alone.beneath is None


EXEMPT = '[policy]\nname = "{}"\n{}based-on = "Client (Respond Only)"\n'


@pytest.mark.parametrize(
    ("persistent", "local", "holds", "says", "aside"),
    [
        ("no-default-exempt = 3\n", "no-default-exempt = 0\n", 3, "persistent", ["no-default-exempt"]),
        ("no-default-exempt = 1\n", "", 1, "persistent", []),
        ("", "no-default-exempt = 0\n", 0, "local", []),
        ("", "", 3, "", []),
    ],
)
def test_default_exemptions_are_the_computers(
    persistent: str, local: str, holds: int, says: str, aside: list[str]
) -> None:
    """One value for both policies, the persistent store's where it says one."""
    given = [read("local", EXEMPT.format("own", local)), read("persistent", EXEMPT.format("always", persistent))]
    found = resultant(given)
    assert found.policy.ipsec is not None
    assert found.policy.beneath is not None
    assert found.policy.beneath.ipsec is not None
    assert (found.policy.ipsec.name, found.policy.beneath.ipsec.name) == ("own", "always")
    for one in (found.policy.ipsec, found.policy.beneath.ipsec):
        assert one.exempt.value == holds
        place = one.places.get("no-default-exempt")
        assert (place.store if place else "") == says
    assert [one.what for one in found.set_aside] == aside
    shown = effective(found.policy, found.set_aside)
    assert re.findall(r"no-default-exempt += (\d)", shown) == [str(holds)] * 2
    if aside:
        assert str(found.set_aside[0]) == (
            "no-default-exempt local.toml:3: the persistent store says it, and it is one for the computer "
            "(persistent.toml:3)"
        )
    own = bytes([10, 0, 0, 1])
    compiled = compile_policy(found.policy, HostFacts((own,)), {})
    told = explain(compiled, *parse_flow("out udp 10.0.0.1 -> 10.0.0.2:88"))
    assert (told.entry is not None and "always in clear" in told.entry.origin.rule) is (holds in (0, 2))


def test_lists_that_only_another_store_has_are_there_too() -> None:
    other = '[filter-list."Mail"]\nfilters = ["me tcp <-> any:25"]\n'
    found = resultant([read("local", IPSEC.format("own", "Web")), read("persistent", other)]).policy
    assert [one.name for one in found.filter_lists] == ["Web", "Mail"]


SEVERAL = """
[policy."A"]
assigned = {assigned}
based-on = "Client (Respond Only)"
[policy."B"]
based-on = "Client (Respond Only)"
"""


def test_policies_that_are_not_assigned_are_kept_once_each() -> None:
    high, low = read("persistent", SEVERAL.format(assigned="false")), read("local", SEVERAL.format(assigned="true"))
    found = resultant([low, high])
    assert found.policy.ipsec is not None
    assert str(found.policy.ipsec.place) == "local.toml:2"
    assert [(one.title, str(one.place)) for one in found.policy.unassigned] == [("B", "persistent.toml:5")]
    assert [(one.what, str(one.place), str(one.winner)) for one in found.set_aside] == [
        ('policy "A"', "persistent.toml:2", "local.toml:2"), ('policy "B"', "local.toml:5", "persistent.toml:5"),
    ]  # fmt: skip


def test_every_part_of_a_policy_has_its_law() -> None:
    merged = {
        "rules", "filters", "filter_lists", "filter_actions", "ipsec", "unassigned", "beneath", "name", "main_modes",
        "auth_sets", "main_mode_cryptos", "quick_mode_cryptos", "settings", "profiles", "packet_filters", "boot",
        "certificates", "authorities", "radius", "pools",
    }  # fmt: skip
    assert {one.name for one in fields(Policy)} == merged
    said = {name for _, names in SETTINGS for name in names}
    assert {one.name for one in fields(GlobalSettings)} == said | {"place", "places"}
    assert {name for names, _ in SETTINGS for name in names} <= {*decode_names()}


def decode_names() -> list[str]:
    """The settings of ``[global]``, as an error lists them."""
    with pytest.raises(PolicyError) as caught:
        parse("[global]\nqqqqqqqqqqqqqqq = 1\n", name="p")
    return caught.value.findings[0].cure.removeprefix("The settings here are ").rstrip(".").split(", ")


def test_settings_for_all_rules_are_of_the_highest_store_that_says_them() -> None:
    found = resultant(
        [
            read("local", '[global]\nidle-time = "10 min"\nauth = "kerberos"\nsecond-auth = "user-kerberos"\n'),
            read("persistent", '[global]\nauth = { psk-file = "k" }\n'),
        ]
    )
    assert (found.policy.settings.idle_s, found.policy.settings.auth) == (600, (PskFile("k"),))
    assert found.policy.settings.second_auth == (), "who says the first authentication says the second"
    assert {name: str(place) for name, place in found.policy.settings.places.items()} == {
        "idle-time": "local.toml:2", "auth": "persistent.toml:2", "auth.psk-file": "persistent.toml:2",
    }  # fmt: skip
    assert [str(one) for one in found.set_aside] == [
        "global auth local.toml:3: the persistent store says auth (persistent.toml:2)",
        "global second-auth local.toml:4: the persistent store says auth (persistent.toml:2)",
    ]


def test_a_higher_store_may_want_no_rules_below_it() -> None:
    sets = '[auth-set."s"]\nfirst = "kerberos"\n[[main-mode]]\nname = "m"\nauth-set = "s"\n'
    found = resultant(
        [
            read("local", block("f") + protect("r") + sets),
            read("directory", "[global]\nlocal-rules = false\n" + block("d")),
            read("persistent", block("p")),
        ]
    )  # fmt: skip
    assert [one.name for one in found.policy] == ["p", "d"]
    assert found.policy.main_modes == ()
    assert [one.name for one in found.policy.auth_sets] == ["s"]
    assert {(one.what, one.why, str(one.winner)) for one in found.set_aside} == {
        (what, "the directory store says local-rules = false", "directory.toml:2")
        for what in ('rule "r"', 'filter "f"', 'main mode rule "m"')
    }


def test_which_networks_are_which_is_said_by_one_store() -> None:
    profile = '[profile.domain]\nnetworks = ["{}"]\n'
    found = resultant([read("local", profile.format("10.0.0.0/8")), read("persistent", profile.format("10.1.0.0/16"))])
    assert found.policy.profiles.place.store == "persistent"
    assert [one.what for one in found.set_aside] == ["profile"]


def test_what_is_beneath_holds_and_comes_first_where_both_are_equal() -> None:
    everything = IPSEC.replace("me tcp <-> any:443", "me tcp <-> any:{2}")
    own, always = (everything.format(name, "Web", port) for name, port in (("own", 80), ("always", 25)))
    policy = resultant([read("local", own), read("persistent", always)]).policy
    compiled = compile_policy(policy, HostFacts((bytes([10, 0, 0, 1]),)), {"k": Secret(b"x" * 16)})
    for port, place in ((80, "local.toml:6"), (25, "persistent.toml:6")):
        told = explain(compiled, *parse_flow(f"out tcp 10.0.0.1 -> 10.0.0.2:{port}"))
        assert told.entry is not None
        assert str(told.entry.origin.place) == place
    same = IPSEC.format("x", "Web")
    policy = resultant([read("local", same), read("persistent", same)]).policy
    compiled = compile_policy(policy, HostFacts((bytes([10, 0, 0, 1]),)), {"k": Secret(b"x" * 16)})
    assert {entry.origin.place.store for entry in compiled.spd if entry.processing} == {"persistent"}


NAMES = st.sampled_from("abcdef")
TRAFFIC = st.sampled_from(["any", "tcp to 80", "tcp", "udp to 53"]).map(lambda words: (parse_traffic(words),))
REMOTE = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16"]).map(lambda words: (AddressRange.parse(words),))
ITEMS = st.builds(Filter, NAMES, st.sampled_from(Verb), TRAFFIC, remote=REMOTE)
FILTERS = st.lists(ITEMS, unique_by=lambda one: one.name, max_size=5)
STORES = st.dictionaries(st.sampled_from(PRECEDENCE), FILTERS, min_size=1)


@settings(deadline=None)
@given(STORES)
def test_laws_of_precedence(stores: dict[str, list[Filter]]) -> None:
    asked = [Given(store, Policy(filters=tuple(items))) for store, items in stores.items()]
    found = resultant(asked)
    names = [one.name for one in found.policy.filters]
    assert len(set(names)) == len(names), "a name holds once"
    assert set(names) == {one.name for items in stores.values() for one in items}, "no name is lost"
    for one in found.policy.filters:
        highest = min((store for store, items in stores.items() if one.name in [o.name for o in items]), key=rank)
        assert one in stores[highest], "the highest store that has it decides"
    assert len(names) + len(found.set_aside) == sum(map(len, stores.values())), "each one holds or is set aside"
    for shuffled in itertools.islice(itertools.permutations(asked), 6):
        assert resultant(shuffled) == found, "the order in which stores are given means nothing"


@settings(deadline=None)
@given(STORES, st.randoms(use_true_random=False))
def test_order_within_a_store_means_nothing(stores: dict[str, list[Filter]], random: Random) -> None:
    def entries(*, shuffled: bool) -> list[tuple[str, Action]]:
        asked = []
        for store, items in stores.items():
            order = random.sample(items, len(items)) if shuffled else items
            asked.append(Given(store, Policy(filters=tuple(order))))
        compiled = compile_policy(resultant(asked).policy, HostFacts((bytes([10, 0, 0, 1]),)), {})
        return [(entry.name, entry.action) for entry in compiled.spd]

    assert entries(shuffled=True) == entries(shuffled=False)


@settings(deadline=None)
@given(STORES)
def test_what_holds_holds_again(stores: dict[str, list[Filter]]) -> None:
    found = resultant(Given(store, Policy(filters=tuple(items))) for store, items in stores.items())
    again = resultant([Given("local", found.policy), Given("dynamic", Policy())])
    assert (again.policy.filters, again.set_aside) == (found.policy.filters, ())


def test_packet_filters_of_all_stores_have_to_be_passed() -> None:
    text = '[[packet-filter]]\nname = "{}"\ndirection = "in"\nfilters = "any -> me"\n'
    strict = read("directory", "[global]\nlocal-rules = false\n" + text.format("far"))
    found = resultant([strict, read("local", text.format("near") + text.format("far"))])
    assert [one.name for one in found.policy.packet_filters] == ["far", "near"]
    assert [one.what for one in found.set_aside] == ['packet filter "far"']


def test_each_setting_of_boot_is_the_highest_stores_that_says_it() -> None:
    assert set(BOOT.values()) == {one.name for one in fields(BootSettings)} - {"place", "places"}
    persistent = read("persistent", '[boot]\nmode = "block"\n')
    local = read("local", '[boot]\nmode = "permit"\nafter-stop = "guard"\n')
    found = resultant([local, persistent])
    boot = found.policy.boot
    assert (boot.mode, boot.after_stop, boot.exempt) == (BootMode.BLOCK, AfterStop.GUARD, ())
    assert (boot.place, boot.places["after-stop"]) == (
        Place("persistent.toml", 1, "persistent"),
        Place("local.toml", 3, "local"),
    )
    (aside,) = found.set_aside
    assert str(aside) == "boot mode local.toml:2: the persistent store says mode (persistent.toml:2)"
    assert resultant([read("local", ""), read("persistent", "")]).policy.boot == NO_BOOT
