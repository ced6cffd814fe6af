# SPDX-License-Identifier: Apache-2.0
"""What ``[policy]``, ``[filter-list]`` and ``[filter-action]`` of the document say."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.policy.addresses import parse_host
from ringfence.policy.auth import AUTH_CURE, decode_auth
from ringfence.policy.decode import Table, shown
from ringfence.policy.defaults import DEFAULT_POLICIES, inherited
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipfilter import parse_filter
from ringfence.policy.methods import QUICK_MODE_DEFAULT, parse_method, weak
from ringfence.policy.scope import Connection
from ringfence.policy.settings import (
    WEAK_CURE,
    decode_lifetime,
    decode_main_mode,
    decode_pfs,
    decode_places,
    either,
    parse_methods,
)
from ringfence.policy.terms import QUICK_MODE_LIMITS, Anonymous, Auth, MainMode, Ntlm
from ringfence.policy.units import parse_duration
from ringfence.policy.windows import (
    POLL_INTERVAL_S,
    DefaultExempt,
    FilterAction,
    FilterList,
    IpFilter,
    IpsecPolicy,
    PolicyRule,
    Response,
)

TUNNEL_CURE = (
    'Say both ends, tunnel = { local = "192.0.2.1", remote = "198.51.100.7" }; or as on Windows write two rules, one '
    "for each direction, with one-way filters, each with the end of the tunnel that its traffic goes to."
)


SETTINGS = (
    "name", "assigned", "description", "based-on", "auth", "poll-interval", "main-mode", "no-default-exempt", "legacy",
    "rule",
)  # fmt: skip
"""What a policy may say; none of these can be the name of one among several."""


def name_among(title: str) -> str:
    """What a policy that is called ``title`` is called among several."""
    return f"{title} (policy)" if title in SETTINGS else title


def is_single(data: Mapping[str, object]) -> bool:
    """Whether ``policy`` in a document is one policy itself, ``[policy]``, and not several, ``[policy."NAME"]``."""
    return not data or any(key in SETTINGS or not isinstance(value, dict) for key, value in data.items())


def decode_policy(table: Table, name: str = "") -> IpsecPolicy:
    """The general settings and the rules; what is wrong goes to the table's findings.

    ``name`` is that of one among several; a single one says its own.
    """
    if name and table.has("name"):
        table.seen.add("name")
        table.complain("name", f"has no use here: the policy is called {shown(name)}", cure="Leave it out.")
    elif not name:
        name = either(table.text("name"), "")
        _beside(table)
    table.value("assigned", bool)
    based_on = table.word("based-on", _default_policy) or ""
    legacy = either(table.value("legacy", bool), False)
    own_rules = tuple(decode_policy_rule(item) for item in tables(table, "rule"))
    policy = IpsecPolicy(
        name=name,
        based_on=based_on,
        description=either(table.value("description", str), ""),
        poll_interval_s=_poll_interval(table),
        main_mode=decode_main_mode(table) or MainMode(),
        auth=_auth(table),
        own_rules=own_rules,
        exempt=DefaultExempt(either(table.number("no-default-exempt", 0, 3), DefaultExempt.IKE.value)),
        legacy=legacy,
        place=table.place,
        places=decode_places(table),
        inherited=inherited(based_on, own_rules),
    )
    if (names := weak(policy.main_mode.methods)) and not legacy and (inner := table.table("main-mode")):
        inner.complain("methods", f"names {', '.join(names)}, too weak to protect anything", cure=WEAK_CURE)
    table.finish()
    return policy


def _beside(table: Table) -> None:
    """Complain of policies with names in the table of one without."""
    for key, value in table.data.items():
        if isinstance(value, dict) and key not in SETTINGS and not get_close_matches(key, SETTINGS, 1):
            table.seen.add(key)
            table.complain(key, "is a table beside a policy that is written as the only one", at_key=True,
                           cure='If both are policies, write both as [policy."NAME"].')  # fmt: skip


def decode_policy_rule(table: Table) -> PolicyRule:
    """A rule of the policy."""
    table.later = {"active": "The word is enabled.", "profiles": "An IPsec policy holds in every network."}
    rule = PolicyRule(
        filter_list=_reference(table, "filter-list"),
        filter_action=_reference(table, "filter-action"),
        name=either(table.text("name"), ""),
        auth=_auth(table),
        tunnel=_tunnel(table),
        connection=table.choice("connection", Connection) or Connection.ALL,
        enabled=either(table.value("enabled", bool), True),
        description=either(table.value("description", str), ""),
        place=table.place,
        places=decode_places(table),
    )
    table.finish()
    return rule


def _auth(table: Table) -> tuple[Auth, ...]:
    """As on Windows an IPsec policy knows fewer ways to authenticate than a connection security rule."""
    found = decode_auth(table, together=False)
    for one in found:
        if isinstance(one, Ntlm | Anonymous):
            table.complain("auth", f'names "{one}", which only a [[rule]] can', cure=AUTH_CURE)
    return found


def decode_filter_list(table: Table, name: str) -> FilterList:
    """A filter list."""
    found = FilterList(
        name,
        tuple(_filters(table)),
        either(table.value("description", str), ""),
        table.place,
        decode_places(table),
    )
    table.finish()
    return found


def decode_filter_action(table: Table, name: str) -> FilterAction:
    """A filter action."""
    lifetime = decode_lifetime(table) or QUICK_MODE_LIMITS
    response = table.choice("action", Response)
    negotiates = response is Response.NEGOTIATE or table.has("negotiate")
    methods = table.words("negotiate", lambda word: parse_methods(word, lifetime)) or ()
    action = FilterAction(
        name,
        response or (Response.NEGOTIATE if negotiates else Response.BLOCK),
        tuple(method for some in methods for method in some) or _default_methods(lifetime, negotiates),
        lifetime,
        either(table.value("accept-unsecured", bool), False),
        either(table.value("fallback-to-clear", bool), False),
        decode_pfs(table) or False,
        either(table.value("legacy", bool), False),
        either(table.value("description", str), ""),
        table.place,
        decode_places(table),
    )
    _check_action(table, action, response)
    table.finish()
    return action


def tables(table: Table, key: str) -> Iterator[Table]:
    """The tables of ``[[key]]``."""
    value = table.raw(key)
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        table.complain(
            key, "has to be written with double brackets", cure=f"Begin each one with [[{table.prefix}{key}]]."
        )
        return
    for number, data in enumerate(value):
        name = data.get("name") or data.get("filter-list")
        subject = f"{key} {shown(name)}" if isinstance(name, str) else f"{key} number {number + 1}"
        steps = (*table.steps, key, number)
        yield Table(
            table.source, steps, data, table.findings, f"{table.subject}, {subject}" if table.subject else subject
        )


def _default_policy(text: str) -> str:
    for name in DEFAULT_POLICIES:
        if name.lower() == text.strip().lower():
            return name
    names = ", ".join(f'"{name}"' for name in DEFAULT_POLICIES)
    raise BadWord("which is none of the default policies", cure=f"They are {names}.")


def _poll_interval(table: Table) -> int:
    seconds = table.word("poll-interval", parse_duration)
    if seconds is not None and not 60 <= seconds <= 86_400 * 7:
        table.complain("poll-interval", "is out of range: from 1 min to 7 d")
        return POLL_INTERVAL_S
    return either(seconds, POLL_INTERVAL_S)


def _reference(table: Table, key: str) -> str:
    if not table.has(key):
        table.seen.add(key)
        table.complain("", f"names no {key}", cure=f'Such as {key} = "{EXAMPLES[key]}".')
        return ""
    return either(table.text(key), "")


EXAMPLES = {"filter-list": "All IP Traffic", "filter-action": "Require Security"}


def _tunnel(table: Table) -> Gateways | bytes | None:
    if isinstance(table.data.get("tunnel"), dict):
        inner = table.table("tunnel")
        if inner is None:
            return None
        local, remote = inner.word("local", parse_host), inner.word("remote", parse_host)
        if not inner.has("remote"):
            table.complain("tunnel", "does not say where its remote end is", cure=TUNNEL_CURE)
        if local is not None and remote is not None and len(local) != len(remote):
            table.complain("tunnel", "has ends of different families")
        inner.finish()
        return None if remote is None else Gateways(remote, local)
    return table.word("tunnel", lambda text: None if text.strip().lower() == "none" else parse_host(text))


def _filters(table: Table) -> Iterator[IpFilter]:
    value = table.raw("filters")
    if not isinstance(value, list) or not value:
        what = "has no filters" if not value else "has no list of filters"
        table.complain("" if value is None else "filters", what, cure='Such as filters = ["me <-> any"].')
        return
    for number, item in enumerate(value):
        if isinstance(item, str):
            found = table.understand("filters", item, parse_filter, at=(number,))
            yield from () if found is None else (found,)
        elif isinstance(item, dict):
            yield from _described(table.inner("filters", item, (number,)))
        else:
            table.complain("filters", f"is {shown(item)}, but has to be a text or a table", at=(number,))


def _described(table: Table) -> Iterator[IpFilter]:
    """``{ filter = "me <-> any", description = "everything" }``."""
    found, description = table.word("filter", parse_filter), either(table.value("description", str), "")
    if not table.has("filter"):
        table.complain("", "does not say its filter", cure='Such as { filter = "me <-> any", description = "all" }.')
    table.finish()
    if found is not None:
        yield IpFilter(found.source, found.destination, found.traffic, found.mirrored, description)


def _default_methods(lifetime: Limits, negotiates: bool) -> tuple[SecurityMethod, ...]:
    return tuple(parse_method(word, lifetime) for word in QUICK_MODE_DEFAULT) if negotiates else ()


NEGOTIATING = ("lifetime", "accept-unsecured", "fallback-to-clear", "pfs", "legacy", "negotiate")


def _check_action(table: Table, action: FilterAction, said: Response | None) -> None:
    if said is None and not table.has("negotiate"):
        if not table.has("action"):
            cure = 'Such as action = "permit", action = "block" or negotiate = ["esp aes256-gcm"].'
            table.complain("", "does not say what happens", cure=cure)
    elif action.response is not Response.NEGOTIATE:
        for key in NEGOTIATING:
            if table.has(key):
                table.complain(key, f'has no use where the action is "{action.response.value}"', cure="Leave it out.")
    if not action.legacy and (
        names := weak([*action.methods, action.pfs if isinstance(action.pfs, DhGroup) else None])
    ):
        key = "negotiate" if table.has("negotiate") else "pfs"
        table.complain(key, f"names {', '.join(names)}, too weak to protect anything", cure=WEAK_CURE)
