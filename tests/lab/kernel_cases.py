# SPDX-License-Identifier: Apache-2.0
"""The combinations in which a Linux kernel is tried: suites, AH and ESP and both, modes, address families."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.guest import THEIRS
from lab.xfrm import knows
from ringfence.crypto.suites import Authenticator, Encryption, Integrity
from ringfence.databases.proposal import Protocol, Transform
from ringfence.databases.sa import ChildSa, DfPolicy, Mode, Sa, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, esp_suite, make_sa

NETS = {4: "10.78.{0}.{1}", 6: "fd78::{0}:{1}"}
"""Our addresses: each case has its own."""
INNER_NETS = {4: "10.79.{0}.{1}", 6: "fd79::{0}:{1}"}
"""The same, inside tunnels."""
INNER_THEIRS = {4: "10.77.102.1", 6: "fd77:102::1"}
FIRST_SPI = 0x1000


def ah(integrity: Integrity) -> Transform:
    return Transform(Protocol.AH, authenticator=Authenticator(integrity))


BUNDLES = (
    (esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA1_96), ah(Integrity.HMAC_SHA256_128)),
    (esp_suite(Encryption.AES_GCM_16), ah(Integrity.HMAC_SHA1_96)),
    (esp_suite(Encryption.NULL, Integrity.HMAC_SHA512_256), ah(Integrity.HMAC_SHA384_192)),
    (esp_suite(Encryption.CHACHA20_POLY1305), ah(Integrity.AES_XCBC_96)),
)
COMMON = (
    (esp_suite(Encryption.AES_GCM_16),),
    (esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128),),
    (ah(Integrity.HMAC_SHA256_128),),
)
NUMBERS = {"": 0, "esn": 0, "esn over the wrap": 2**32 - 4, "esn beyond it": 2**33 + 17}
"""Extended numbers or not, and the number before the first packet."""


@dataclass(frozen=True)
class Case:
    """One combination."""

    transforms: tuple[Transform, ...]
    """Innermost first."""
    mode: Mode
    outer: int
    """The family of the addresses that the packets travel by: 4 or 6."""
    inner: int
    """The family of what they protect."""
    numbers: str = ""
    align_64: bool = False
    iterated: bool = False
    """Every SA is a tunnel, one inside the other."""
    tfc_octets: int = 0

    @property
    def name(self) -> str:
        what = " + ".join(map(str, self.transforms))
        families = f"IPv{self.inner}" + (f" in IPv{self.outer}" if self.mode is Mode.TUNNEL else "")
        more = {
            self.numbers: self.numbers,
            "64-bit aligned": self.align_64,
            "iterated": self.iterated,
            "padded": self.tfc_octets,
        }
        return ", ".join([what, self.mode.value, families, *(word for word, said in more.items() if said)])

    @property
    def first(self) -> int:
        return NUMBERS[self.numbers]


def cases() -> Iterator[Case]:
    """All of them."""
    ways = [(Mode.TRANSPORT, 4, 4), (Mode.TRANSPORT, 6, 6), (Mode.TUNNEL, 4, 4), (Mode.TUNNEL, 6, 6)]
    suites = [(transform,) for transform in (*ESP_SUITES, *AH_SUITES) if knows(transform)]
    for transforms in (*suites, *BUNDLES):
        yield from (Case(transforms, *way) for way in ways)
    for transforms in (*COMMON, BUNDLES[0]):
        yield Case(transforms, Mode.TUNNEL, 4, 6)
        yield Case(transforms, Mode.TUNNEL, 6, 4)
        extended = tuple(replace(one, esn=True) for one in transforms)
        yield from (Case(extended, *way, numbers) for way in ways for numbers in NUMBERS if numbers)
    for way in ways[::2]:
        yield Case((ah(Integrity.HMAC_SHA256_128),), *way, align_64=True)
    for way in ways[2:]:
        yield Case(BUNDLES[0], *way, iterated=True)
        yield Case(COMMON[0], *way, tfc_octets=1200)


def child_of(case: Case, number: int) -> ChildSa:
    """The contract of the case, seen from our side."""
    place = (number >> 7, (number & 127) + 1)
    ours, theirs = NETS[case.outer].format(*place), THEIRS[(case.outer, case.inner)[0] == 6]
    if case.mode is Mode.TUNNEL:
        selector = Selector.between(INNER_NETS[case.inner].format(*place), INNER_THEIRS[case.inner])
    else:
        selector = Selector.between(ours, theirs)

    def stack(source: str, destination: str, offset: int) -> tuple[Sa, ...]:
        sas = []
        for position, transform in enumerate(case.transforms):
            mode = case.mode if position == 0 or case.iterated else Mode.TRANSPORT
            spi = FIRST_SPI + 16 * number + 2 * position + offset
            sa = make_sa(transform, spi=spi, mode=mode, source=source, destination=destination, seed=f"{offset}")
            more = {"tunnel": TunnelOptions(df=DfPolicy.CLEAR), "align_64": case.align_64}
            sas.append(replace(sa, **more, tfc_octets=case.tfc_octets if mode is Mode.TUNNEL else 0))
        return tuple(sas)

    outbound, inbound = stack(ours, theirs, 0), stack(theirs, ours, 1)
    return ChildSa(number + 1, 0, f"case {number}", selector, outbound, inbound)
