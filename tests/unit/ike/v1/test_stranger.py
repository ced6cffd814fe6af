# SPDX-License-Identifier: Apache-2.0
"""What is said in clear to and by strangers."""

import pytest

from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Refused
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import open_clear, seal
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import DeletePayload, NotifyPayload
from ringfence.ike.v1.stranger import denied_spi, spi_denied_by, unknown_cookie, unknown_spi
from ringfence.ike.world import World
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH = path_between("192.0.2.1", "192.0.2.2")


def world():
    return World(SeededRandom(0), IkeSettings())


def parsed(effects):
    datagram = next(effect.datagram for effect in effects if isinstance(effect, SendMessage))
    return Header.decode(datagram[:HEADER_OCTETS]), datagram


def test_an_unknown_cookie():
    header = Header(b"initiate", b"response", 8, 0x10, Exchange.QUICK, 1, 7)
    answer, datagram = parsed(unknown_cookie(header, PATH, world()))
    assert (answer.initiator_cookie, answer.responder_cookie) == (b"initiate", b"response")
    assert not answer.encrypted
    assert open_clear(answer, datagram).one(NotifyPayload).kind == Notify.INVALID_COOKIE


@pytest.mark.parametrize("protocol", Protocol)
def test_an_unknown_spi_there_and_back(protocol):
    header, datagram = parsed(unknown_spi(protocol, 0x1001, PATH, world()))
    assert denied_spi(header, datagram) == (protocol, 0x1001)


def test_what_denies_nothing():
    assert spi_denied_by(NotifyPayload(1, 3, bytes(4), Notify.CONNECTED)) is None
    assert spi_denied_by(NotifyPayload(1, 1, bytes(4), Notify.INVALID_SPI)) is None
    assert spi_denied_by(NotifyPayload(1, 3, bytes(5), Notify.INVALID_SPI)) is None
    cookies = b"initiate", b"response"
    datagram, _ = seal(cookies, Exchange.QUICK, 7, (NotifyPayload(1, 3, bytes(4), Notify.INVALID_SPI),), None, b"")
    assert denied_spi(Header.decode(datagram[:HEADER_OCTETS]), datagram) is None
    datagram, _ = seal(cookies, Exchange.INFORMATIONAL, 7, (DeletePayload(1, 3, (bytes(4),)),), None, b"")
    with pytest.raises(Refused):
        denied_spi(Header.decode(datagram[:HEADER_OCTETS]), datagram)
