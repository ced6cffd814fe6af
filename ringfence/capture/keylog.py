# SPDX-License-Identifier: Apache-2.0
"""Keys in the form that Wireshark and tshark read, so that a capture of one's own traffic opens decrypted.

The directory of a key log is a configuration directory of Wireshark: it holds the tables of main modes
(``ikev1_decryption_table``), of IKE SAs of IKEv2 (``ikev2_decryption_table``) and of ESP SAs (``esp_sa``), and the
preference that makes use of them. Then ``WIRESHARK_CONFIG_DIR=DIRECTORY wireshark capture.pcap`` shows what was sent.
Whoever reads the directory can read the protected traffic, so nobody but its owner may, and a service that writes one
announces it.
"""

import os
from pathlib import Path

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Sa
from ringfence.net.address import format_address
from ringfence.secret import Secret

MAIN_MODES, IKE_V2, ESP, PREFERENCES = "ikev1_decryption_table", "ikev2_decryption_table", "esp_sa", "preferences"

CIPHERS = {
    Encryption.NULL: "NULL",
    Encryption.AES_CBC: "AES-CBC [RFC3602]",
    Encryption.AES_CTR: "AES-CTR [RFC3686]",
    Encryption.AES_GCM_8: "AES-GCM with 8 octet ICV [RFC4106]",
    Encryption.AES_GCM_12: "AES-GCM with 12 octet ICV [RFC4106]",
    Encryption.AES_GCM_16: "AES-GCM with 16 octet ICV [RFC4106]",
    Encryption.TRIPLE_DES: "TripleDES-CBC [RFC2451]",
    Encryption.DES: "DES-CBC [RFC2405]",
}
"""What Wireshark 4.0 can decrypt in ESP, by its name for it; it takes the salt behind the key, as we have it."""

AUTHENTICATORS = {
    Integrity.HMAC_MD5_96: "HMAC-MD5-96 [RFC2403]",
    Integrity.HMAC_SHA1_96: "HMAC-SHA-1-96 [RFC2404]",
    Integrity.HMAC_SHA256_128: "HMAC-SHA-256-128 [RFC4868]",
    Integrity.HMAC_SHA384_192: "HMAC-SHA-384-192 [RFC4868]",
    Integrity.HMAC_SHA512_256: "HMAC-SHA-512-256 [RFC4868]",
}
UNCHECKED = "ANY 96 bit authentication [no checking]"
"""For AES-XCBC and AES-CMAC, which it does not know: it need only know how long the ICV is."""


IKE_CIPHERS = {
    (Encryption.AES_CBC, 128): "AES-CBC-128 [RFC3602]",
    (Encryption.AES_CBC, 192): "AES-CBC-192 [RFC3602]",
    (Encryption.AES_CBC, 256): "AES-CBC-256 [RFC3602]",
    (Encryption.TRIPLE_DES, 192): "3DES [RFC2451]",
    (Encryption.AES_CTR, 128): "AES-CTR-128 [RFC5930]",
    (Encryption.AES_CTR, 192): "AES-CTR-192 [RFC5930]",
    (Encryption.AES_CTR, 256): "AES-CTR-256 [RFC5930]",
    (Encryption.AES_GCM_16, 128): "AES-GCM-128 with 16 octet ICV [RFC5282]",
    (Encryption.AES_GCM_16, 192): "AES-GCM-192 with 16 octet ICV [RFC5282]",
    (Encryption.AES_GCM_16, 256): "AES-GCM-256 with 16 octet ICV [RFC5282]",
    (Encryption.AES_CCM_16, 128): "AES-CCM-128 with 16 octet ICV [RFC5282]",
    (Encryption.AES_CCM_16, 192): "AES-CCM-192 with 16 octet ICV [RFC5282]",
    (Encryption.AES_CCM_16, 256): "AES-CCM-256 with 16 octet ICV [RFC5282]",
}
"""What Wireshark 4.0 can decrypt in IKEv2."""
IKE_NONE = "NONE [RFC4306]"
IKE_AUTHENTICATORS = {
    Integrity.HMAC_MD5_96: "HMAC_MD5_96 [RFC2403]",
    Integrity.HMAC_SHA1_96: "HMAC_SHA1_96 [RFC2404]",
    Integrity.HMAC_SHA256_128: "HMAC_SHA2_256_128 [RFC4868]",
    Integrity.HMAC_SHA384_192: "HMAC_SHA2_384_192 [RFC4868]",
    Integrity.HMAC_SHA512_256: "HMAC_SHA2_512_256 [RFC4868]",
}


