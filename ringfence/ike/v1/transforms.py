# SPDX-License-Identifier: Apache-2.0
"""The numbers of quick mode's transforms and attributes (RFC 2407 §4.4, §4.5): what a method is on the wire."""

from enum import IntEnum

from ringfence.crypto.suites import GMAC_V1, GROUPS, DhGroup, Integrity, is_legacy
from ringfence.databases.proposal import Protocol, SecurityMethod, Transform
from ringfence.ike.v1.negotiate import Meaning, meaning
from ringfence.ike.v1.payloads import ProposalPayload, ProtocolId, SaPayload, TransformPayload

SPI_OCTETS = 4


class QuickAttribute(IntEnum):
    """Attributes of phase 2 (RFC 2407 §4.5, RFC 4304)."""

    LIFE_TYPE = 1
    LIFE_DURATION = 2
    GROUP = 3
    ENCAPSULATION = 4
    AUTHENTICATION = 5
    KEY_LENGTH = 6
    EXTENDED_SEQUENCE = 11


PROTOCOL_ID = {Protocol.AH: ProtocolId.AH, Protocol.ESP: ProtocolId.ESP}


def quick_meaning(transform: TransformPayload) -> Meaning:
    """What a transform of phase 2 says."""
    return meaning(transform, QuickAttribute.LIFE_TYPE, QuickAttribute.LIFE_DURATION)


def transform_id(transform: Transform) -> int | None:
    """IKEv1's transform identifier; None where it has none."""
    if transform.cipher is not None:
        return transform.cipher.row.esp_v1
    authenticator = transform.authenticator
    if authenticator is None or authenticator.algorithm is not Integrity.AES_GMAC:
        return None if authenticator is None else authenticator.row.ah_v1
    return GMAC_V1[authenticator.key_octets * 8]


def _authentication(transform: Transform) -> int | None:
    authenticator = transform.authenticator
    if authenticator is None:
        return None
    if authenticator.algorithm is Integrity.AES_GMAC:
        return GMAC_V1[authenticator.key_octets * 8]
    return authenticator.row.attribute_v1


def quick_says(transform: Transform) -> list[tuple[int, int]]:
    """The attributes that name algorithms."""
    says: list[tuple[int, int]] = []
    if (authentication := _authentication(transform)) is not None:
        says.append((QuickAttribute.AUTHENTICATION, authentication))
    if transform.cipher is not None and transform.cipher.row.sends_key_bits:
        says.append((QuickAttribute.KEY_LENGTH, transform.cipher.key_bits))
    if transform.esn:
        says.append((QuickAttribute.EXTENDED_SEQUENCE, 1))
    return says


def can_say(method: SecurityMethod) -> bool:
    """Whether IKEv1 has a number for everything in it."""
    return all(
        transform_id(each) is not None and (each.authenticator is None or _authentication(each) is not None)
        for each in method.transforms
    )


def on_wire(method: SecurityMethod) -> list[Transform]:
    """A method's transforms in the order of their proposals: AH first."""
    return sorted(method.transforms, key=lambda each: PROTOCOL_ID[each.protocol])


def by_number(offer: SaPayload) -> list[list[ProposalPayload]]:
    """The proposal payloads of each proposal number, in order."""
    groups: dict[int, list[ProposalPayload]] = {}
    for proposal in offer.proposals:
        groups.setdefault(proposal.number, []).append(proposal)
    return list(groups.values())


def group_fits(offered: int | None, wanted: DhGroup | None) -> bool:
    """A group that the policy names must be that one; without one, a peer may ask for any that is not weak."""
    if wanted is not None:
        return offered == wanted.value
    known = next((group for group in DhGroup if group.value == offered and not GROUPS[group].encapsulates), None)
    return offered is None or (known is not None and not is_legacy(known))
