# SPDX-License-Identifier: Apache-2.0
"""Our SAs in the words of ``ip xfrm``, so that a Linux kernel is their other end."""

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.proposal import Transform
from ringfence.databases.sa import ChildSa, Mode, Sa
from ringfence.net.address import format_address

AEAD = {
    **dict.fromkeys((Encryption.AES_GCM_8, Encryption.AES_GCM_12, Encryption.AES_GCM_16), "rfc4106(gcm(aes))"),
    **dict.fromkeys((Encryption.AES_CCM_8, Encryption.AES_CCM_12, Encryption.AES_CCM_16), "rfc4309(ccm(aes))"),
    Encryption.NULL_AES_GMAC: "rfc4543(gcm(aes))",
    Encryption.CHACHA20_POLY1305: "rfc7539esp(chacha20,poly1305)",
}
CIPHER = {
    Encryption.NULL: "ecb(cipher_null)",
    Encryption.AES_CBC: "cbc(aes)",
    Encryption.AES_CTR: "rfc3686(ctr(aes))",
    Encryption.TRIPLE_DES: "cbc(des3_ede)",
    Encryption.DES: "cbc(des)",
}
INTEGRITY = {
    Integrity.HMAC_MD5_96: "hmac(md5)",
    Integrity.HMAC_SHA1_96: "hmac(sha1)",
    Integrity.HMAC_SHA256_128: "hmac(sha256)",
    Integrity.HMAC_SHA384_192: "hmac(sha384)",
    Integrity.HMAC_SHA512_256: "hmac(sha512)",
    Integrity.AES_XCBC_96: "xcbc(aes)",
    Integrity.AES_CMAC_96: "cmac(aes)",
}
"""AES-GMAC is in the kernel for ESP only."""


def knows(transform: Transform) -> bool:
    """Whether the kernel has these algorithms."""
    return transform.authenticator is None or transform.authenticator.algorithm in INTEGRITY


def algorithms(sa: Sa) -> str:
    """Algorithms and keys."""
    words = []
    if sa.cipher is not None:
        key, icv = sa.cipher_key.reveal().hex(), sa.cipher.row.icv_octets * 8
        if sa.cipher.row.combined:
            words.append(f"aead {AEAD[sa.cipher.algorithm]} 0x{key} {icv}")
        else:
            words.append(f"enc {CIPHER[sa.cipher.algorithm]} " + (f"0x{key}" if key else '""'))
    if sa.authenticator is not None:
        key, icv = sa.authenticator_key.reveal().hex(), sa.authenticator.row.icv_octets * 8
        words.append(f"auth-trunc {INTEGRITY[sa.authenticator.algorithm]} 0x{key} {icv}")
    return " ".join(words)


def state(sa: Sa, reqid: int, *, first: int = 0, mixed: bool = False) -> str:
    """One line of ``ip -batch`` that adds the SA.

    ``first`` is the number before its first packet; ``mixed`` tells that a tunnel carries the other address family.
    """
    flags = []
    if sa.authenticator is not None and sa.cipher is None and len(sa.source) == 4 and not sa.align_64:
        flags.append("align4")  # as the RFC has it; without the word Linux pads to 8 octets
    if sa.esn:
        flags.append("esn")
    if mixed:
        flags.append("af-unspec")
    words = [
        f"xfrm state add src {format_address(sa.source)} dst {format_address(sa.destination)}",
        f"proto {sa.protocol.name.lower()} spi {sa.spi:#x} reqid {reqid} mode {sa.mode.value}",
        f"replay-window {sa.replay_window}",
    ]
    if first:
        words.append(f"replay-seq {first % 2**32:#x} replay-oseq {first % 2**32:#x}")
        if sa.esn:
            words.append(f"replay-seq-hi {first >> 32:#x} replay-oseq-hi {first >> 32:#x}")
    if flags:
        words.append(f"flag {' '.join(flags)}")
    return " ".join([*words, algorithms(sa)])


def policies(child: ChildSa, reqid: int) -> list[str]:
    """Lines of ``ip -batch`` for the other end of ``child``: what it sends to us, and takes from us."""
    theirs, ours = child.selector.destination, child.selector.source

    def templates(sas: tuple[Sa, ...]) -> str:
        return " ".join(
            f"tmpl src {format_address(sa.source)} dst {format_address(sa.destination)} "
            f"proto {sa.protocol.name.lower()} mode {sa.mode.value} reqid {reqid}"
            for sa in sas
        )

    lines = [
        f"xfrm policy add src {theirs} dst {ours} dir out {templates(child.inbound)}",
        f"xfrm policy add src {ours} dst {theirs} dir in {templates(child.outbound)}",
    ]
    if child.outbound[0].mode is Mode.TUNNEL:
        lines.append(f"xfrm policy add src {ours} dst {theirs} dir fwd {templates(child.outbound)}")
    return lines
