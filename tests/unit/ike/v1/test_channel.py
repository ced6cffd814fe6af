# SPDX-License-Identifier: Apache-2.0
"""Messages in and out of their octets, with chained IVs."""

import pytest

from ringfence.ike.errors import Ignored, Reason, Refused
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.payload import UnknownPayload
from ringfence.ike.v1.channel import open_clear, open_encrypted, seal, words
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import DeletePayload, HashPayload, KePayload, NoncePayload, NotifyPayload, VendorPayload
from ringfence.testing.mainmode import main_keys

KEYS = main_keys()
COOKIES = b"initiate", b"response"
NONCE = NoncePayload(b"n" * 20)


def header_of(datagram):
    return Header.decode(datagram[:HEADER_OCTETS])


def test_in_clear():
    datagram, iv = seal(COOKIES, Exchange.MAIN, 0, (KePayload(b"g"), NONCE), None, b"")
    header = header_of(datagram)
    assert (header.initiator_cookie, header.responder_cookie) == COOKIES
    assert header.length == len(datagram)
    assert not header.encrypted
    assert iv == b""
    assert list(open_clear(header, datagram)) == [KePayload(b"g"), NONCE]


def test_ivs_chain_from_message_to_message():
    first, iv = seal(COOKIES, Exchange.QUICK, 7, (NONCE,), KEYS, KEYS.first_iv)
    second, last = seal(COOKIES, Exchange.QUICK, 7, (HashPayload(b"h"),), KEYS, iv)
    assert iv == first[-16:]
    assert last == second[-16:]
    assert header_of(first).encrypted
    chain, after = open_encrypted(header_of(first), first, KEYS, KEYS.first_iv)
    assert list(chain) == [NONCE]
    chain, after = open_encrypted(header_of(second), second, KEYS, after)
    assert list(chain) == [HashPayload(b"h")]
    assert after == last


def test_another_vendors_padding():
    datagram, _ = seal(COOKIES, Exchange.QUICK, 7, (NONCE,), None, b"")
    plain = datagram[HEADER_OCTETS:]
    padded = plain + bytes(range(1, 48 - len(plain))) + bytes([47 - len(plain)])
    encrypted = datagram[:HEADER_OCTETS] + KEYS.cipher.encrypt(KEYS.first_iv, padded)
    chain, _ = open_encrypted(header_of(datagram), encrypted, KEYS, KEYS.first_iv)
    assert list(chain) == [NONCE]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [(b"", Reason.MALFORMED), (bytes(15), Reason.MALFORMED), (bytes(17), Reason.MALFORMED)],
)
def test_no_whole_blocks(octets, reason):
    datagram, _ = seal(COOKIES, Exchange.QUICK, 7, (NONCE,), KEYS, KEYS.first_iv)
    with pytest.raises(Ignored) as error:
        open_encrypted(header_of(datagram), datagram[:HEADER_OCTETS] + octets, KEYS, KEYS.first_iv)
    assert error.value.reason is reason


def test_what_cannot_be_read():
    datagram, _ = seal(COOKIES, Exchange.QUICK, 7, (NONCE,), KEYS, KEYS.first_iv)
    with pytest.raises(Ignored) as error:
        open_encrypted(header_of(datagram), datagram, KEYS, bytes(16))
    assert error.value.reason is Reason.UNDECIPHERABLE
    with pytest.raises(Ignored) as error:
        open_clear(header_of(datagram), datagram)
    assert error.value.reason is Reason.MALFORMED


def test_what_a_payload_says_of_itself_comes_through():
    datagram, _ = seal(COOKIES, Exchange.MAIN, 0, (UnknownPayload(1, b"\0\0\0\2\0\0\0\1"),), None, b"")
    with pytest.raises(Refused) as error:
        open_clear(header_of(datagram), datagram)
    assert error.value.reason is Reason.DOI


def test_words():
    payloads = (
        HashPayload(b""), NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT), NotifyPayload(1, 1, b"", 9999),
        DeletePayload(1, 1, (bytes(16),)), VendorPayload(b""), UnknownPayload(200, b""),
    )  # fmt: skip
    assert words(payloads) == "HASH N(INITIAL-CONTACT) N(notify 9999) D VID payload-200"
