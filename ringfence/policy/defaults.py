# SPDX-License-Identifier: Apache-2.0
"""What every IPsec policy may name without writing it: filter lists, filter actions, and the default policies.

They are those of Windows 2000 to 2003 as far as traffic and strictness go. Their security methods are today's: the
original ones, all of 3DES, DES and MD5, are offered behind these where the policy says ``legacy = true``, with their
original lifetimes, since a cipher with small blocks needs new keys after little data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.net.flow import ICMP, ICMPV6
from ringfence.policy.methods import QUICK_MODE_DEFAULT, parse_ike_proposal, parse_method
from ringfence.policy.model import MAIN_MODE_LIFETIME_S, QUICK_MODE_LIMITS, Keyword, MainMode
from ringfence.policy.traffic import Traffic
from ringfence.policy.windows import (
    DYNAMIC,
    FilterAction,
    FilterList,
    IpFilter,
    PolicyRule,
    Response,
)

DEFAULT_RESPONSE = "Default Response"


def _methods(words: Iterable[str], limits: Limits = QUICK_MODE_LIMITS) -> tuple[SecurityMethod, ...]:
    return tuple(parse_method(word, limits) for word in words)


FILTER_LISTS: Mapping[str, FilterList] = {
    one.name: one
    for one in (
        FilterList("All IP Traffic", (IpFilter(Keyword.ME, Keyword.ANY),)),
        FilterList(
            "All ICMP Traffic",
            (
                IpFilter(Keyword.ME, Keyword.ANY, Traffic(ICMP)),
                # Windows: its list names protocol 1 only, being older than IPsec policies for IPv6.
                IpFilter(Keyword.ME, Keyword.ANY, Traffic(ICMPV6)),
            ),
        ),
    )
}

FILTER_ACTIONS: Mapping[str, FilterAction] = {
    one.name: one
    for one in (
        FilterAction("Permit", Response.PERMIT),
        FilterAction("Block", Response.BLOCK),
        FilterAction(
            "Request Security (Optional)", methods=_methods((*QUICK_MODE_DEFAULT, "ah sha256")),
            accept_unsecured=True, fallback_to_clear=True,
        ),
        FilterAction("Require Security", methods=_methods(QUICK_MODE_DEFAULT), accept_unsecured=True),
        FilterAction(
            DEFAULT_RESPONSE, methods=_methods((*QUICK_MODE_DEFAULT, "ah sha256")),
            accept_unsecured=True, fallback_to_clear=True,
        ),
    )
}  # fmt: skip
"""``Block`` is none of Windows', whose console has it as a choice instead."""

FIFTEEN_MINUTES = Limits(900, 100_000 << 10)
FIVE_MINUTES = Limits(300, 100_000 << 10)
HOUR = Limits(3600, 100_000 << 10)

CLASSIC_ESP = ("esp 3des-sha1", "esp 3des-md5", "esp des-sha1", "esp des-md5")
CLASSIC_METHODS: Mapping[str, tuple[SecurityMethod, ...]] = {
    "Request Security (Optional)": (
        *_methods(("esp 3des-sha1", "esp des-sha1"), FIFTEEN_MINUTES),
        *_methods(("ah sha1", "ah md5"), FIVE_MINUTES),
    ),
    "Require Security": _methods(CLASSIC_ESP, FIFTEEN_MINUTES),
    DEFAULT_RESPONSE: _methods((*CLASSIC_ESP, "ah sha1", "ah md5"), HOUR),
}
CLASSIC_MAIN_MODE = ("3des-sha1-modp1024", "3des-md5-modp1024", "des-sha1-modp768", "des-md5-modp768")

_PERMIT_ICMP = PolicyRule("All ICMP Traffic", "Permit", "Permit unsecure ICMP packets to pass through.")
_RESPOND = PolicyRule(DYNAMIC, DEFAULT_RESPONSE)

DEFAULT_POLICIES: Mapping[str, tuple[PolicyRule, ...]] = {
    "Client (Respond Only)": (_RESPOND,),
    "Server (Request Security)": (
        PolicyRule("All IP Traffic", "Request Security (Optional)", "Request Security (Optional) Rule"),
        _PERMIT_ICMP,
        _RESPOND,
    ),
    "Secure Server (Require Security)": (
        PolicyRule("All IP Traffic", "Require Security", "Require Security"),
        _PERMIT_ICMP,
        _RESPOND,
    ),
}


def inherited(based_on: str, own: Iterable[PolicyRule]) -> tuple[PolicyRule, ...]:
    """The rules of a default policy, but for those whose filter list has a rule already."""
    taken = {rule.filter_list for rule in own}
    return tuple(rule for rule in DEFAULT_POLICIES.get(based_on, ()) if rule.filter_list not in taken)


def with_classic(action: FilterAction) -> FilterAction:
    """A predefined action with Windows' original methods behind ours; any other as it is."""
    if FILTER_ACTIONS.get(action.name) != action:
        return action
    return replace(action, methods=action.methods + CLASSIC_METHODS.get(action.name, ()), legacy=True)


def main_mode_with_classic(mode: MainMode) -> MainMode:
    """Main mode with Windows' original methods behind the default ones, where these are offered."""
    default = tuple(map(str, MainMode().methods))
    if tuple(map(str, mode.methods)) != default:
        return mode
    return replace(mode, methods=mode.methods + _classic_main_mode(mode.lifetime_s))


def _classic_main_mode(seconds: int = MAIN_MODE_LIFETIME_S) -> tuple[IkeProposal, ...]:
    return tuple(parse_ike_proposal(word, Limits(seconds=seconds)) for word in CLASSIC_MAIN_MODE)
