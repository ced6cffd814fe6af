# SPDX-License-Identifier: Apache-2.0
"""What is said of other gateways; octets from RFC 5685 §10."""

from dataclasses import replace

import pytest

from ringfence.ike.errors import Aborted, Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.redirects import Redirects
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import NoncePayload, NotifyPayload
from ringfence.ike.v2.redirect import Elsewhere, SentAway, decoded, encoded, is_served, words
from ringfence.net.address import AddressRange, parse_address
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

ONE, TWO = parse_address("192.0.2.2"), parse_address("192.0.2.3")
(PLAIN,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
CLIENT = replace(PLAIN, others=(AddressRange.host(TWO),))
GATEWAY = replace(PLAIN, send_to=TWO)
NONCE = NoncePayload(bytes(range(32)))
SUPPORTED = NotifyPayload(Notify.REDIRECT_SUPPORTED)


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def redirect(data):
    return chain(NotifyPayload(Notify.REDIRECT, data))


def elsewhere(redirects=None):
    return Elsewhere(redirects or Redirects(), path_between("192.0.2.1", "192.0.2.2"), Env(SeededRandom(1)))


def test_numbers_are_those_of_the_rfc():
    assert (Notify.REDIRECT_SUPPORTED, Notify.REDIRECT, Notify.REDIRECTED_FROM) == (16406, 16407, 16408)


def test_octets():
    six = parse_address("2001:db8::1")
    assert encoded(TWO, b"nonce") == b"\1\4\xc0\0\2\3nonce"
    assert decoded(b"\1\4\xc0\0\2\3nonce") == (TWO, b"nonce")
    assert encoded(six) == b"\2\x10" + six
    assert decoded(b"\2\x10" + six) == (six, b"")


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\4\xc0", b"\2\4\xc0\0\2\3", b"\7\4\xc0\0\2\3"])
def test_what_is_no_gateway(data):
    with pytest.raises(Aborted) as raised:
        decoded(data)
    assert raised.value.reason is Reason.MALFORMED


def test_names_are_not_looked_up():
    with pytest.raises(Aborted, match=r'"gw\.example"; only addresses'):
        decoded(b"\3\x0agw.example")


def test_a_client_says_that_it_can_and_by_whom_it_was_sent():
    known = Redirects()
    assert elsewhere().offered(PLAIN) == ()
    assert elsewhere(known).offered(CLIENT) == (SUPPORTED,)
    known.note(CLIENT.name, path_between("192.0.2.1", "192.0.2.9"), ONE, 1)
    by = NotifyPayload(Notify.REDIRECTED_FROM, b"\1\4\xc0\0\2\x09")
    assert elsewhere(known).offered(CLIENT) == (SUPPORTED, by)


def test_a_client_obeys_an_answer_to_its_own_nonce():
    good = redirect(encoded(TWO, NONCE.data))
    with pytest.raises(SentAway) as raised:
        elsewhere().check_first(good, CLIENT, NONCE.data)
    assert raised.value.to == TWO
    elsewhere().check_first(good, PLAIN, NONCE.data)
    elsewhere().check_first(chain(), CLIENT, NONCE.data)
    for forged in (b"", bytes(32), NONCE.data[:-1]):
        with pytest.raises(Ignored):
            elsewhere().check_first(redirect(encoded(TWO, forged)), CLIENT, NONCE.data)
    with pytest.raises(Aborted, match="does not let it"):
        elsewhere().check_first(redirect(encoded(bytes(4), NONCE.data)), CLIENT, NONCE.data)


def test_under_the_keys_there_is_no_nonce():
    assert elsewhere().heard(chain(*words(TWO)), CLIENT) == TWO
    assert elsewhere().heard(chain(*words(TWO)), PLAIN) is None
    assert elsewhere().heard(chain(), CLIENT) is None


@pytest.mark.parametrize("knows", [SUPPORTED, NotifyPayload(Notify.REDIRECTED_FROM, encoded(ONE))])
def test_a_gateway_sends_who_knows_of_it(knows):
    first = chain(NONCE, knows)
    assert is_served(first)
    with pytest.raises(Answered) as raised:
        elsewhere().refer_first(first, (GATEWAY,))
    assert (raised.value.notify, raised.value.data) == (Notify.REDIRECT, encoded(TWO, NONCE.data))
    assert elsewhere().referred(first, GATEWAY) == TWO


def test_a_gateway_serves_everybody_else():
    elsewhere().refer_first(chain(NONCE), (GATEWAY,))
    assert elsewhere().referred(chain(NONCE), GATEWAY) is None
    elsewhere().refer_first(chain(NONCE, SUPPORTED), (PLAIN,))
    elsewhere().refer_first(chain(NONCE, SUPPORTED), (GATEWAY, PLAIN))  # who it is decides that, later
    assert elsewhere().referred(chain(SUPPORTED), PLAIN) is None
    here = replace(PLAIN, send_to=parse_address("192.0.2.1"))
    elsewhere().refer_first(chain(NONCE, SUPPORTED), (here,))


def test_a_drain_is_for_all():
    known = Redirects()
    known.drains_to = TWO
    with pytest.raises(Answered):
        elsewhere(known).refer_first(chain(NONCE, SUPPORTED), (PLAIN,))
    known.drains_to = parse_address("2001:db8::1")
    elsewhere(known).refer_first(chain(NONCE, SUPPORTED), (PLAIN,))
