# SPDX-License-Identifier: Apache-2.0
"""Pieces of TLS (RFC 5216 §2.1.5); whole handshakes: test_conversations.py, tests/interop/test_eap.py."""

import pytest
from lab.eap import ROOT

from ringfence.credentials.eap import tls
from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.crypto.signature import PrivateKey

ALICE, SERVER = ROOT.issue("CN=alice"), ROOT.issue("CN=vpn")


def side(issued, *, server, wrong=""):
    return tls.Tls((issued.der,), PrivateKey(issued.key), lambda _: wrong, server=server)


def shake(ours, theirs):
    """Both to the end; the octets of the last turns."""
    said = ours.take(b"")
    for _ in range(8):
        heard = theirs.take(said)
        said = ours.take(heard)
        if not said and not heard:
            break


def test_both_come_to_one_key():
    ours, theirs = side(ALICE, server=False), side(SERVER, server=True)
    shake(ours, theirs)
    assert ours.done
    assert theirs.done
    assert ours.key() == theirs.key()
    assert (ours.leaf, theirs.leaf) == (SERVER.der, ALICE.der)


def test_nothing_is_said_to_somebody_whom_nobody_trusts():
    ours, theirs = side(ALICE, server=False, wrong="a stranger"), side(SERVER, server=True)
    assert ours.take(theirs.take(ours.take(b""))) == b""
    assert ours.failure == "a stranger"
    assert not ours.done


def test_a_key_has_to_fit_its_certificate():
    with pytest.raises(Denied, match="cannot be used"):
        tls.Tls((ALICE.der,), PrivateKey(SERVER.key), lambda _: "", server=False)


def test_a_server_begins_with_a_start():
    with pytest.raises(BadPacket, match="start"):
        next(tls.answer(b"\x00", side(ALICE, server=False)))
    assert next(tls.ask(side(SERVER, server=True))) == b"\x20"


def test_a_long_message_goes_in_pieces_that_are_acknowledged():
    asking = tls.ask(side(SERVER, server=True))
    next(asking)
    hello = side(ALICE, server=False).take(b"")
    assert asking.send(b"\xc0" + len(hello).to_bytes(4) + hello[:100]) == b"\x00"
    assert asking.send(b"\x40" + hello[100:200]) == b"\x00"
    reply = asking.send(b"\x00" + hello[200:])
    assert reply[0] & tls.LENGTH == (tls.LENGTH if reply[0] & tls.MORE else 0)
    if reply[0] & tls.MORE:
        assert len(reply) == 5 + tls.PIECE
        with pytest.raises(BadPacket, match="in between"):
            asking.send(b"\x00x")


def test_messages_have_bounds():
    asking = tls.ask(side(SERVER, server=True))
    next(asking)
    for _ in range(65):
        assert asking.send(b"\x40" + bytes(1000)) == b"\x00"
    with pytest.raises(BadPacket, match="too long"):
        asking.send(b"\x40" + bytes(1000))


@pytest.mark.parametrize("data", [b"", b"\x80\0\0"])
def test_what_is_cut_short_is_refused(data):
    asking = tls.ask(side(SERVER, server=True))
    next(asking)
    with pytest.raises(BadPacket):
        asking.send(data)


def test_noise_is_denied():
    asking = tls.ask(side(SERVER, server=True))
    next(asking)
    with pytest.raises(Denied, match="TLS fails"):
        asking.send(b"\x00" + b"GET / HTTP/1.0\r\n\r\n")
