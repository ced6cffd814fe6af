# SPDX-License-Identifier: Apache-2.0
"""What mode config and XAUTH say (draft-dukes-ike-mode-cfg, draft-beaulieu-ike-xauth): attributes, and their sense.

Both are questions and answers behind main or aggressive mode. XAUTH has numbers of its own for who a user is; the rest
is what IKEv2's configuration payload carries, with the same numbers, so ``v2.configuration`` reads and makes it. Only
IPv4 is asked for and given: clients of IKEv1 ask for nothing else, and the drafts do not say how IPv6 would be.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum

from ringfence.crypto.integrity import same
from ringfence.databases.eap import EapUser, Users
from ringfence.databases.pool import Asks, Pool
from ringfence.ike.isakmp import Attribute
from ringfence.ike.v1.payloads import AttributesPayload
from ringfence.ike.v2 import configuration
from ringfence.ike.v2.configuration import Form as Form
from ringfence.ike.v2.configuration import Pairs
from ringfence.net.address import AddressRange
from ringfence.secret import Secret

IPV4 = 4


class User(IntEnum):
    """Attributes of XAUTH (§6 of its draft)."""

    TYPE = 16520
    NAME = 16521
    PASSWORD = 16522
    PASSCODE = 16523
    MESSAGE = 16524
    CHALLENGE = 16525
    DOMAIN = 16526
    STATUS = 16527


GENERIC, FAILED, PASSED = 0, 0, 1
WORD_OCTETS = 255
"""Of a user's name or password that we take."""


def pairs(payload: AttributesPayload) -> Pairs:
    """The attributes with their octets; a short one has two."""
    return tuple(
        (one.kind, one.value.to_bytes(2) if isinstance(one.value, int) else one.value) for one in payload.attributes
    )


def payload(kind: Form, found: Iterable[tuple[int, bytes]], identifier: int = 0) -> AttributesPayload:
    """A payload of these attributes, all with a length."""
    return AttributesPayload(kind, identifier, tuple(Attribute(number, value) for number, value in found))


# Users -------------------------------------------------------------------------------------------------------------


def ask_user() -> AttributesPayload:
    """Who are you?"""
    return payload(Form.REQUEST, [(User.NAME, b""), (User.PASSWORD, b"")])


def asks_user(asked: AttributesPayload) -> bool:
    """Whether a question is who the user is."""
    return asked.kind == Form.REQUEST and any(one.kind in (User.NAME, User.PASSWORD) for one in asked.attributes)


def tell_user(asked: AttributesPayload, user: EapUser) -> AttributesPayload | None:
    """Our answer; None where more is asked than a password."""
    wanted = [one.kind for one in asked.attributes]
    other = any(one.kind == User.TYPE and one.as_number != GENERIC for one in asked.attributes)
    if other or any(kind in (User.PASSCODE, User.CHALLENGE, User.DOMAIN) for kind in wanted):
        return None
    password = b"" if user.password is None else user.password.reveal()
    found = [Attribute(User.NAME, user.name.encode()), Attribute(User.PASSWORD, password)]
    if User.TYPE in wanted:
        found.insert(0, Attribute(User.TYPE, GENERIC))
    return AttributesPayload(Form.REPLY, asked.identifier, tuple(found))


def is_user(told: AttributesPayload, users: Users) -> str:
    """The name of the user whose password the answer has; empty for nobody."""
    said = dict(pairs(told))
    name, password = said.get(User.NAME, b""), said.get(User.PASSWORD, b"")
    if told.kind != Form.REPLY or not name or max(len(name), len(password)) > WORD_OCTETS:
        return ""
    text = name.rstrip(b"\0").decode(errors="replace")
    known = users.passwords.get(text)
    expected = Secret(b"\0" * 16) if known is None else known
    right = same(password.rstrip(b"\0"), expected.reveal())
    return text if right and known is not None and len(known) and not known.exact else ""


def status(*, passed: bool) -> AttributesPayload:
    """Whether the user is let in."""
    return AttributesPayload(Form.SET, 0, (Attribute(User.STATUS, PASSED if passed else FAILED),))


def status_of(told: AttributesPayload) -> bool | None:
    """What a peer says of that; None where it says something else."""
    found = next((one.as_number for one in told.attributes if one.kind == User.STATUS), None)
    return None if found is None or told.kind not in (Form.SET, Form.REPLY) else found == PASSED


def acknowledgement(told: AttributesPayload) -> AttributesPayload:
    """We have heard it: its attributes, without their values."""
    return AttributesPayload(Form.ACK, told.identifier, tuple(Attribute(one.kind, b"") for one in told.attributes))


# Addresses ---------------------------------------------------------------------------------------------------------


def ask_address(asks: Asks, last: tuple[bytes, ...]) -> AttributesPayload | None:
    """What we ask for; None where it is nothing that IKEv1 has."""
    if IPV4 not in asks.families:
        return None
    wanted = replace(asks, families=(IPV4,), addresses=_v4(asks.addresses))
    (said,) = configuration.request(wanted, _v4(last))
    return payload(Form.REQUEST, said.attributes)


def give_address(
    asked: AttributesPayload, pool: Pool | None, leased: tuple[bytes, ...], protected: Iterable[AddressRange]
) -> AttributesPayload:
    """The answer to a question for addresses and what goes with them."""
    wishes = configuration.Wishes(pairs(asked))
    return payload(Form.REPLY, configuration.reply(wishes, pool, leased, protected).attributes, asked.identifier)


def _v4(addresses: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(one for one in addresses if len(one) == 4)