class KeyLog:
    """Writes the keys of main modes and of SAs as they are made; files of an earlier run are gone on."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self._directory / PREFERENCES).exists():
            self._append(PREFERENCES, "esp.enable_encryption_decode: TRUE\n")
        self._known = {
            line for name in (MAIN_MODES, IKE_V2, ESP) if (path := self._directory / name).exists()
            for line in path.read_text().splitlines()
        }  # fmt: skip

    @property
    def files(self) -> tuple[Path, ...]:
        """The files with keys."""
        return tuple(self._directory / name for name in (MAIN_MODES, IKE_V2, ESP))

    def ike(self, initiator_cookie: bytes, key: Secret) -> None:
        """A main mode: its messages are encrypted with ``key``."""
        self._add(MAIN_MODES, f"{initiator_cookie.hex()},{key.reveal().hex()}")

    def ike_v2(
        self, spis: tuple[bytes, bytes], cipher: Cipher, authenticator: Authenticator | None, keys: tuple[Secret, ...]
    ) -> None:
        """An IKE SA of IKEv2: its SPIs, and its keys ``ei er ai ar``; one that Wireshark cannot decrypt is left out."""
        line = ike_v2_line(spis, cipher, authenticator, keys)
        if line is not None:
            self._add(IKE_V2, line)

    def child(self, child: ChildSa) -> None:
        """The ESP SAs of a quick mode, both directions; those that Wireshark cannot decrypt are left out."""
        for sa in (*child.outbound, *child.inbound):
            line = esp_line(sa)
            if line is not None:
                self._add(ESP, line)

    def _add(self, name: str, line: str) -> None:
        if line not in self._known:
            self._known.add(line)
            self._append(name, f"{line}\n")

    def _append(self, name: str, text: str) -> None:
        descriptor = os.open(self._directory / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def ike_v2_line(
    spis: tuple[bytes, bytes], cipher: Cipher, authenticator: Authenticator | None, keys: tuple[Secret, ...]
) -> str | None:
    """A line of Wireshark's ``ikev2_decryption_table``, or None for what it cannot decrypt."""
    encryption = IKE_CIPHERS.get((cipher.algorithm, cipher.key_bits))
    integrity = IKE_NONE if authenticator is None else IKE_AUTHENTICATORS.get(authenticator.algorithm)
    if encryption is None or integrity is None:
        return None
    ei, er, ai, ar = (key.reveal().hex() for key in keys)
    return f'{spis[0].hex()},{spis[1].hex()},{ei},{er},"{encryption}",{ai},{ar},"{integrity}"'


def esp_line(sa: Sa) -> str | None:
    """A line of Wireshark's ``esp_sa`` table, or None for what it cannot decrypt."""
    if sa.protocol is not Protocol.ESP or sa.cipher is None or sa.cipher.algorithm not in CIPHERS:
        return None
    authenticator, authenticator_key = "NULL", b""
    if sa.authenticator is not None:
        authenticator = AUTHENTICATORS.get(sa.authenticator.algorithm, UNCHECKED)
        authenticator_key = sa.authenticator_key.reveal() if authenticator != UNCHECKED else b""
    fields = (
        "IPv4" if len(sa.source) == 4 else "IPv6",
        format_address(sa.source),
        format_address(sa.destination),
        f"0x{sa.spi:08x}",
        CIPHERS[sa.cipher.algorithm],
        _hex(sa.cipher_key.reveal()),
        authenticator,
        _hex(authenticator_key),
    )
    return ",".join(f'"{field}"' for field in fields)


def _hex(octets: bytes) -> str:
    return f"0x{octets.hex()}" if octets else ""
