# SPDX-License-Identifier: Apache-2.0
"""What a rule asks for that this version cannot do yet.

Such a rule may be written, checked, explained and compared; carrying it out is refused, by its name, rather than done
otherwise than it says. Where a rule leaves a choice, what can be done is taken, and a warning tells what was left.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ringfence.databases.pool import Asks
from ringfence.policy.accounts import Proving, Read, read
from ringfence.policy.certificates import could_be_served, of_user, served, served_second
from ringfence.policy.keying import EDWARDS, first_says_any, versions
from ringfence.policy.model import Filter, KeyModule, Rule
from ringfence.policy.rawkeys import OWN_CURE
from ringfence.policy.terms import Anonymous, Certificate, Eap, GlobalSettings, PskFile, PublicKeys, Security, Signing

KEY_CURE = 'Authenticate by a preshared key: auth = { psk-file = "FILE" }.'


class Unable(NamedTuple):
    """Something that a rule asks for in vain."""

    what: str
    """Continues the rule's name."""
    cure: str = ""
    setting: str = ""


NOBODY_SAID = GlobalSettings()


def unable(
    rule: Rule, settings: GlobalSettings = NOBODY_SAID, authorities: Collection[str] = ()
) -> Iterator[Unable]:  # fmt: skip
    """Why ``rule``, with all its terms, cannot be carried out now."""
    if rule.secure.exempt:
        return
    yield from _terms(rule, authorities)
    for found in admitted(rule, settings):
        yield from _undecided(found, "allow" if rule.allow else "authorize")
    gateways = rule.gateways
    if gateways is not None and gateways.asks is not None and versions(rule, rule.auth) == (1,):
        yield from _families(gateways.asks)
    yield from _users(rule)


def _families(asks: Asks) -> Iterator[Unable]:
    if 4 not in asks.families:
        yield Unable("asks for an address of IPv6 only, which IKEv1 cannot say", 'Say keying = ["ikev2"].', "keying")


def _users(rule: Rule) -> Iterator[Unable]:
    """XAUTH has methods for keys and for RSA only, and IKEv2 has EAP instead."""
    if rule.main_mode is None or rule.main_mode.xauth is None:
        return
    if rule.keying and rule.keying != (KeyModule.IKEV1,):
        cure = 'Say keying = ["ikev1"], or auth = { eap = … } for IKEv2.'
        yield Unable("wants a user by XAUTH, which is for IKEv1 alone", cure, "main-mode.xauth")
    signed = [one for one in rule.auth if isinstance(one, Certificate)]
    if any(one.signing is not Signing.RSA for one in signed):
        yield Unable(
            "wants a user by XAUTH, which goes with keys and RSA only", 'Say signing = "rsa".', "main-mode.xauth"
        )


def unable_filter(item: Filter) -> Iterator[Unable]:
    """Why a filter that permits what is secure cannot be carried out now."""
    if item.secure is not None:
        yield from _undecided(read(item.allow, item.deny), "allow")


def _undecided(found: Read, setting: str) -> Iterator[Unable]:
    """Whom nobody can prove to be now."""
    cure = f'Name computers by what they prove to be: {setting} = {{ computers = ["*.corp.example"] }}.'
    if found.users:
        yield Unable(f"lets in users, {_some(found.users)}, which needs a later version", "Leave users out.", setting)
    elif found.nobody:
        yield Unable(f"lets in {_some(found.allowed)} only, which needs a later version", cure, setting)
    if found.denied:
        yield Unable(f"keeps out {_some(found.denied)}, which needs a later version", cure, "deny")


def admitted(rule: Rule, settings: GlobalSettings) -> Iterator[Read]:
    """The lists of who may use ``rule``: its own, and those of ``[global]`` for it."""
    proving = _proving(rule)
    if rule.allow or rule.deny:
        yield read(rule.allow, rule.deny, proving)
    if rule.gateways is not None:
        if rule.authorize:
            yield read(settings.tunnel_allow, settings.tunnel_deny, proving)
    elif not (rule.allow or rule.deny or rule.part.filter_list):
        yield read(settings.transport_allow, settings.transport_deny, proving)


