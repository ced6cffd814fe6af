# SPDX-License-Identifier: Apache-2.0
"""Numbers of methods, read as Windows means them, and written so that Windows reads the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.proposal import Limits
from ringfence.policy.defaults import CLASSIC_ESP, CLASSIC_MAIN_MODE
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.stores.directory import algorithms
from ringfence.stores.directory.records import IsakmpRecord, Offer, Slot

WORDS = (*CLASSIC_ESP, "esp null-sha1", "esp null-md5", "ah sha1", "ah md5", "esp 3des-md5 + ah sha1")
LIMITS = Limits(900, 100_000 << 10)
methods = st.builds(
    parse_method,
    st.sampled_from(WORDS),
    st.builds(
        Limits, st.integers(1, 172_799), st.none() | st.integers(1, 0x7FFFFFFE).map(lambda kilobytes: kilobytes << 10)
    ),
)


@settings(deadline=None)
@given(st.lists(methods, max_size=5), st.booleans())
def test_what_a_directory_can_say_comes_back(some, pfs):
    offers = algorithms.offers_of(some, pfs=pfs)
    assert [algorithms.method_of(Offer.decode(one.encode())) for one in offers] == some
    assert all(bool(one.pfs) is pfs for one in offers)


def test_ah_stands_before_esp_and_is_around_it():
    offer = algorithms.offer_of(parse_method("esp 3des-md5 + ah sha1", LIMITS), pfs=False)
    assert [(one.protocol, one.algorithm, one.integrity) for one in offer.slots] == [(1, 2, 0), (2, 3, 1), (0, 0, 0)]
    turned = replace(offer, slots=(offer.slots[1], offer.slots[0], offer.slots[2]))
    assert str(algorithms.method_of(turned)) == "esp 3des-md5 + ah sha1"


def test_a_stored_zero_is_windows_default():
    offer = replace(algorithms.offer_of(parse_method("ah sha1", LIMITS), pfs=False), lifetime_s=0, lifetime_kb=0)
    assert algorithms.method_of(offer).limits == Limits(3600, 100_000 << 10)


def test_an_offer_that_stood_there_keeps_its_octets():
    method = parse_method("esp 3des-sha1", LIMITS)
    garbage = Slot(0x53005C, 0x4F0046, 0x540046, b"W\0A\0R\0E\0")
    old = replace(
        algorithms.offer_of(method, pfs=False),
        slots=(algorithms.offer_of(method, pfs=False).slots[0], garbage, garbage),
    )
    mark = Offer(0, 0, 0, 0, 0, (garbage,) * 3)
    other = parse_method("ah md5", LIMITS)
    assert algorithms.offers_of([other, method], pfs=False, before=(mark, old))[1] == old
    assert algorithms.offers_of([method], pfs=True, before=(old,))[0] != old
    assert algorithms.fallback_of((old, mark)) == mark
    assert algorithms.fallback_of((old,)) == algorithms.FALLBACK


@pytest.mark.parametrize(
    ("count", "slot", "why"),
    [
        (4, Slot(3, 2, 2, bytes(8)), "4 algorithms"),
        (2, Slot(3, 2, 2, bytes(8)), "two algorithms for the same"),
        (1, Slot(4, 2, 2, bytes(8)), "ESP encryption 4 is unknown"),
        (1, Slot(3, 3, 2, bytes(8)), "ESP integrity 3 is unknown"),
        (1, Slot(3, 0, 2, bytes(8)), "encryption alone protects nothing"),
        (1, Slot(0, 0, 2, bytes(8)), "encryption alone protects nothing"),
        (1, Slot(3, 0, 1, bytes(8)), "AH algorithm 3 is unknown"),
        (1, Slot(3, 2, 3, bytes(8)), "protocol 3 is neither"),
    ],
)  # fmt: skip
def test_offers_that_are_no_method(count, slot, why):
    with pytest.raises(BadWord, match=why):
        algorithms.method_of(Offer(0, 0, 0, 0, count, (slot,) * 3))


@pytest.mark.parametrize(
    ("words", "limits", "why"),
    [
        ("esp aes256-gcm", LIMITS, "DES and 3DES"),
        ("esp aes128-sha1", LIMITS, "DES and 3DES"),
        ("esp 3des-sha256", LIMITS, "MD5 and SHA-1"),
        ("ah sha1 esn", LIMITS, "extended sequence"),
        ("none sha1", LIMITS, "null encapsulation"),
        ("ah sha1", Limits(900, packets=5), "by packets"),
        ("ah sha1", Limits(None, 1 << 20), "without a limit in time"),
        ("ah sha1", Limits(900, 1000), "whole kilobytes"),
    ],
)
def test_methods_that_no_directory_can_say(words, limits, why):
    with pytest.raises(BadWord, match=why):
        algorithms.offer_of(parse_method(words, limits), pfs=False)


def record(*methods, **settings):
    empty = IsakmpRecord(bytes(16), bytes(4), 0, 0, bytes(4), 0, 0, bytes(20), methods)
    return replace(empty, **settings)


def test_main_mode_comes_back_and_keeps_octets_that_were_there():
    day = Limits(seconds=86_400)
    proposals = [parse_ike_proposal(word, day) for word in (*CLASSIC_MAIN_MODE, "3des-sha1-modp2048")]
    made = algorithms.key_exchanges_of(proposals, 5, None)
    assert algorithms.proposals_of(record(*made)) == (proposals, [])
    dirty = replace(made[0], version=b"\0\0\xcd\xcd", pfs=0xCDCDCDCD, quick_modes=0)
    again = algorithms.key_exchanges_of(proposals, 5, record(dirty))
    assert again[0] == replace(dirty, quick_modes=5)
    assert again[1:] == made[1:]


def test_codes_for_2048_bits_come_first_and_lifetimes_have_an_order():
    (method,) = algorithms.key_exchanges_of([parse_ike_proposal("des-md5-modp768", Limits(seconds=60))], 0, None)
    found, wrong = algorithms.proposals_of(record(method, new_dh=b"\4\1\x09\0"))
    assert list(map(str, found)) == ["3des-sha1-modp2048", "des-md5-modp2048", "des-md5-modp768"]
    assert [one.limits.seconds for one in found] == [28_800, 28_800, 60]
    assert wrong == ["2048-bit method 3, whose code 9 is unknown"]
    unsaid = replace(method, lifetime_s=0)
    assert algorithms.proposal_of(unsaid, record(lifetime_s=7200)).limits.seconds == 7200
    assert algorithms.proposal_of(unsaid, record()).limits.seconds == 28_800
    assert str(algorithms.proposal_of(replace(method, overriding=2), record())) == "des-sha1-modp2048"
    assert str(algorithms.proposal_of(replace(method, overriding=0xCD), record())) == "des-md5-modp768"


def test_unknown_numbers_cost_one_method_of_main_mode():
    (method,) = algorithms.key_exchanges_of([parse_ike_proposal("des-md5-modp768", Limits(seconds=60))], 0, None)
    wrong = [replace(method, encryption=9), replace(method, hash=0), replace(method, group=5)]
    found, said = algorithms.proposals_of(record(*wrong, method))
    assert list(map(str, found)) == ["des-md5-modp768"]
    assert said == [
        "method 1, whose encryption 9 is unknown", "method 2, whose hash 0 is unknown",
        "method 3, whose group 5 is unknown",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["aes256-sha256-ecp256", "3des-sha1-modp1536", "3des-sha1-modp1024+mlkem768"])
def test_main_modes_that_no_directory_can_say(word):
    with pytest.raises(BadWord):
        algorithms.key_exchange_of(parse_ike_proposal(word, Limits(seconds=60)), 0)
