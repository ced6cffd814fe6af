# SPDX-License-Identifier: Apache-2.0
"""What a rule says of other gateways, as a document says it."""

from collections.abc import Iterator

from ringfence.net.address import format_address
from ringfence.policy.gateways import Gateways
from ringfence.policy.texts import toml_addresses, toml_text


def send_pairs(gateways: Gateways) -> Iterator[tuple[str, str, bool]]:
    """What stands with the local end: settings, their values, and whether they are what holds without a word."""
    if gateways.send_to is not None:
        yield "local.send-to", toml_text(format_address(gateways.send_to)), False


def other_pairs(gateways: Gateways) -> Iterator[tuple[str, str, bool]]:
    """What stands with the remote end, likewise."""
    if gateways.others:
        yield "remote.others", toml_addresses(gateways.others), False
