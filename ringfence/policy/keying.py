# SPDX-License-Identifier: Apache-2.0
"""Which versions of IKE a rule is negotiated by.

A rule may name them, in the order in which they are tried; what it does not name is neither begun nor answered. One
that names none is tried by IKEv2 first, and by IKEv1 with peers that do not speak that, unless one of the two cannot do
what the rule says. IKEv2 has no aggressive mode, XAUTH, ESP in AH, or limit of quick modes; peers of it that know
nothing of RFC 7427, Windows among them, sign by RSA with SHA-1 alone, which a rule has to allow (``legacy``). IKEv1 has
no EAP, public keys without certificates, TCP, postquantum keys or combined modes, and proves both sides alike. Rules of
IPsec policies are Windows' IKEv1 (``lower``).
"""

from collections.abc import Iterable, Iterator

from ringfence.databases.proposal import IkeProposal, SecurityMethod
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.rawkeys import PublicKeys
from ringfence.policy.terms import Anonymous, Auth, Certificate, Eap, Kerberos, MainMode, Ntlm, Signing

VERSIONS = {KeyModule.IKEV1: 1, KeyModule.IKEV2: 2}
MODULES = {version: module for module, version in VERSIONS.items()}
BOTH, FIRST_ONLY, SECOND_ONLY = (2, 1), (1,), (2,)
EDWARDS = {Signing.ED25519, Signing.ED448}
LATER = Kerberos, Ntlm, Anonymous
"""Ways that no version goes here, unless a rule names both."""


def versions(rule: Rule, auth: tuple[Auth, ...]) -> tuple[int, ...]:
    """The versions that may be spoken, the first to begin with; ``auth`` is what of the rule's can be served.

    Whatever the rule says, EAP is IKEv2's alone, and so are methods that IKEv1 cannot say.
    """
    if not rule.keying or (auth and all(isinstance(one, Eap) for one in auth)):
        return _default(rule, auth)[0]
    named = tuple(VERSIONS[one] for one in rule.keying if one in VERSIONS) or FIRST_ONLY
    return named if 2 not in named or first_says_any(rule) else SECOND_ONLY


def default(rule: Rule) -> tuple[tuple[KeyModule, ...], str]:
    """What a rule with all its terms is negotiated by if it names nothing, and the setting that rules out the other."""
    order, why = _default(rule, rule.auth)
    return tuple(MODULES[version] for version in order), why


def only_first(mode: MainMode) -> Iterator[tuple[str, str]]:
    """What of main mode's settings only IKEv1 has: each setting, and what it asks for."""
    if mode.aggressive:
        yield "main-mode.aggressive", "aggressive mode"
    if mode.xauth is not None:
        yield "main-mode.xauth", "a user by XAUTH"
    if mode.pfs:
        yield "main-mode.pfs", "a main mode for each quick mode"
    if mode.sessions:
        yield "main-mode.sessions", "a limit of quick modes"


def first_says(one: IkeProposal) -> bool:
    """Whether IKEv1 can say it: a cipher that it knows, and one key exchange."""
    return one.cipher.row.ike_v1 is not None and not one.further


def _default(rule: Rule, auth: tuple[Auth, ...]) -> tuple[tuple[int, ...], str]:
    ways = tuple(one for one in auth if not isinstance(one, LATER))
    if (why := next(_for_second(rule, ways), None)) is not None:
        return SECOND_ONLY, why
    if (why := next(_for_first(rule, ways), None)) is not None:
        return FIRST_ONLY, why
    return BOTH, ""


def _for_second(rule: Rule, ways: tuple[Auth, ...]) -> Iterator[str]:
    """What only IKEv2 can do."""
    if ways and all(map(_is_second_s, ways)):
        yield "auth"
    if rule.own_auth:
        yield "own-auth"
    if rule.ppk is not None:
        yield "ppk"
    if rule.tcp is not None and rule.tcp.only:
        yield "tcp"
    if rule.gateways is not None and (rule.gateways.others or rule.gateways.send_to):
        yield "gateways that send clients to others"
    if not first_says_any(rule):
        yield "main-mode.methods"


def _for_first(rule: Rule, ways: tuple[Auth, ...]) -> Iterator[str]:
    """What only IKEv1 can do, or does in the same way whoever the peer is."""
    yield from (setting for setting, _ in only_first(rule.main_mode or MainMode()))
    if not _second_says(rule.protect):
        yield "protect"
    if any(isinstance(one, Certificate) and one.signing is Signing.RSA for one in ways) and not rule.legacy:
        yield "auth"
    if rule.auth and not ways:
        yield "auth"


def _is_second_s(way: Auth) -> bool:
    return isinstance(way, Eap | PublicKeys) or (isinstance(way, Certificate) and way.signing in EDWARDS)


def first_says_any(rule: Rule) -> bool:
    """Whether IKEv1 can say any of a rule's main mode methods."""
    return any(map(first_says, (rule.main_mode or MainMode()).methods))


def _second_says(methods: Iterable[SecurityMethod]) -> bool:
    """Whether IKEv2 can say them all: it stacks no ESP and AH (RFC 7296 §1.3)."""
    return all(len(one.transforms) == 1 for one in methods)
