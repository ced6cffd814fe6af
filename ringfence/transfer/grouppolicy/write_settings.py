# SPDX-License-Identifier: Apache-2.0
"""What a policy says for the whole computer, as values of a Group Policy object: the reverse of ``settings``."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeVar

from ringfence.policy.boot import NO_BOOT
from ringfence.policy.model import Policy
from ringfence.policy.networks import NO_PROFILES
from ringfence.policy.terms import Access, GlobalSettings
from ringfence.transfer.base import unassigned
from ringfence.transfer.consec import descriptor, is_sid
from ringfence.transfer.grouppolicy import settings as values
from ringfence.transfer.grouppolicy.preg import Instruction, dword, sz
from ringfence.transfer.grouppolicy.sets import BASE
from ringfence.transfer.powershell.exporting import PACKET_FILTERS
from ringfence.transfer.powershell.write_rules import SID_CURE
from ringfence.transfer.powershell.writing import Left

E = TypeVar("E", bound=Enum)


def settings_of(settings: GlobalSettings, left: Left) -> Iterator[Instruction]:
    """Global values that are not as anyway; and what is done with NAT, for Windows by itself does nothing."""
    plain = GlobalSettings()
    if settings.exempt != plain.exempt:
        yield dword(BASE, values.EXEMPT, sum(bit for bit, one in values.FLAGS.items() if one in settings.exempt))
    if settings.idle_s != plain.idle_s:
        yield dword(BASE, values.IDLE, settings.idle_s)
    if settings.crl_check is not plain.crl_check:
        yield dword(BASE, values.CRL_CHECK, _number(values.CRL, settings.crl_check))
    if settings.psk_encoding is not plain.psk_encoding:
        yield dword(BASE, values.KEY_ENCODING, _number(values.ENCODING, settings.psk_encoding))
    yield dword(BASE, values.THROUGH_NAT, _number(values.NAT, settings.through_nat))
    yield from _lists(settings, left)
    if not settings.local_rules:
        yield from (dword(f"{BASE}\\{profile}", values.IPSEC_MERGE, 0) for profile in values.PROFILES)
    if settings.require_encryption:
        left.out(settings.place, "require-encryption", "methods without encryption are left away instead")
    for what, said in (
        ("dead-peer", settings.dead_peer != plain.dead_peer), ("fragmentation", not settings.fragmentation),
        ("masqueraded", settings.masqueraded is not plain.masqueraded),
    ):  # fmt: skip
        if said:
            left.out(settings.place, what, "Windows has no such setting")


def _number(table: Mapping[int, E], value: E) -> int:
    return next(number for number, one in table.items() if one is value)


def _lists(settings: GlobalSettings, left: Left) -> Iterator[Instruction]:
    for mode, allow, deny in (
        ("tunnel", settings.tunnel_allow, settings.tunnel_deny),
        ("transport", settings.transport_allow, settings.transport_deny),
    ):
        if (stranger := _stranger(allow, deny)) is not None:
            why = f"Windows takes accounts by their SIDs, and not as {stranger}"
            left.out(settings.place, f"{mode}-authorization", why, SID_CURE)
            continue
        computers, users = values.LISTS[mode]
        for name, allowed, denied in (
            (computers, allow.computers, deny.computers), (users, allow.users, deny.users),
        ):  # fmt: skip
            if allowed or denied:
                yield sz(BASE, name, descriptor(allowed, denied))


def _stranger(*lists: Access) -> str | None:
    """An account that is not named by its SID."""
    return next((one for each in lists for one in (*each.computers, *each.users) if not is_sid(one)), None)


def tell_others(policy: Policy, left: Left) -> None:
    """What a document may say beside rules, and Windows has another place for, or none."""
    left.items += unassigned(policy, "it is not assigned, and the rules of Group Policy hold at once")
    for one in policy.packet_filters:
        left.out(one.place, f'packet filter "{one.name}"', PACKET_FILTERS)
    if policy.boot != NO_BOOT:
        left.out(policy.boot.place, "boot", "Group Policy does not say here what passes at boot")
    if policy.profiles != NO_PROFILES:
        left.out(policy.profiles.place, "profile", "Windows tells networks apart by itself")
