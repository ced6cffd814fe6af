# SPDX-License-Identifier: Apache-2.0
"""Notify messages of IKEv2 (RFC 7296 §3.10.1), and which one tells a peer of which reason."""

from enum import IntEnum

from ringfence.ike.errors import Aborted, Reason, Refused

FIRST_STATUS = 16384


class Notify(IntEnum):
    """Below 16384 something failed; from there on, something is so."""

    UNSUPPORTED_CRITICAL_PAYLOAD = 1
    INVALID_IKE_SPI = 4
    INVALID_MAJOR_VERSION = 5
    INVALID_SYNTAX = 7
    INVALID_MESSAGE_ID = 9
    INVALID_SPI = 11
    NO_PROPOSAL_CHOSEN = 14
    INVALID_KE_PAYLOAD = 17
    AUTHENTICATION_FAILED = 24
    SINGLE_PAIR_REQUIRED = 34
    NO_ADDITIONAL_SAS = 35
    INTERNAL_ADDRESS_FAILURE = 36
    FAILED_CP_REQUIRED = 37
    TS_UNACCEPTABLE = 38
    INVALID_SELECTORS = 39
    UNACCEPTABLE_ADDRESSES = 40
    UNEXPECTED_NAT_DETECTED = 41
    TEMPORARY_FAILURE = 43
    CHILD_SA_NOT_FOUND = 44
    STATE_NOT_FOUND = 47
    TS_MAX_QUEUE = 48

    INITIAL_CONTACT = 16384
    SET_WINDOW_SIZE = 16385
    ADDITIONAL_TS_POSSIBLE = 16386
    IPCOMP_SUPPORTED = 16387
    NAT_DETECTION_SOURCE_IP = 16388
    NAT_DETECTION_DESTINATION_IP = 16389
    COOKIE = 16390
    USE_TRANSPORT_MODE = 16391
    HTTP_CERT_LOOKUP_SUPPORTED = 16392
    REKEY_SA = 16393
    ESP_TFC_PADDING_NOT_SUPPORTED = 16394
    NON_FIRST_FRAGMENTS_ALSO = 16395
    MOBIKE_SUPPORTED = 16396
    ADDITIONAL_IP4_ADDRESS = 16397
    ADDITIONAL_IP6_ADDRESS = 16398
    NO_ADDITIONAL_ADDRESSES = 16399
    UPDATE_SA_ADDRESSES = 16400
    COOKIE2 = 16401
    NO_NATS_ALLOWED = 16402
    AUTH_LIFETIME = 16403
    MULTIPLE_AUTH_SUPPORTED = 16404
    ANOTHER_AUTH_FOLLOWS = 16405
    REDIRECT_SUPPORTED = 16406
    REDIRECT = 16407
    REDIRECTED_FROM = 16408
    TICKET_LT_OPAQUE = 16409
    TICKET_REQUEST = 16410
    TICKET_ACK = 16411
    TICKET_NACK = 16412
    TICKET_OPAQUE = 16413
    EAP_ONLY_AUTHENTICATION = 16417
    CHILDLESS_IKEV2_SUPPORTED = 16418
    QUICK_CRASH_DETECTION = 16419
    IKEV2_FRAGMENTATION_SUPPORTED = 16430
    SIGNATURE_HASH_ALGORITHMS = 16431
    PUZZLE = 16434
    USE_PPK = 16435
    PPK_IDENTITY = 16436
    NO_PPK_AUTH = 16437
    INTERMEDIATE_EXCHANGE_SUPPORTED = 16438
    ADDITIONAL_KEY_EXCHANGE = 16441
    SUPPORTED_AUTH_METHODS = 16443
    SA_RESOURCE_INFO = 16444
    USE_PPK_INT = 16445
    PPK_IDENTITY_KEY = 16446

    @property
    def is_error(self) -> bool:
        """Whether it says that something failed."""
        return self < FIRST_STATUS


def name_of(kind: Notify | int) -> str:
    """A notify's name as the RFC writes it."""
    return kind.name if isinstance(kind, Notify) else f"notify {kind}"


class Answered(Refused):
    """Refused with a notify of its own, because the reason alone does not say which."""

    def __init__(
        self, reason: Reason, message: str, notify: Notify, data: bytes = b"", about: tuple[int, bytes] = (0, b"")
    ) -> None:
        super().__init__(reason, message)
        self.notify = notify
        self.data = data
        """What stands behind the notify's number."""
        self.about = about
        """Protocol and SPI that it is about."""


class NotLetIn(Aborted):
    """A user has not proved who he is; EAP has a packet of its own that says so."""

    def __init__(self, message: str, packet: bytes) -> None:
        super().__init__(Reason.EAP_FAILED, message)
        self.packet = packet


UNPROVED = (
    Reason.WRONG_KEY, Reason.NO_PPK,
    Reason.WRONG_METHOD, Reason.NO_CERTIFICATE, Reason.NO_PRIVATE_KEY, Reason.WRONG_SIGNATURE,
    Reason.BAD_CERTIFICATE, Reason.UNTRUSTED, Reason.CERTIFICATE_EXPIRED, Reason.CERTIFICATE_EARLY, Reason.WRONG_USAGE,
    Reason.REVOKED, Reason.NO_REVOCATION_LIST, Reason.EAP_FAILED, Reason.WRONG_IDENTITY, Reason.NOT_AUTHORIZED,
)  # fmt: skip
"""Why somebody is not believed; the peer is told only that it is so (§2.21.2)."""

NOTIFY_OF: dict[Reason, Notify | None] = {
    Reason.MALFORMED: Notify.INVALID_SYNTAX,
    Reason.PAYLOAD_TYPE: Notify.UNSUPPORTED_CRITICAL_PAYLOAD,
    Reason.PAYLOAD_UNEXPECTED: Notify.INVALID_SYNTAX,
    Reason.PAYLOAD_MISSING: Notify.INVALID_SYNTAX,
    Reason.UNPROTECTED: Notify.INVALID_SYNTAX,
    Reason.VERSION: Notify.INVALID_MAJOR_VERSION,
    Reason.EXCHANGE_TYPE: Notify.INVALID_SYNTAX,
    Reason.UNKNOWN_COOKIE: Notify.INVALID_IKE_SPI,
    Reason.COLLISION: Notify.TEMPORARY_FAILURE,
    Reason.NO_PROPOSAL: Notify.NO_PROPOSAL_CHOSEN,
    Reason.BAD_KEY_EXCHANGE: Notify.INVALID_SYNTAX,
    **dict.fromkeys(UNPROVED, Notify.AUTHENTICATION_FAILED),
    Reason.NAT: Notify.NO_PROPOSAL_CHOSEN,
    Reason.WRONG_SELECTORS: Notify.TS_UNACCEPTABLE,
    Reason.NO_POLICY: Notify.NO_ADDITIONAL_SAS,
    Reason.SINGLE_PAIR: Notify.SINGLE_PAIR_REQUIRED,
    Reason.TICKET: Notify.AUTHENTICATION_FAILED,
    Reason.NO_ADDRESS: Notify.INTERNAL_ADDRESS_FAILURE,
}
"""What a peer is told; nothing for reasons that are not here."""
