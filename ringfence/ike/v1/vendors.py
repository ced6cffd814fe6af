# SPDX-License-Identifier: Apache-2.0
"""Vendor ids: what makes of a peer are known, and what we call ourselves (RFC 2408 §3.16).

They are hints from a stranger: one may change how patient we are, never what we trust. Only what we can do is
announced.
"""

from enum import Enum
from hashlib import sha256

from ringfence.ike.payload import Chain
from ringfence.ike.v1.payloads import VendorPayload


class Vendor(Enum):
    """What a vendor id means."""

    RINGFENCE = "ringfence"
    WINDOWS = "windows"
    """Four octets of version follow."""
    STRONGSWAN = "strongswan"
    LIBRESWAN = "libreswan"
    DPD = "dpd"
    XAUTH = "xauth"
    FRAGMENTATION = "fragmentation"
    NAT_T = "nat-t"
    NAT_T_DRAFT = "nat-t-draft"
    RELIABLE_DELETE = "reliable-delete"
    """Answers deletes with a nonce: Windows from XP on."""
    CLUSTER = "cluster"
    """Several computers with one address: contracts end after a minute without traffic ([MS-IKEE] §3.5)."""
    GSSAPI = "gssapi"
    INITIAL_CONTACT = "initial-contact"


OURS = sha256(b"Ringfence IPsec").digest()[:16]
"""Says: inbound SAs are ready before the message that confirms them."""

DPD = bytes.fromhex("afcad71368a1f1c96b8696fc77570100")
"""Says: answers whoever asks whether it is there (RFC 3706 §5.1); the last two octets are a version."""
VERSION_OCTETS = 2
FRAGMENTATION = bytes.fromhex("4048b7d56ebce88525e7de7f00d6c2d3")
"""Says: puts messages together that come in pieces ([MS-IKEE] §2.2.3). Cisco adds a word of what it can do."""

WINDOWS, WINDOWS_XP = bytes.fromhex("1e2b516905991c7d7c96fcbfb587e461"), 3
"""Says: made by Microsoft; four octets of version follow."""
XAUTH = bytes.fromhex("09002689dfd6b712")
"""Says: lets users prove themselves."""

INITIAL_CONTACT = bytes.fromhex("26244d38eddb61b3172a36e3d0cfb819")
"""Says: has no main mode SA with the peer, so any computer of a cluster may answer ([MS-IKEE] §3.5)."""

PREFIXES: dict[bytes, Vendor] = {
    OURS: Vendor.RINGFENCE,
    WINDOWS: Vendor.WINDOWS,
    bytes.fromhex("882fe56d6fd20dbc2251613b2ebe5beb"): Vendor.STRONGSWAN,
    b"OE-Libreswan": Vendor.LIBRESWAN,
    DPD[:-VERSION_OCTETS]: Vendor.DPD,
    XAUTH: Vendor.XAUTH,
    FRAGMENTATION: Vendor.FRAGMENTATION,
    bytes.fromhex("4a131c81070358455c5728f20e95452f"): Vendor.NAT_T,
    bytes.fromhex("90cb80913ebb696e086381b5ec427b1f"): Vendor.NAT_T_DRAFT,
    bytes.fromhex("cd60464335df21f87cfdb2fc68b6a448"): Vendor.NAT_T_DRAFT,
    bytes.fromhex("7d9419a65310ca6f2c179d9215529d56"): Vendor.NAT_T_DRAFT,
    bytes.fromhex("621b04bb09882ac1e15935fefa24aeee"): Vendor.GSSAPI,
    INITIAL_CONTACT: Vendor.INITIAL_CONTACT,
    bytes.fromhex("72872b95fcda2eb708efe322119b4971"): Vendor.CLUSTER,
}
"""Ids by how they begin."""


def announced(*, joins: bool = True, users: bool = False, first: bool = False) -> tuple[VendorPayload, ...]:
    """What we say of ourselves.

    ``joins``: that we put messages together that come in pieces; ``users``: XAUTH; ``first``: that we have nothing with
    the peer yet.
    """
    said = ((FRAGMENTATION, joins), (XAUTH, users), (INITIAL_CONTACT, first))
    ids = (OURS, DPD, *(one for one, says in said if says))
    return tuple(map(VendorPayload, ids))


def recognised(chain: Chain) -> frozenset[Vendor]:
    """What a message says of its sender."""
    said = [payload.data for payload in chain.all(VendorPayload)]
    found = {vendor for data in said for prefix, vendor in PREFIXES.items() if data.startswith(prefix)}
    if any(data.startswith(WINDOWS) and int.from_bytes(data[len(WINDOWS) :]) >= WINDOWS_XP for data in said):
        found.add(Vendor.RELIABLE_DELETE)
    return frozenset(found)
