# SPDX-License-Identifier: Apache-2.0
"""Policies for tests, in few words."""

from collections.abc import Mapping

from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret

KEY_FILE = "test.psk"
KEYS: Mapping[str, Secret] = {KEY_FILE: Secret(b"a key that only tests know")}


def rule_text(name: str = "test", **settings: str) -> str:
    """A ``[[rule]]`` with these settings in TOML (``_`` for ``-``), by default with a preshared key."""
    settings.setdefault("auth", f'{{ psk-file = "{KEY_FILE}" }}')
    lines = [f"{key.rstrip('_').replace('_', '-')} = {value}" for key, value in settings.items()]
    return "\n".join(["[[rule]]", f'name = "{name}"', *lines, ""])


def compile_text(text: str, *addresses: str) -> Compiled:
    """The databases of a document on a host with these addresses, with the key of ``KEYS``."""
    return compile_policy(parse(text, name="test.toml"), HostFacts(tuple(map(parse_address, addresses))), KEYS)
