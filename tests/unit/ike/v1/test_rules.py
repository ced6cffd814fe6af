# SPDX-License-Identifier: Apache-2.0
"""IKEv1's messages: the diagrams of RFC 2409 §5 are accepted, and whatever they do not show is not."""

import pytest

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.rules import Role
from ringfence.ike.v1.payloads import (
    CertPayload,
    CertRequestPayload,
    DeletePayload,
    HashPayload,
    IdPayload,
    KePayload,
    NatDPayload,
    NatOaPayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
    SigPayload,
    VendorPayload,
)
from ringfence.ike.v1.rules import INFORMATIONAL, INFORMATIONAL_IN_CLEAR, MAIN_MODE, QUICK_MODE, Proof

SAMPLE = {
    "SA": SaPayload(1, 1, ()),
    "KE": KePayload(b"k"),
    "ID": IdPayload(1, 0, 0, b"abcd"),
    "CERT": CertPayload(4, b""),
    "CR": CertRequestPayload(4, b""),
    "HASH": HashPayload(b"h"),
    "SIG": SigPayload(b"s"),
    "NONCE": NoncePayload(bytes(8)),
    "N": NotifyPayload(1, 1, b"", 24578),
    "D": DeletePayload(1, 3, (b"abcd",)),
    "VID": VendorPayload(b"v"),
    "NATD": NatDPayload(b"h"),
    "NATOA": NatOaPayload(1, b"abcd"),
}
RULES = {
    **{f"main {i}": rule for i, rule in enumerate(MAIN_MODE[Proof.HASH], 1)},
    **{f"signed {i}": rule for i, rule in enumerate(MAIN_MODE[Proof.SIGNATURE], 1)},
    **{f"quick {i}": rule for i, rule in enumerate(QUICK_MODE, 1)},
    "informational": INFORMATIONAL,
    "clear": INFORMATIONAL_IN_CLEAR,
}
SHORTEST = {
    "main 1": "SA", "main 2": "SA", "main 3": "KE NONCE", "main 4": "KE NONCE", "main 5": "ID HASH",
    "main 6": "ID HASH", "signed 5": "ID SIG", "signed 6": "ID SIG", "quick 1": "HASH SA NONCE",
    "quick 2": "HASH SA NONCE", "quick 3": "HASH", "quick 4": "N", "informational": "HASH N", "clear": "N",
}  # fmt: skip
LONGER = {
    "main 1": ["SA VID VID VID", "SA N"],
    "main 3": ["NONCE KE", "KE NONCE NATD NATD NATD VID", "KE NONCE CR"],
    "main 4": ["KE NONCE NATD NATD"],
    "main 5": ["HASH ID", "ID HASH N"],
    "signed 5": ["ID CERT CERT CR SIG", "ID CERT SIG N"],
    "quick 1": ["HASH SA NONCE KE ID ID", "HASH SA ID ID KE NONCE N", "HASH SA NONCE ID ID NATOA NATOA"],
    "quick 2": ["HASH SA NONCE KE ID ID N", "HASH SA NONCE ID ID NATOA"],
    "quick 4": ["HASH N"],
    "informational": ["HASH D", "HASH D D N", "HASH NONCE D", "HASH D NONCE"],
    "clear": ["N VID"],
}
SHOWN = {
    "main 1": "SA", "main 2": "SA", "main 3": "KE NONCE NATD CR", "main 4": "KE NONCE NATD CR", "main 5": "ID HASH",
    "main 6": "ID HASH", "signed 5": "ID SIG CERT CR", "signed 6": "ID SIG CERT CR",
    "quick 1": "HASH SA NONCE KE ID NATOA", "quick 2": "HASH SA NONCE KE ID NATOA", "quick 3": "HASH",
    "quick 4": "HASH", "informational": "HASH D NONCE", "clear": "",
}  # fmt: skip
MISPLACED = {
    "main 1": "VID SA",
    "main 2": "VID SA",
    "quick 1": "HASH NONCE SA",
    "quick 2": "SA HASH NONCE",
    "informational": "N HASH",
}


def chain(names: str) -> Chain:
    return Chain(tuple(Decoded(SAMPLE[name], b"") for name in names.split()))


def check(name: str, names: str) -> None:
    RULES[name].check(chain(names), encrypted=RULES[name].encrypted)


@pytest.mark.parametrize("name", SHORTEST)
def test_the_diagrams(name):
    for names in (SHORTEST[name], *LONGER.get(name, ())):
        check(name, names)
        check(name, f"{names} VID")


@pytest.mark.parametrize("name", SHORTEST)
def test_each_payload_of_the_shortest_is_needed(name):
    names = SHORTEST[name].split()
    for i in range(len(names)):
        with pytest.raises(Refused) as error:
            check(name, " ".join(names[:i] + names[i + 1 :]))
        assert error.value.reason is Reason.PAYLOAD_MISSING


@pytest.mark.parametrize("name", SHORTEST)
def test_what_no_diagram_shows(name):
    shown = {"VID", "N", *SHOWN[name].split()}
    for other in set(SAMPLE) - shown:
        with pytest.raises(Refused) as error:
            check(name, f"{SHORTEST[name]} {other}")
        assert error.value.reason is Reason.PAYLOAD_UNEXPECTED


@pytest.mark.parametrize("name", SHORTEST)
@pytest.mark.parametrize("twice", ["SA", "KE", "HASH", "SIG", "NONCE"])
def test_nothing_that_decides_comes_twice(name, twice):
    names = SHORTEST[name] if twice in SHORTEST[name].split() else f"{SHORTEST[name]} {twice}"
    with pytest.raises(Refused):
        check(name, f"{names} {twice}")


@pytest.mark.parametrize("name", MISPLACED)
def test_order(name):
    with pytest.raises(Refused, match="does not begin with"):
        check(name, MISPLACED[name])


def test_one_identity_of_traffic_says_nothing():
    for name in ("quick 1", "quick 2"):
        for count in (1, 3):
            with pytest.raises(Refused):
                check(name, "HASH SA NONCE" + " ID" * count)


def test_who_sends_and_what_is_encrypted():
    for rules in MAIN_MODE.values():
        assert [rule.encrypted for rule in rules] == [False] * 4 + [True] * 2
        assert [rule.sender for rule in rules] == [Role.INITIATOR, Role.RESPONDER] * 3
    assert [rule.sender for rule in QUICK_MODE] == [Role.INITIATOR, Role.RESPONDER] * 2
    assert all(rule.encrypted for rule in QUICK_MODE)
    for name, rule in RULES.items():
        if name in SHORTEST:
            with pytest.raises(Refused) as error:
                rule.check(chain(SHORTEST[name]), encrypted=not rule.encrypted)
            assert error.value.reason is Reason.UNPROTECTED
