# SPDX-License-Identifier: Apache-2.0
"""Entries of an LDIF file (RFC 2849, what the samples need of it): a DN and, for each attribute, its values."""

from base64 import b64decode
from pathlib import Path

SAMPLES = Path(__file__).parent / "ad-samples" / "default-policies.ldif"


def entries(text: str) -> dict[str, dict[str, list[bytes]]]:
    """By DN."""
    found: dict[str, dict[str, list[bytes]]] = {}
    for block in text.replace("\n ", "").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        dn, values = "", dict[str, list[bytes]]()
        for line in lines:
            name, _, value = line.partition(":")
            octets = b64decode(value[1:]) if value.startswith(":") else value.strip().encode()
            if name == "dn":
                dn = octets.decode()
            else:
                values.setdefault(name, []).append(octets)
        found[dn] = values
    return found


def default_policies() -> dict[str, dict[str, list[bytes]]]:
    """The 22 objects of the default policies, and their container."""
    return entries(SAMPLES.read_text())
