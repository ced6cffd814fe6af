# SPDX-License-Identifier: Apache-2.0
"""Numbers of IKEv2 that are no algorithm's: exchanges, header flags, transform types, authentication methods."""

from enum import IntEnum, IntFlag


class Kind(IntEnum):
    """Exchange types (RFC 7296 §3.1)."""

    IKE_SA_INIT = 34
    IKE_AUTH = 35
    CREATE_CHILD_SA = 36
    INFORMATIONAL = 37
    IKE_SESSION_RESUME = 38
    """In the place of IKE_SA_INIT (RFC 5723)."""
    IKE_INTERMEDIATE = 43
    """Between IKE_SA_INIT and IKE_AUTH (RFC 9242)."""
    IKE_FOLLOWUP_KE = 44
    """After CREATE_CHILD_SA (RFC 9370 §2.2.4)."""


IN_CLEAR = frozenset({Kind.IKE_SA_INIT, Kind.IKE_SESSION_RESUME})
"""Exchanges before there are keys."""


class Flag(IntFlag):
    """Header flags (RFC 7296 §3.1)."""

    INITIATOR = 0x08
    """The sender began the IKE SA, or its last rekeying."""
    HIGHER_VERSION = 0x10
    RESPONSE = 0x20


class ProtocolId(IntEnum):
    """What an SPI belongs to (RFC 7296 §3.3.1)."""

    IKE = 1
    AH = 2
    ESP = 3


class TransformType(IntEnum):
    """What a transform chooses (RFC 7296 §3.3.2)."""

    ENCRYPTION = 1
    PRF = 2
    INTEGRITY = 3
    GROUP = 4
    ESN = 5
    ADDITIONAL_1 = 6
    """A further key exchange, likewise up to the seventh (RFC 9370 §2.2.1); their numbers are those of groups."""
    ADDITIONAL_2 = 7
    ADDITIONAL_3 = 8
    ADDITIONAL_4 = 9
    ADDITIONAL_5 = 10
    ADDITIONAL_6 = 11
    ADDITIONAL_7 = 12


ADDITIONAL = tuple(each for each in TransformType if each >= TransformType.ADDITIONAL_1)
"""Types of further key exchanges, in their order."""

NONE = 0
"""No integrity algorithm, no group, no extended sequence numbers."""
KEY_LENGTH = 14
"""The only attribute of a transform, in bits (RFC 7296 §3.3.5)."""


class AuthMethod(IntEnum):
    """What an AUTH payload proves with (RFC 7296 §3.8, RFC 7427)."""

    RSA = 1
    SHARED_KEY = 2
    DSS = 3
    ECDSA_256 = 9
    ECDSA_384 = 10
    ECDSA_521 = 11
    NULL = 13
    SIGNATURE = 14
