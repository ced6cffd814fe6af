# SPDX-License-Identifier: Apache-2.0
"""Messages in and out of their octets; unknown payloads; every truncation."""

import pytest
from unit.ike.v2.test_keys import CBC, ENDS, GCM, SECRET

from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Ignored, IkeError, Reason, Refused
from ringfence.ike.header import HEADER_OCTETS
from ringfence.ike.payload import UnknownPayload
from ringfence.ike.v2.channel import (
    Frame,
    from_initiator,
    in_clear,
    is_response,
    is_sealed,
    open_clear,
    open_sealed,
    seal,
    words,
)
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import DeletePayload, NoncePayload, NotifyPayload, VendorPayload

FRAME = Frame((b"initiato", b"responde"), Kind.INFORMATIONAL, 7, initiator=True, response=False)
SAID = (NotifyPayload(Notify.INITIAL_CONTACT), DeletePayload(3, (b"spi4",)))


def keys(proposal=CBC):
    return derive(proposal, SECRET, ENDS).protection(initiator=True)


def test_header_flags():
    for initiator in (True, False):
        for response in (True, False):
            datagram = in_clear(Frame(FRAME.spis, Kind.IKE_AUTH, 1, initiator, response), ())
            header = header_of(datagram)
            assert (from_initiator(header), is_response(header)) == (initiator, response)
            assert (header.major, header.exchange, header.message_id) == (2, 35, 1)
            assert datagram[19] == (0x08 if initiator else 0) | (0x20 if response else 0)


@pytest.mark.parametrize("proposal", [CBC, GCM], ids=["cbc", "gcm"])
@pytest.mark.parametrize("payloads", [(), SAID], ids=["empty", "two"])
def test_sealed_and_opened(proposal, payloads):
    ours = keys(proposal)
    datagram = seal(FRAME, payloads, ours, bytes(ours.seed_octets))
    header = header_of(datagram)
    assert is_sealed(header, datagram)
    assert tuple(open_sealed(header, datagram, keys(proposal))) == payloads


def test_no_truncation_and_no_changed_octet_opens():
    ours = keys()
    datagram = seal(FRAME, SAID, ours, bytes(16))
    for place in range(len(datagram)):
        changed = bytearray(datagram)
        changed[place] ^= 0x40
        for hostile in (bytes(changed), datagram[:place]):
            try:
                header = header_of(hostile)
            except Ignored:
                continue
            with pytest.raises(Ignored):
                open_sealed(header, hostile, keys())


def test_a_clear_message_is_not_sealed():
    datagram = in_clear(FRAME, SAID)
    header = header_of(datagram)
    assert not is_sealed(header, datagram)
    assert tuple(open_clear(header, datagram)) == SAID
    with pytest.raises(Ignored) as raised:
        open_sealed(header, datagram, keys())
    assert raised.value.reason is Reason.UNPROTECTED


def test_unknown_payloads_are_passed_over_unless_critical():
    unknown = UnknownPayload(200, b"whatever")
    datagram = bytearray(in_clear(FRAME, (unknown, *SAID)))
    assert tuple(open_clear(header_of(bytes(datagram)), bytes(datagram))) == SAID
    datagram[HEADER_OCTETS + 1] |= 0x80
    with pytest.raises(Answered) as raised:
        open_clear(header_of(bytes(datagram)), bytes(datagram))
    assert (raised.value.notify, raised.value.data) == (Notify.UNSUPPORTED_CRITICAL_PAYLOAD, b"\xc8")


def test_an_unknown_payload_may_stand_before_the_encrypted_one():
    ours = keys(GCM)
    from ringfence.ike.payload import GenericHeader
    from ringfence.ike.v2.payloads import ENCRYPTED

    sizes = ours.sealed_octets(0)
    before = GenericHeader(ENCRYPTED, 8).encode() + b"else"
    generic = GenericHeader(0, 4 + sizes).encode()
    head = FRAME.header(200).over(before + generic + bytes(sizes))[: HEADER_OCTETS + 12]
    datagram = head + ours.seal(head, b"", b"")
    assert len(open_sealed(header_of(datagram), datagram, keys(GCM))) == 0


def test_nonsense_under_the_keys_is_the_peers_fault():
    ours = keys(GCM)

    class Short(NoncePayload):
        def encode(self):
            return b"short"

    datagram = seal(FRAME, (Short(bytes(16)),), ours, b"")
    with pytest.raises(Refused) as raised:
        open_sealed(header_of(datagram), datagram, keys(GCM))
    assert raised.value.reason is Reason.MALFORMED
    assert isinstance(raised.value, IkeError)


def test_words():
    assert words((*SAID, VendorPayload(b""), UnknownPayload(200, b""))) == "N(INITIAL_CONTACT) D V payload-200"
