# SPDX-License-Identifier: Apache-2.0
"""IKE and ESP in TCP, as a rule says it: ``tcp = "fallback"`` or ``"only"``, and ``tcp-port``."""

from collections.abc import Iterator

from ringfence.databases.tcp import PORT, Tcp, TcpUse
from ringfence.policy.decode import Table, choose
from ringfence.policy.keying import versions
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.settings import either
from ringfence.policy.texts import toml_text

LAST_PORT = 49151
"""From the ports behind it those are drawn that connections begin at."""


def decode_tcp(table: Table) -> Tcp | None:
    """When TCP is used with the peers of a rule, and at which port."""
    use = table.word("tcp", lambda word: choose(word, TcpUse))
    port = table.number("tcp-port", 1, LAST_PORT)
    if use is None:
        if port is not None and not table.has("tcp"):
            table.complain("tcp-port", "has no use without tcp", cure='Say tcp = "fallback" as well.')
        return None
    return Tcp(use, either(port, PORT))


def check_tcp(table: Table, rule: Rule) -> None:
    """What cannot be."""
    if rule.tcp is not None and 2 not in versions(rule, rule.auth):
        table.complain("tcp", "is for IKEv2 alone", cure='Say keying = ["ikev2"] in this rule, or leave it out.')
    elif rule.tcp is not None and rule.tcp.only and {*rule.keying} - {KeyModule.IKEV2}:
        cure = 'Say keying = ["ikev2"] in this rule, or tcp = "fallback".'
        table.complain("tcp", 'is "only", and the rule may be negotiated by IKEv1, which has no TCP', cure=cure)


def tcp_pairs(rule: Rule) -> Iterator[tuple[str, str, bool]]:
    """The settings, as text."""
    if rule.tcp is not None:
        yield "tcp", toml_text(rule.tcp.use.value), False
        yield "tcp-port", str(rule.tcp.port), rule.tcp.port == PORT
