# SPDX-License-Identifier: Apache-2.0
"""The policy document: TOML in, a ``Policy`` out, or all that is wrong with it.

Every setting with its default is explained in docs/howto/policy.md. A document may include others; a store reads them,
and what they say is taken together here. ``write`` is the way back.
"""

from collections.abc import Iterable, Sequence

from ringfence.place import Place
from ringfence.policy.boot import NO_BOOT, decode_boot
from ringfence.policy.certificates import decode_authority, decode_certificate
from ringfence.policy.decode import Table
from ringfence.policy.eap import decode_radius
from ringfence.policy.errors import PolicyError
from ringfence.policy.ipsec import decode_filter_action, decode_filter_list, decode_policy
from ringfence.policy.model import Filter, MainModeRule, Policy, Rule
from ringfence.policy.networks import NO_PROFILES, decode_profiles
from ringfence.policy.packetfilter import PacketFilter, decode_packet_filter
from ringfence.policy.pools import decode_pool
from ringfence.policy.references import check_references
from ringfence.policy.rules import decode_filter, decode_rule
from ringfence.policy.sets import (
    decode_auth_set,
    decode_global,
    decode_main_mode_crypto,
    decode_main_mode_rule,
    decode_quick_mode_crypto,
)
from ringfence.policy.source import Source
from ringfence.policy.tables import Tables
from ringfence.policy.terms import GlobalSettings
from ringfence.policy.windows import IpsecPolicy


def parse(text: str, *, name: str) -> Policy:
    """The policy that ``text`` alone describes; raises PolicyError with everything that is wrong with it."""
    source = Source.read(text, name=name)
    if "include" in source.data:
        table = Table(source, (), source.data, [])
        table.complain("include", "names other documents, but this text came without them",
                       cure="Have it read from its file.")  # fmt: skip
        raise PolicyError(table.findings)
    return parse_documents([source])


def parse_documents(sources: Sequence[Source]) -> Policy:
    """The policy of several documents, each after those that it includes; raises PolicyError.

    The last one is the document that was named, and names the policy.
    """
    tables = Tables(sources)
    networks, for_all, boot = tables.one("profile"), tables.one("global"), tables.one("boot")
    ipsec = [(table, decode_policy(table, name)) for name, table in tables.policies()]
    assigned = _assigned(ipsec)
    policy = Policy(
        rules=tuple(map(decode_rule, tables.items("rule"))),
        filters=tuple(map(decode_filter, tables.items("filter"))),
        name=sources[-1].name,
        ipsec=assigned,
        unassigned=tuple(one for _, one in ipsec if one is not assigned),
        filter_lists=tuple(decode_filter_list(item, name) for name, item in tables.named("filter-list")),
        filter_actions=tuple(decode_filter_action(item, name) for name, item in tables.named("filter-action")),
        packet_filters=tuple(map(decode_packet_filter, tables.items("packet-filter"))),
        profiles=NO_PROFILES if networks is None else decode_profiles(networks),
        boot=NO_BOOT if boot is None else decode_boot(boot),
        settings=GlobalSettings() if for_all is None else decode_global(for_all),
        main_modes=tuple(map(decode_main_mode_rule, tables.items("main-mode"))),
        certificates=tuple(decode_certificate(item, name) for name, item in tables.named("certificate")),
        authorities=tuple(decode_authority(item, name) for name, item in tables.named("authority")),
        pools=tuple(decode_pool(item, name) for name, item in tables.named("pool")),
        radius=tuple(decode_radius(item, name) for name, item in tables.named("radius")),
        auth_sets=tuple(decode_auth_set(item, name) for name, item in tables.named("auth-set")),
        main_mode_cryptos=tuple(decode_main_mode_crypto(item, name) for name, item in tables.named("main-mode-crypto")),
        quick_mode_cryptos=tuple(
            decode_quick_mode_crypto(item, name) for name, item in tables.named("quick-mode-crypto")
        ),
    )
    tables.finish()
    _unique_names(
        (*policy, *policy.packet_filters),
        [*tables.items("rule"), *tables.items("filter"), *tables.items("packet-filter")],
    )
    _unique_names(policy.main_modes, tables.items("main-mode"))
    check_references(tables, policy, ipsec)
    if tables.findings:
        raise PolicyError(tables.sorted())
    return policy


def _assigned(policies: Sequence[tuple[Table, IpsecPolicy]]) -> IpsecPolicy | None:
    """The one that the computer follows: the only one unless it says no, of several the one that says so."""
    found: IpsecPolicy | None = None
    for table, policy in policies:
        if table.data.get("assigned", len(table.steps) == 1) is not True:
            continue
        if found is None:
            found = policy
        else:
            where = found.place.beside(policy.place)
            table.complain("assigned", f'is true, but "{found.title}" is assigned in {where}',
                           cure="A computer follows one IPsec policy.")  # fmt: skip
    return found


def _unique_names(items: Iterable[Rule | Filter | MainModeRule | PacketFilter], tables: Iterable[Table]) -> None:
    first: dict[str, Place] = {}
    for item, table in zip(items, tables, strict=True):
        if item.name and item.name in first:
            where = first[item.name].beside(item.place)
            table.complain("name", f"is already taken in {where}", cure="Names tell rules apart.")
        first.setdefault(item.name, item.place)
