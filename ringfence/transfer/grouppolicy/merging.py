# SPDX-License-Identifier: Apache-2.0
"""A policy put into a Group Policy object that has other settings: what Ringfence wrote before goes, all else stays.

What is ours says so: rules and sets carry the group ``Ringfence``. Everything else stays octet for octet and in its
place: settings of other programs, rules of others with fields that nobody knows here, directives. Values that the
policy says anew take the place of those that are there.
"""

from collections.abc import Iterator, Sequence

from ringfence.errors import IpsecError
from ringfence.transfer.grouppolicy.preg import Instruction, decode, encode
from ringfence.transfer.grouppolicy.sets import BASE, SET_GROUP, SHAPES
from ringfence.transfer.grouppolicy.tokens import GROUP as RULE_GROUP
from ringfence.transfer.grouppolicy.write_sets import GROUP
from ringfence.wire import DecodeError

MARK = f"|{RULE_GROUP.name}={GROUP}|".lower()
RULE_KEYS = {f"{BASE}\\{name}".lower() for name in ("ConSecRules", "MainModeRules", "FirewallRules")}


def merge(old: bytes, new: bytes) -> bytes:
    """The octets of ``old`` with the policy in ``new``; raises IpsecError for what is no registry.pol."""
    try:
        before = decode(old)
    except DecodeError as error:
        cure = "Leave --into out, to write a file that has this policy alone."
        raise IpsecError(f"it is no registry.pol that can be added to: {error}.", cure=cure) from error
    said = decode(new)
    return encode([*_kept(before, said), *said])


def _kept(before: Sequence[Instruction], said: Sequence[Instruction]) -> Iterator[Instruction]:
    """What of ``before`` is neither ours nor said anew."""
    anew = {(_key(one), one.value.lower()) for one in said}
    sets = {_key(one) for one in before if _is_our_set(one)}
    pointed = {key.rpartition("\\")[2] for key in sets}
    defaults = {shape.default.lower() for shape in SHAPES.values()}
    for one in before:
        key, value = _key(one), one.value.lower()
        in_our_set = key in sets or key.rpartition("\\")[0] in sets
        to_our_set = value in defaults and (one.text or "").lower() in pointed
        ours = key in RULE_KEYS and MARK in (one.text or "").lower()
        if not (in_our_set or to_our_set or ours or (key, value) in anew):
            yield one


def _key(one: Instruction) -> str:
    return one.key.strip("\\").lower()


def _is_our_set(one: Instruction) -> bool:
    below = one.key.lower().startswith(f"{BASE}\\".lower())
    return below and one.value.lower() == SET_GROUP.name.lower() and one.text == GROUP
