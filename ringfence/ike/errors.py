# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a negotiation: three consequences, each with a reason.

``Ignored``: the message is dropped and counted. ``Refused``: it is answered, and the SA lives. ``Aborted``: it is
answered, and the SA dies. Whatever a message that nobody authenticated causes is lowered to ``Ignored`` by the engine.
"""

from enum import Enum

from ringfence.databases.comparison import Comparison
from ringfence.errors import IpsecError


class Reason(Enum):
    """Why; the value is the name in counters and events. Each protocol maps these to its own notify numbers."""

    MALFORMED = "malformed"
    """Octets that are no message."""
    PAYLOAD_TYPE = "payload-type"
    """A payload whose type means nothing here."""
    PAYLOAD_UNEXPECTED = "payload-unexpected"
    """A payload that may not stand in this message, stands too often or in the wrong place."""
    PAYLOAD_MISSING = "payload-missing"
    """A payload that this message must have."""
    UNPROTECTED = "unprotected"
    """In clear where it must be encrypted, or the other way round."""
    DOI = "doi-not-supported"
    """Security associations for something else than IPsec."""
    SITUATION = "situation-not-supported"
    """Labels of secrecy or integrity (RFC 2407 §4.2)."""
    VERSION = "version-not-supported"
    """Another IKE than version 1."""
    EXCHANGE_TYPE = "exchange-type-not-supported"
    """Such as aggressive mode."""
    UNKNOWN_COOKIE = "unknown-cookie"
    """An IKE SA that we do not have."""
    UNEXPECTED = "unexpected-message"
    """Well-formed, but nobody waits for it."""
    USED_MESSAGE_ID = "used-message-id"
    """An exchange that has ended, played again or very late."""
    UNDECIPHERABLE = "undecipherable"
    """Nothing comes out when it is decrypted."""
    BAD_HASH = "bad-hash"
    """A message of phase 2 that is not proved by the keys of its IKE SA."""
    HALF_OPEN_LIMIT = "too-many-half-open"
    """Too many negotiations that peers began and did not go on with."""
    NO_PEER = "no-policy-for-peer"
    """No entry of the PAD serves the peer's address."""
    COLLISION = "collision"
    """Both sides began at once, and the other's exchange goes on."""
    NO_PROPOSAL = "no-proposal-in-common"
    """None of the peer's proposals is one that the policy allows."""
    CHANGED_PROPOSAL = "changed-proposal"
    """The peer's answer is none of our proposals as it was."""
    BAD_KEY_EXCHANGE = "bad-key-exchange"
    """A public value that no group member has, or none where one must be."""
    WRONG_KEY = "wrong-preshared-key"
    """The peer has another pre-shared key."""
    NO_PPK = "no-postquantum-key"
    """The two sides do not mix the same postquantum preshared key into their keys, and one of them insists."""
    WRONG_METHOD = "wrong-authentication-method"
    """The peer proves itself in a way that the policy does not name, or takes none of ours."""
    NO_CERTIFICATE = "no-own-certificate"
    """We have no certificate that would prove us by what both sides take."""
    NO_PRIVATE_KEY = "no-private-key"
    """The key of our certificate cannot be used."""
    WRONG_SIGNATURE = "wrong-signature"
    """The peer's signature is none by the key of the certificate that it shows."""
    BAD_CERTIFICATE = "bad-certificate"
    """The peer shows none, or one that cannot be read, is too weak, or is none for signing."""
    UNTRUSTED = "untrusted-authority"
    """No path leads from the peer's certificate to an authority that the policy trusts."""
    CERTIFICATE_EXPIRED = "certificate-expired"
    """The time of the peer's certificate, or of one above it, is over."""
    CERTIFICATE_EARLY = "certificate-not-yet-valid"
    """Its time has not begun, or this computer's clock is slow."""
    WRONG_USAGE = "wrong-certificate-usage"
    """The certificate is for something else, or is not the one that the policy describes."""
    REVOKED = "certificate-revoked"
    """Its authority has withdrawn it."""
    NO_REVOCATION_LIST = "no-revocation-list"
    """The policy wants certificates looked up, and there is no list to look in."""
    WRONG_USER = "wrong-user"
    """A user has another password, or nobody knows him (XAUTH)."""
    EAP_FAILED = "eap-failed"
    """Somebody did not prove by EAP who he is, or the conversation went wrong."""
    WRONG_IDENTITY = "wrong-identity"
    """The peer proved to be somebody whom the policy does not expect."""
    NOT_AUTHORIZED = "not-authorized"
    """The peer proved who it is, and the policy does not let it in."""
    NAT = "nat-in-between"
    """What the policy wants cannot pass the NAT that was found."""
    WRONG_SELECTORS = "wrong-selectors"
    """Protection for traffic that the policy does not protect so."""
    NO_ADDRESS = "no-address"
    """There is no address to give, or the peer gives us none."""
    SINGLE_PAIR = "single-pair"
    """The peer takes one pair of traffic selectors at a time."""
    PEER_SILENT = "peer-silent"
    """No answer, however often we asked."""
    PEER_REFUSED = "refused-by-peer"
    """The peer's error notify, under the keys of an IKE SA or while there are none."""
    PEER_UNREADING = "unread-by-peer"
    """The peer says that our message made no sense to it: perhaps it came before the one that gives it the keys."""
    PEER_DELETED = "deleted-by-peer"
    """The peer ended it."""
    ELSEWHERE = "sent-elsewhere"
    """The peer sends us to another gateway, or has been sent to one; or may not send us where it does."""
    TICKET = "ticket-not-taken"
    """An IKE SA cannot be resumed so; who wanted that begins as ever."""
    NO_POLICY = "no-policy"
    """The entry that somebody wants protected is not in the policy."""
    MAY_NOT_BEGIN = "may-not-begin"
    """The policy lets only the peer begin."""
    POLICY_CHANGED = "policy-changed"
    """The rule behind it is gone or another one."""
    SHUT_DOWN = "shut-down"
    """This host stops."""
    EXPIRED = "expired"
    """Its lifetime ended before it came to anything."""


class IkeError(IpsecError):
    """Root of this package's errors."""

    def __init__(
        self, reason: Reason, message: str, *, place: str = "", cure: str = "", comparison: Comparison | None = None
    ) -> None:
        super().__init__(message, place=place, cure=cure)
        self.reason = reason
        self.comparison = comparison
        """What either side has, where both were seen."""

    @property
    def detail(self) -> str:
        """What is wrong, in one sentence."""
        return self.message


class Ignored(IkeError):
    """The message is dropped and counted."""


class Refused(IkeError):
    """The message is answered with a notify, and the SA lives."""


class Aborted(IkeError):
    """The message is answered with a notify, and the SA dies."""
