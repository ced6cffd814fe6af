# SPDX-License-Identifier: Apache-2.0
"""Every suite of AH and ESP, and SAs made of them with keys that tests may know."""

from hashlib import shake_128

from ringfence.crypto.suites import ENCRYPTION, Authenticator, Cipher, Encryption, Integrity, is_legacy
from ringfence.databases.proposal import Protocol, Transform
from ringfence.databases.sa import Mode, Sa
from ringfence.net.address import parse_address
from ringfence.secret import Secret

CIPHERS = tuple(Cipher(algorithm, bits) for algorithm, row in ENCRYPTION.items() for bits in row.key_bits)
"""All encryption algorithms in all key sizes."""

AUTHENTICATORS = tuple(Authenticator(algorithm) for algorithm in Integrity if algorithm is not Integrity.AES_GMAC)
"""Those that go with ESP and with AH."""

GMACS = tuple(Authenticator(Integrity.AES_GMAC, octets) for octets in (16, 24, 32))
"""Those of AH only."""

AH_SUITES = tuple(Transform(Protocol.AH, authenticator=one) for one in (*AUTHENTICATORS, *GMACS))

ESP_SUITES = (
    *(Transform(Protocol.ESP, cipher) for cipher in CIPHERS if cipher.row.combined),
    *(Transform(Protocol.ESP, cipher, one) for cipher in CIPHERS if not cipher.row.combined for one in AUTHENTICATORS),
)
"""Every combination that makes an SA."""


def esp_suite(algorithm: Encryption, integrity: Integrity | None = None) -> Transform:
    """The suite of these, with the algorithm's first key size."""
    cipher = Cipher(algorithm, ENCRYPTION[algorithm].key_bits[0])
    return Transform(Protocol.ESP, cipher, None if integrity is None else Authenticator(integrity))


def make_sa(
    transform: Transform,
    *,
    spi: int = 0x1001,
    mode: Mode = Mode.TRANSPORT,
    source: str = "192.0.2.1",
    destination: str = "192.0.2.2",
    seed: str = "",
    replay_window: int = 64,
    tfc_octets: int = 0,
    align_64: bool = False,
) -> Sa:
    """An SA of these algorithms; the same arguments give the same keys, another ``seed`` gives others."""
    cipher, authenticator = transform.cipher, transform.authenticator

    def key(purpose: str, octets: int) -> Secret:
        return Secret(shake_128(f"{purpose} {transform} {seed}".encode()).digest(octets))

    return Sa(
        protocol=transform.protocol,
        spi=spi,
        mode=mode,
        source=parse_address(source),
        destination=parse_address(destination),
        cipher=cipher,
        cipher_key=key("cipher", cipher.key_material_octets if cipher else 0),
        authenticator=authenticator,
        authenticator_key=key("authenticator", authenticator.key_material_octets if authenticator else 0),
        esn=transform.esn,
        replay_window=replay_window,
        tfc_octets=tfc_octets,
        align_64=align_64,
        legacy=any(is_legacy(part.algorithm) for part in (cipher, authenticator) if part is not None),
    )
