# SPDX-License-Identifier: Apache-2.0
"""What would help after a failed negotiation: for each reason the smallest change that makes both sides agree.

A change at the peer is said first where ours is the stronger side, and a weak algorithm is never advised without saying
that it is one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ringfence.databases.comparison import Comparison, Terms
from ringfence.ike.errors import Reason
from ringfence.service.troubles import Failure


@dataclass(frozen=True, slots=True)
class Known:
    """What the policy has for a peer, in words."""

    peer: str
    """Its address."""
    rule: str
    """The rule that the negotiation was for, with its place: ``rule "lab is isolated" (policy.toml:2)``."""
    keys: str
    """The files of the keys that it may have."""
    offers: str
    """What we offer it for main mode."""
    methods: str
    """What we offer it for quick mode."""

    def offered(self, exchange: str) -> str:
        """What we offer it in an exchange."""
        return self.methods if exchange == "quick mode" else self.offers


Advice = Callable[[Failure, Known], Iterator[str]]


def advice(failure: Failure, known: Known) -> Iterator[str]:
    """What would help, the smallest change first."""
    yield from ADVICE.get(failure.reason, _nothing)(failure, known)


def _proposals(failure: Failure, known: Known) -> Iterator[str]:
    comparison = failure.comparison
    if comparison is None or comparison.nearest is None:
        yield f"On {known.peer}, allow one of: {known.offered(failure.exchange)}."
        return
    theirs, ours = comparison.nearest
    if "mode" in comparison.apart:
        yield (
            f"One side wants {theirs.get('mode')}, the other {ours.get('mode')}: a rule with gateways is a tunnel, "
            "one without is transport mode. Make both alike."
        )
    if "PFS group" in comparison.apart:
        yield from _group(theirs, ours, known)
    yield from _algorithms(failure, comparison, known)


def _group(theirs: Terms, ours: Terms, known: Known) -> Iterator[str]:
    wanted, offered = ours.get("PFS group"), theirs.get("PFS group")
    yield f"On {known.peer}, set the PFS group to {wanted}; it has {offered}."
    if offered == "none":
        yield f"Or here, pfs = false in {known.rule}."


def _algorithms(failure: Failure, comparison: Comparison, known: Known) -> Iterator[str]:
    if not set(comparison.apart) - {"mode", "PFS group"} or comparison.nearest is None:
        return
    theirs, ours = comparison.nearest
    weak = " It is weak, as the peer's is." if ours.weak else ""
    if ours.word:
        yield f"On {known.peer}, allow {ours.word}.{weak}"
    if "authentication" in comparison.apart:
        yield f"It proves itself by {theirs.get('authentication')}, this computer by {ours.get('authentication')}."
    elif theirs.word:
        setting = "main-mode.methods" if failure.exchange == "main mode" else "protect"
        caution = ", which is weak and needs legacy = true" if theirs.weak else ""
        yield f'Or here, add "{theirs.word}" to {setting} of {known.rule}{caution}.'


def _key(_failure: Failure, known: Known) -> Iterator[str]:
    keys = f" (here {known.keys})" if known.keys else ""
    yield f"Give both computers the same key{keys}."


def _identity(failure: Failure, known: Known) -> Iterator[str]:
    comparison = failure.comparison
    if comparison is None or comparison.nearest is None:
        return
    theirs, ours = comparison.nearest
    yield f'Here, identity.remote = "{theirs.word}" in {known.rule}, if this is the right computer.'
    yield f"Or on {known.peer}, let it call itself {ours.word}."


def _admission(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"If it may use it, name it in allow of {known.rule}."


def _traffic(failure: Failure, known: Known) -> Iterator[str]:
    comparison = failure.comparison
    if comparison is None or comparison.nearest is None:
        yield f"Its rule and ours are not about the same traffic: compare them (here {known.rule})."
        return
    theirs, ours = comparison.nearest
    parts = " and ".join(f"{what} {theirs.get(what)}" for what in comparison.apart)
    if parts:
        yield f'Here, let rule "{ours.word}" be about {parts} as well.'
    narrower = " and ".join(f"{what} {ours.get(what)}" for what in comparison.apart)
    yield f"Or on {known.peer}, protect no more than {narrower}." if narrower else f"Compare both rules ({ours.word})."


def _silence(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"Is {known.peer} there, does IPsec run on it, and has it a rule about this computer?"
    yield "Do the firewalls on the way let UDP ports 500 and 4500 and ESP (protocol 50) pass?"


def _refusal(failure: Failure, known: Known) -> Iterator[str]:
    yield f"Why, only {known.peer} knows: see its log."
    if offered := known.offered(failure.exchange):
        yield f"This computer offers in {failure.exchange}: {offered}."


def _nat(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"AH cannot pass NAT: give {known.rule} a method with ESP, or [global] through-nat another value."


def _no_peer(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"No rule is about {known.peer}. If it should be protected, write one: docs/howto/policy.md."


def _version(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, choose a protocol that this computer speaks."


def _again(_failure: Failure, _known: Known) -> Iterator[str]:
    yield "Nothing has to be done: the next packet tries again."


def _fault(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"{known.peer} breaks the protocol. A capture shows what it sends: ringfence monitor, and tcpdump beside it."


def _begin(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"{known.rule} lets only the peer begin; initiate = true lets both."


def _method(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"Let {known.peer} prove itself as {known.rule} says in auth, or name its way there as well."
    yield "A peer that signs with RSA and knows no hash but SHA-1 needs legacy = true here; an ECDSA key does not."


def _own_certificate(_failure: Failure, known: Known) -> Iterator[str]:
    yield (
        f"Give this computer a certificate of an authority that {known.rule} names: "
        '[certificate."NAME"] file and key-file, see docs/howto/certificates.md.'
    )


def _own_key(_failure: Failure, _known: Known) -> Iterator[str]:
    yield "Name the key of this computer's certificate in key-file, and see that the service may read it."


def _certificate(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, use a certificate for IKE: RSA with 2048 bits or more, or ECDSA, signed with SHA-2."


def _authority(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, use a certificate of an authority that {known.rule} names, and send what leads to it."
    yield 'Or here, trust its authority: [authority."CN=..."] file, and name that in the rule\'s auth.'


def _renewal(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, renew the certificate. If it is still valid, set the clock of this computer right."


def _early(_failure: Failure, _known: Known) -> Iterator[str]:
    yield "Set the clock of this computer right: timedatectl shows it. Else the peer uses its certificate too early."


def _usage(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, use a certificate as {known.rule} describes it, or change eku, name or hash there."


def _revoked(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"On {known.peer}, use another certificate: its authority has withdrawn this one."


def _list(_failure: Failure, _known: Known) -> Iterator[str]:
    yield 'Name a current list: [authority."CN=..."] crl, or see that the address in the certificate can be reached.'
    yield 'Or, with less safety, [global] crl-check = "revoked".'


def _eap(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"See that the user's name and password are the same on both sides; {known.rule} says where they are kept."


def _nothing(_failure: Failure, _known: Known) -> Iterator[str]:
    yield from ()


def _address(failure: Failure, known: Known) -> Iterator[str]:
    if "pool" in failure.detail:
        yield "Give the pool more addresses, or end what is not needed any more: ringfence sa."
    else:
        yield (
            f"One side of {known.rule} gives addresses, the other does not want one, or none is left. The gateway says "
            'remote = { gateway = "any", pool = "NAME" }, who comes in local = { address = "assigned" }.'
        )


def _elsewhere(failure: Failure, known: Known) -> Iterator[str]:
    yield (
        f"If {known.peer} may send this computer to other gateways, name them in {known.rule}: "
        'remote = { gateway = "…", others = ["198.51.100.8"] }.'
    )
    if "within" in failure.detail:
        yield "Gateways that send clients to each other: see which of them is to serve, there."


def _ppk(_failure: Failure, known: Known) -> Iterator[str]:
    yield f"Give both computers the same ppk, its id and its key: {known.rule} says which one here."
    yield f"Or say required = false in the ppk of {known.rule}, if what is protected may do without."


ADVICE: dict[Reason, Advice] = {
    Reason.NO_PROPOSAL: _proposals,
    Reason.CHANGED_PROPOSAL: _fault,
    Reason.BAD_KEY_EXCHANGE: _fault,
    Reason.WRONG_KEY: _key,
    Reason.WRONG_METHOD: _method,
    Reason.NO_PPK: _ppk,
    Reason.NO_CERTIFICATE: _own_certificate,
    Reason.NO_PRIVATE_KEY: _own_key,
    Reason.WRONG_SIGNATURE: _fault,
    Reason.BAD_CERTIFICATE: _certificate,
    Reason.UNTRUSTED: _authority,
    Reason.CERTIFICATE_EXPIRED: _renewal,
    Reason.CERTIFICATE_EARLY: _early,
    Reason.WRONG_USAGE: _usage,
    Reason.REVOKED: _revoked,
    Reason.NO_REVOCATION_LIST: _list,
    Reason.EAP_FAILED: _eap,
    Reason.WRONG_USER: _eap,
    Reason.WRONG_IDENTITY: _identity,
    Reason.NOT_AUTHORIZED: _admission,
    Reason.WRONG_SELECTORS: _traffic,
    Reason.NAT: _nat,
    Reason.NO_ADDRESS: _address,
    Reason.ELSEWHERE: _elsewhere,
    Reason.TICKET: _again,
    Reason.SINGLE_PAIR: _traffic,
    Reason.PEER_SILENT: _silence,
    Reason.PEER_REFUSED: _refusal,
    Reason.PEER_UNREADING: _again,
    Reason.PEER_DELETED: _again,
    Reason.EXPIRED: _again,
    Reason.COLLISION: _again,
    Reason.NO_POLICY: _no_peer,
    Reason.NO_PEER: _no_peer,
    Reason.MAY_NOT_BEGIN: _begin,
    Reason.VERSION: _version,
    Reason.EXCHANGE_TYPE: _version,
    Reason.MALFORMED: _fault,
    Reason.PAYLOAD_TYPE: _fault,
    Reason.PAYLOAD_UNEXPECTED: _fault,
    Reason.PAYLOAD_MISSING: _fault,
    Reason.UNPROTECTED: _fault,
    Reason.DOI: _fault,
    Reason.SITUATION: _fault,
}
"""For every reason that a negotiation can end by."""
