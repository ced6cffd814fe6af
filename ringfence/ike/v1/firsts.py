# SPDX-License-Identifier: Apache-2.0
"""First messages of main mode under load: answered without an IKE SA, and without reckoning anything.

IKEv1 has no cookies of its own that would come back before there is state: what message 1 offers is proved by the hash
of message 5, so it has to be kept. Two ways lead around that.

- Windows and Ringfence know a notify that asks for message 1 once more, with a cookie in its header ([MS-IKEE] §3.9).
  Nothing is kept. Who knows it says so by its vendor id.
- All others get message 2, whose cookie is a MAC of addresses and the initiator's cookie, so no repetition costs more.
  Kept are the two ends and the body of message 1, of which all messages with the same offer share one, in the order
  of arrival up to a number. Message 3 brings the cookie back: only now there is an IKE SA, and it begins as if message
  1 had just come. Who answers within two seconds at 10,000 forged messages a second finds what it needs.

What message 2 says depends on message 1's body alone, so the same offer is read once. Those that somebody has gone on
with are remembered longest; of new ones only so many are read per second, so that nobody keeps us busy with others and
others.
"""

from collections import OrderedDict
from dataclasses import dataclass

from ringfence.databases.pad import Pad, PadEntry
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Message, Say, Stepper
from ringfence.ike.flood import Bucket
from ringfence.ike.glance import glance
from ringfence.ike.header import COOKIE_OCTETS, HEADER_OCTETS, NO_COOKIE, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.v1 import main_mode
from ringfence.ike.v1.channel import Cookies, open_clear
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId, VendorPayload
from ringfence.ike.v1.rules import MAIN_MODE, Proof
from ringfence.ike.v1.vendors import PREFIXES, Vendor
from ringfence.ike.world import World
from ringfence.net.address import Path

MOST_BODIES = 1024
MOST_PROVEN = 256
MOST_OCTETS = 4096
"""Of a first message that is answered under load; the longest offers have a thousand."""
KNOW_COOKIES = tuple(prefix for prefix, vendor in PREFIXES.items() if vendor in (Vendor.WINDOWS, Vendor.RINGFENCE))
"""Vendor ids of who understands the notify that asks for a cookie."""