def _proving(rule: Rule) -> Proving:
    """Who proves himself to this computer by ``rule``."""
    if any(isinstance(one, Certificate | Eap) for one in rule.second_auth) and {*rule.keying} == {KeyModule.IKEV2}:
        return Proving.BOTH
    users = [isinstance(one, Eap) and bool(one.users_file or one.radius) for one in rule.auth]
    return Proving.COMPUTERS if not any(users) else Proving.USERS if all(users) else Proving.EITHER


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _terms(rule: Rule, authorities: Collection[str]) -> Iterator[Unable]:
    if rule.auth and not any(served(one, authorities, rule.keying) for one in rule.auth):
        later = " or ".join(map(str, rule.auth))
        unknown = next((one.authority for one in rule.auth if could_be_served(one)), None)
        if unknown is None:
            yield Unable(f"authenticates by {later} only, which needs a later version", KEY_CURE, "auth")
        else:
            cure = f'Say where the certificate of the authority is: [authority."{unknown}"] file = "ca.pem"'
            yield Unable(f"authenticates by {later} only, of which no authority is known here", cure, "auth")
    if not rule.own_auth and any(isinstance(one, PublicKeys) and not one.own for one in rule.auth):
        yield Unable("knows the other side's public key and says none of this computer", OWN_CURE, "auth")
    if rule.keying and KeyModule.IKEV2 not in rule.keying and all(isinstance(one, Eap) for one in rule.auth):
        yield Unable("authenticates by EAP, which IKEv2 alone has", 'Say keying = "ikev2".', "keying")
    if rule.own_auth and not any(served(one, authorities, rule.keying) for one in rule.own_auth):
        ways = " or ".join(map(str, rule.own_auth))
        cure = "Say where the certificate of the authority is, in [authority]."
        yield Unable(f"proves this computer by {ways} only, of which no authority is known here", cure, "own-auth")
    yield from _unspoken(rule)
    nameless = any(isinstance(one, Anonymous) for one in rule.auth) and {*rule.keying} == {KeyModule.IKEV2}
    if nameless and (rule.remote_identity is not None or rule.allow or rule.deny):
        what = "lets in some by name, and by anonymous those who prove none"
        yield Unable(what, "Leave out anonymous, or identity.remote, allow and deny.", "auth")
    yield from _second(rule, authorities)
    if rule.keying and not {KeyModule.IKEV1, KeyModule.IKEV2} & {*rule.keying}:
        later = " or ".join(one.value for one in rule.keying)
        yield Unable(f"negotiates by {later} only, which needs a later version", "Leave keying out.", "keying")


def _second(rule: Rule, authorities: Collection[str]) -> Iterator[Unable]:
    """Why a second authentication that is wanted cannot be done; one that is optional can be left out."""
    if any(isinstance(one, Eap) for one in rule.auth) and any(_second_served(rule, authorities)):
        what = "authenticates a user by EAP, and then a second time, which nobody does"
        yield Unable(what, "Leave second-auth out, or authenticate computers first.", "second-auth")
    if not rule.second_auth or any(isinstance(one, Anonymous) for one in rule.second_auth):
        return
    if any(_second_served(rule, authorities)):
        return
    later = " or ".join(map(str, rule.second_auth))
    what = f"authenticates a second time by {later}"
    able = [one for one in rule.second_auth if isinstance(one, Eap) or of_user(one)]
    if not able:
        cure = 'Leave it out, or make it optional by "anonymous" in its list.'
        yield Unable(f"{what}, which needs a later version", cure, "second-auth")
    elif {*rule.keying} != {KeyModule.IKEV2}:
        yield Unable(f"{what}, which IKEv2 alone can", 'Say keying = ["ikev2"] in this rule.', "second-auth")
    else:
        cure = "Say where the certificate of the authority is, in [authority]."
        yield Unable(f"{what}, of which no authority is known here", cure, "second-auth")


def _second_served(rule: Rule, authorities: Collection[str]) -> Iterator[bool]:
    return (served_second(one, authorities, rule.keying) for one in rule.second_auth)


def _unspoken(rule: Rule) -> Iterator[Unable]:
    """What none of the versions of IKE can say that negotiate it."""
    order = versions(rule, rule.auth)
    signing = [one.signing for one in rule.auth if isinstance(one, Certificate)]
    if rule.auth and len(signing) == len(rule.auth) and {*signing} <= EDWARDS and 2 not in order:
        cure = 'Say keying = ["ikev2"] in this rule.'
        yield Unable(f"authenticates by {signing[0].value}, which only IKEv2 can", cure, "auth")
    if 1 in order and not first_says_any(rule):
        what = "has only main mode methods that IKEv1 does not know: with several key exchanges, or a combined mode"
        yield Unable(what, 'Say keying = ["ikev2"] in this rule.', "main-mode.methods")


def without(
    rule: Rule, settings: GlobalSettings = NOBODY_SAID, authorities: Collection[str] = ()
) -> Iterator[str]:  # fmt: skip
    """What ``rule`` leaves a choice about, and is done without; each continues the rule's name."""
    able = [one for one in rule.auth if served(one, authorities, rule.keying)]
    instead = (
        "its preshared key is used"
        if any(isinstance(one, PskFile) for one in able)
        else f"{able[0]} is used"
        if able
        else ""
    )
    for one in rule.auth if able else ():
        if not served(one, authorities, rule.keying):
            why = "whose authority is not known here" if could_be_served(one) else "which needs a later version"
            yield f"names {one}, {why}; {instead}"
    if any(isinstance(one, Anonymous) for one in rule.second_auth) and not any(_second_served(rule, authorities)):
        yield "asks for a second authentication where it can be had, which needs a later version; there is none"
    if not all(method.encapsulate for method in rule.protect):
        yield "names null encapsulation, which needs a later version; its other methods are offered"
    for found in admitted(rule, settings) if not rule.secure.exempt else ():
        if found.allowed and not found.nobody:
            yield f"lets in {_some(found.allowed)}, too, who cannot prove it yet"
    if rule.authorize and not (settings.tunnel_allow or settings.tunnel_deny):
        yield "says authorize = true, but [global] names nobody in tunnel-authorization: everybody is let in"


def without_filter(item: Filter) -> Iterator[str]:
    """What a filter leaves a choice about, likewise."""
    if item.secure is Security.NO_ENCAPSULATION:
        yield "permits null encapsulation, which needs a later version; what is protected as a whole passes"
    found = read(item.allow, item.deny)
    if found.allowed and not found.nobody:
        yield f"lets in {_some(found.allowed)}, too, who cannot prove it yet"
