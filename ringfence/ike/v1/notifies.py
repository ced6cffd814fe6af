# SPDX-License-Identifier: Apache-2.0
"""Numbers of IKEv1's notifies: errors, status, and what Windows adds (RFC 2408 §3.14.1, RFC 2407 §4.6.3, [MS-IKEE])."""

from enum import IntEnum

from ringfence.ike.errors import Reason


class Notify(IntEnum):
    """Notify message types."""

    INVALID_PAYLOAD_TYPE = 1
    DOI_NOT_SUPPORTED = 2
    SITUATION_NOT_SUPPORTED = 3
    INVALID_COOKIE = 4
    INVALID_MAJOR_VERSION = 5
    INVALID_MINOR_VERSION = 6
    INVALID_EXCHANGE_TYPE = 7
    INVALID_FLAGS = 8
    INVALID_MESSAGE_ID = 9
    INVALID_PROTOCOL_ID = 10
    INVALID_SPI = 11
    INVALID_TRANSFORM_ID = 12
    ATTRIBUTES_NOT_SUPPORTED = 13
    NO_PROPOSAL_CHOSEN = 14
    BAD_PROPOSAL_SYNTAX = 15
    PAYLOAD_MALFORMED = 16
    INVALID_KEY_INFORMATION = 17
    INVALID_ID_INFORMATION = 18
    INVALID_CERT_ENCODING = 19
    INVALID_CERTIFICATE = 20
    CERT_TYPE_UNSUPPORTED = 21
    INVALID_CERT_AUTHORITY = 22
    INVALID_HASH_INFORMATION = 23
    AUTHENTICATION_FAILED = 24
    INVALID_SIGNATURE = 25
    ADDRESS_NOTIFICATION = 26
    NOTIFY_SA_LIFETIME = 27
    CERTIFICATE_UNAVAILABLE = 28
    UNSUPPORTED_EXCHANGE_TYPE = 29
    UNEQUAL_PAYLOAD_LENGTHS = 30
    CONNECTED = 16384
    RESPONDER_LIFETIME = 24576
    REPLAY_STATUS = 24577
    INITIAL_CONTACT = 24578
    R_U_THERE = 36136
    """Dead peer detection (RFC 3706)."""
    R_U_THERE_ACK = 36137
    MS_STATUS = 40003
    """An error code of Windows, four octets."""
    MS_DOS_COOKIE = 40004
    """Repeat your first message with this responder cookie."""
    MS_EXCHANGE_INFO = 40005
    """Flags of negotiation discovery."""

    @property
    def is_error(self) -> bool:
        """Whether it says that something failed."""
        return self < Notify.CONNECTED


UNREADING = frozenset(
    (
        Notify.INVALID_PAYLOAD_TYPE,
        Notify.INVALID_FLAGS,
        Notify.INVALID_MESSAGE_ID,
        Notify.PAYLOAD_MALFORMED,
        Notify.INVALID_HASH_INFORMATION,
    )
)
"""What a peer says that decrypted a message with a wrong IV."""

SUSPICIOUS = (Notify.INVALID_COOKIE, Notify.INVALID_SPI)
"""What a peer that was restarted says in clear."""

NOTIFY_OF: dict[Reason, Notify | None] = {
    Reason.MALFORMED: Notify.PAYLOAD_MALFORMED,
    Reason.PAYLOAD_TYPE: Notify.INVALID_PAYLOAD_TYPE,
    Reason.PAYLOAD_UNEXPECTED: Notify.PAYLOAD_MALFORMED,
    Reason.PAYLOAD_MISSING: Notify.PAYLOAD_MALFORMED,
    Reason.UNPROTECTED: Notify.INVALID_FLAGS,
    Reason.DOI: Notify.DOI_NOT_SUPPORTED,
    Reason.SITUATION: Notify.SITUATION_NOT_SUPPORTED,
    Reason.VERSION: Notify.INVALID_MAJOR_VERSION,
    Reason.EXCHANGE_TYPE: Notify.UNSUPPORTED_EXCHANGE_TYPE,
    Reason.UNKNOWN_COOKIE: Notify.INVALID_COOKIE,
    Reason.UNEXPECTED: None,
    Reason.USED_MESSAGE_ID: None,
    Reason.UNDECIPHERABLE: Notify.PAYLOAD_MALFORMED,
    Reason.BAD_HASH: Notify.INVALID_HASH_INFORMATION,
    Reason.HALF_OPEN_LIMIT: None,
    Reason.NO_PEER: None,
    Reason.COLLISION: None,
    Reason.NO_PROPOSAL: Notify.NO_PROPOSAL_CHOSEN,
    Reason.CHANGED_PROPOSAL: Notify.BAD_PROPOSAL_SYNTAX,
    Reason.BAD_KEY_EXCHANGE: Notify.INVALID_KEY_INFORMATION,
    Reason.NO_PPK: Notify.AUTHENTICATION_FAILED,
    Reason.WRONG_KEY: Notify.AUTHENTICATION_FAILED,
    Reason.WRONG_METHOD: Notify.AUTHENTICATION_FAILED,
    Reason.NO_CERTIFICATE: Notify.CERTIFICATE_UNAVAILABLE,
    Reason.NO_PRIVATE_KEY: Notify.AUTHENTICATION_FAILED,
    Reason.WRONG_SIGNATURE: Notify.INVALID_SIGNATURE,
    Reason.BAD_CERTIFICATE: Notify.INVALID_CERTIFICATE,
    Reason.UNTRUSTED: Notify.INVALID_CERT_AUTHORITY,
    Reason.CERTIFICATE_EXPIRED: Notify.INVALID_CERTIFICATE,
    Reason.CERTIFICATE_EARLY: Notify.INVALID_CERTIFICATE,
    Reason.WRONG_USAGE: Notify.INVALID_CERTIFICATE,
    Reason.REVOKED: Notify.INVALID_CERTIFICATE,
    Reason.NO_REVOCATION_LIST: Notify.AUTHENTICATION_FAILED,
    Reason.WRONG_USER: Notify.AUTHENTICATION_FAILED,
    Reason.EAP_FAILED: Notify.AUTHENTICATION_FAILED,
    Reason.WRONG_IDENTITY: Notify.INVALID_ID_INFORMATION,
    Reason.NOT_AUTHORIZED: Notify.AUTHENTICATION_FAILED,
    Reason.NAT: Notify.NO_PROPOSAL_CHOSEN,
    Reason.WRONG_SELECTORS: Notify.INVALID_ID_INFORMATION,
    Reason.NO_ADDRESS: None,
    Reason.ELSEWHERE: None,
    Reason.TICKET: None,
    Reason.SINGLE_PAIR: None,
    Reason.PEER_SILENT: None,
    Reason.PEER_REFUSED: None,
    Reason.PEER_UNREADING: None,
    Reason.PEER_DELETED: None,
    Reason.NO_POLICY: None,
    Reason.MAY_NOT_BEGIN: None,
    Reason.POLICY_CHANGED: None,
    Reason.SHUT_DOWN: None,
    Reason.EXPIRED: None,
}
"""What a peer is told for each reason; None for nothing."""