Key = tuple[int, bytes, tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a first message says behind its header, and what is answered."""

    key: Key
    first: int
    octets: bytes
    answer: tuple[int, bytes]
    """The type of the first payload of message 2, and all of them."""

    def message(self, initiator_cookie: bytes) -> bytes:
        """Message 1 as it came."""
        header = Header(initiator_cookie, NO_COOKIE, self.first, VERSION_1, Exchange.MAIN, Flags(0), 0)
        return header.over(self.octets)


def token(path: Path, initiator_cookie: bytes) -> bytes:
    """What a cookie is made of."""
    ends = path.local, path.remote
    return initiator_cookie + b"".join(end.address + end.port.to_bytes(2) for end in ends)


class Firsts:
    """Those that were answered, and have not gone on yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: OrderedDict[Cookies, tuple[Path, Offer, float]] = OrderedDict()
        self._seen: OrderedDict[Key, Offer] = OrderedDict()
        self._proven: OrderedDict[Key, Offer] = OrderedDict()
        self._fresh = Bucket(world.settings.flood.fresh_per_s)
        self._pad: Pad | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def answer(self, header: Header, datagram: bytes, path: Path, entries: tuple[PadEntry, ...]) -> bytes:
        """What goes back for a first message; raises IkeError for one that gets nothing."""
        if self._pad is not self._world.pad:
            self._pad = self._world.pad
            self._seen.clear()
            self._proven.clear()
        names = tuple(entry.name for entry in entries)
        key = header.next_payload, datagram[HEADER_OCTETS:], names, len(path.remote.address)
        offer = self._proven.get(key) or self._seen.get(key)
        if offer is None:
            if _knows_cookies(header, datagram):
                return self._demand(header, path)
            offer = self._read(key, header, datagram, path, entries)
        cookie = self._cookie(header, path)
        self._keep((header.initiator_cookie, cookie), path, offer)
        first, octets = offer.answer
        return Header(header.initiator_cookie, cookie, first, VERSION_1, Exchange.MAIN, Flags(0), 0).over(octets)

    def recall(self, header: Header, path: Path) -> bytes | None:
        """Message 1, where one that goes on with it comes by the same way; it is remembered no longer."""
        cookies = header.initiator_cookie, header.responder_cookie
        where, offer, _ = self._waiting.get(cookies, (None, None, 0.0))
        if offer is None or where != path:
            return None
        del self._waiting[cookies]
        _put(self._proven, offer.key, offer, MOST_PROVEN)
        return offer.message(header.initiator_cookie)

    def brings_cookie(self, header: Header, path: Path) -> bool:
        """Whether the header's responder cookie is one that we demanded."""
        what = token(path, header.initiator_cookie)
        return self._world.jar.knows(header.responder_cookie, what, self._world.env.now)

    def forget(self) -> None:
        """What has waited too long."""
        long_ago = self._world.env.now - self._world.settings.half_open_s
        while self._waiting and next(iter(self._waiting.values()))[2] <= long_ago:
            self._waiting.popitem(last=False)

    def _cookie(self, header: Header, path: Path) -> bytes:
        return self._world.jar.bake(token(path, header.initiator_cookie), self._world.env.now)[:COOKIE_OCTETS]

    def _demand(self, header: Header, path: Path) -> bytes:
        """The notify that asks for the message once more with a cookie."""
        notify = NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, b"", Notify.MS_DOS_COOKIE, self._cookie(header, path))
        first, octets = encode_chain((notify,))
        number = self._world.env.number(4) or 1
        cookies = header.initiator_cookie, NO_COOKIE
        return Header(*cookies, first, VERSION_1, Exchange.INFORMATIONAL, Flags(0), number).over(octets)

    def _read(
        self, key: Key, header: Header, datagram: bytes, path: Path, entries: tuple[PadEntry, ...]
    ) -> Offer:  # fmt: skip
        """An offer that is new; the responder itself says what the answer is, as far as it depends on nothing else."""
        if len(datagram) > MOST_OCTETS or not self._fresh.take(self._world.env.now):
            raise Ignored(Reason.HALF_OPEN_LIMIT, "under load, and nobody has gone on with such an offer before")
        chain = open_clear(header, datagram)
        MAIN_MODE[Proof.HASH][0].check(chain, encrypted=False)
        setting = main_mode.Setting(path, entries, header.initiator_cookie, NO_COOKIE, lambda: False)
        stepper = Stepper(main_mode.respond(Message(header, chain), setting, self._world.env))
        command = stepper.step()
        stepper.close()
        if not isinstance(command, Say):
            raise Ignored(Reason.HALF_OPEN_LIMIT, "under load, and such a main mode cannot be answered without state")
        offer = Offer(key, header.next_payload, datagram[HEADER_OCTETS:], encode_chain(command.payloads))
        _put(self._seen, key, offer, MOST_BODIES)
        return offer

    def _keep(self, cookies: Cookies, path: Path, offer: Offer) -> None:
        self.forget()
        self._waiting[cookies] = path, offer, self._world.env.now
        if len(self._waiting) > self._world.settings.flood.firsts:
            self._waiting.popitem(last=False)


def _put(offers: OrderedDict[Key, Offer], key: Key, offer: Offer, most: int) -> None:
    offers[key] = offer
    if len(offers) > most:
        offers.popitem(last=False)


def _knows_cookies(header: Header, datagram: bytes) -> bool:
    seen = glance(header.next_payload, datagram)
    return any(number == VendorPayload.NUMBER and body.startswith(KNOW_COOKIES) for number, body in seen)
