# SPDX-License-Identifier: Apache-2.0
"""Policies for tests, in few words; and what tests may assert of a policy.

``assert_protected("policy.toml", "tcp 10.0.0.5 -> 10.0.0.9:1433")`` asks the document, or a ``Policy``, what the
computer 10.0.0.5 does with that packet: the sender, unless the packet begins with ``in``, or ``me`` says another (a
gateway); with ``profile="public"`` in a public network, else in the one that the policy knows by the address. No key
file, service or network is needed, so DNS names and words such as "dns-servers" stand for nothing. A failure is told by
``ringfence explain``'s own lines.
"""

import os
from collections.abc import Mapping

from ringfence.databases.spd import Action, Direction
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import Explanation, answer, parse_question
from ringfence.policy.model import Policy
from ringfence.policy.scope import Profile
from ringfence.secret import Secret
from ringfence.stores.file import NO_KEY, FileStore

KEY_FILE = "test.psk"
KEYS: Mapping[str, Secret] = {KEY_FILE: Secret(b"a key that only tests know")}

Document = str | os.PathLike[str] | Policy
"""A policy document's path, or what it says."""


def rule_text(name: str = "test", **settings: str) -> str:
    """A ``[[rule]]`` with these settings in TOML (``_`` for ``-``), by default with a preshared key."""
    settings.setdefault("auth", f'{{ psk-file = "{KEY_FILE}" }}')
    lines = [f"{key.rstrip('_').replace('_', '-')} = {value}" for key, value in settings.items()]
    return "\n".join(["[[rule]]", f'name = "{name}"', *lines, ""])


def compile_text(text: str, *addresses: str) -> Compiled:
    """The databases of a document on a host with these addresses, with the key of ``KEYS``."""
    return compile_policy(parse(text, name="test.toml"), HostFacts(tuple(map(parse_address, addresses))), KEYS)


def assert_protected(policy: Document, packet: str, *, me: str = "", profile: str = "", require: bool = False) -> None:
    """Fail unless ``packet`` is protected; with ``require`` also if it might go in clear where the peer cannot."""
    __tracebackhide__ = True
    answer = _explained(policy, packet, me, profile)
    _expect(answer, Action.PROTECT, policy, packet, "protected")
    processing = answer.entry.processing if answer.entry is not None else None
    if require and processing is not None:
        outward = answer.direction is Direction.OUT
        if processing.respond_only or (processing.clear_out if outward else processing.clear_in):
            _fail(answer, policy, packet, "protected in every case")


def assert_blocked(policy: Document, packet: str, *, me: str = "", profile: str = "") -> None:
    """Fail unless ``packet`` is blocked."""
    __tracebackhide__ = True
    _expect(_explained(policy, packet, me, profile), Action.DISCARD, policy, packet, "blocked")


def assert_permitted(policy: Document, packet: str, *, me: str = "", profile: str = "") -> None:
    """Fail unless ``packet`` passes in clear, as it is."""
    __tracebackhide__ = True
    _expect(_explained(policy, packet, me, profile), Action.BYPASS, policy, packet, "permitted")


def _explained(policy: Document, packet: str, me: str, profile: str) -> Explanation:
    if not isinstance(policy, Policy):
        policy = FileStore(policy, keyless=True).load().policy
    told = packet if packet.split(maxsplit=1)[:1] in (["in"], ["out"]) else f"out {packet}"
    try:
        question = parse_question(told)
    except BadWord as error:
        raise ValueError(f'The packet is "{packet}", {error.why}. {error.cure}') from error
    flow = question.flow
    own = parse_address(me) if me else flow.source if question.direction is Direction.OUT else flow.destination
    compiled = compile_policy(
        policy,
        HostFacts((own,), profile=Profile(profile) if profile else None),
        dict.fromkeys(policy.key_files, NO_KEY),
    )
    return answer(compiled, question)


def _expect(answer: Explanation, action: Action, policy: Document, packet: str, word: str) -> None:
    __tracebackhide__ = True
    if (answer.action if answer.passes else Action.DISCARD) is not action:
        _fail(answer, policy, packet, word)


def _fail(answer: Explanation, policy: Document, packet: str, word: str) -> None:
    __tracebackhide__ = True
    name = (policy.name or "the policy") if isinstance(policy, Policy) else os.fspath(policy)
    raise AssertionError("\n  ".join([f"{name}: {packet} is not {word}, but:", *answer.lines()]))
