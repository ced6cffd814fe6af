# SPDX-License-Identifier: Apache-2.0
"""How fast the pure data path is, per suite and size, against bare calls of the crypto library and against scapy.

    python bench/datapath.py                    a table
    python bench/datapath.py --markdown FILE    the same, written into FILE between its two marks
    python bench/datapath.py --quick            fewer suites, shorter

Everything is measured in one process and in turns, so that a busy machine slows all of them alike; each number is the
best of several turns. "Bare" is one ``encrypt_into`` or ``decrypt_into`` per packet over inputs that were cut and laid
out beforehand: what no program can beat that calls the library once per packet. "Engine" is the whole packet path, SPD
and headers included: what a host's device hands out becomes packets for the wire, and these become packets for the
peer's device.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.proposal import Protocol, Transform
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.ah import AhOpen, AhSeal
from ringfence.datapath.esp import EspOpen, EspSeal, Opened
from ringfence.datapath.verdict import Deliver, Send, Verdict
from ringfence.testing.associations import make_sa
from ringfence.testing.contracts import joined, make_child, make_path

SIZES = (64, 512, 1400)
BATCH = 64
BATCHES = 8
"""Per turn: enough to see the memory, not only the cache."""
BEGIN, END = "<!-- bench/datapath.py -->", "<!-- end -->"


def esp(algorithm: Encryption, bits: int, integrity: Integrity | None = None) -> Transform:
    return Transform(Protocol.ESP, Cipher(algorithm, bits), Authenticator(integrity) if integrity else None)


SUITES = (
    esp(Encryption.AES_GCM_16, 256),
    esp(Encryption.AES_GCM_16, 128),
    esp(Encryption.CHACHA20_POLY1305, 256),
    esp(Encryption.AES_CCM_16, 256),
    esp(Encryption.NULL_AES_GMAC, 256),
    esp(Encryption.AES_GCM_8, 256),
    esp(Encryption.AES_CBC, 256, Integrity.HMAC_SHA256_128),
    esp(Encryption.AES_CBC, 128, Integrity.HMAC_SHA1_96),
    esp(Encryption.AES_CTR, 256, Integrity.HMAC_SHA512_256),
    esp(Encryption.AES_CBC, 128, Integrity.AES_XCBC_96),
    esp(Encryption.TRIPLE_DES, 192, Integrity.HMAC_SHA1_96),
    Transform(Protocol.AH, authenticator=Authenticator(Integrity.HMAC_SHA256_128)),
    Transform(Protocol.AH, authenticator=Authenticator(Integrity.AES_GMAC, 32)),
)
QUICK = SUITES[:1]

BARE: dict[Encryption, Callable[[bytes], AESGCM | AESCCM | ChaCha20Poly1305]] = {
    Encryption.AES_GCM_16: AESGCM,
    Encryption.CHACHA20_POLY1305: ChaCha20Poly1305,
    Encryption.AES_CCM_16: AESCCM,
}


@dataclass
class Row:
    """Packets a second, of one suite and size; None where there is no such thing."""

    suite: str
    size: int
    seal: float
    open: float
    bare_seal: float | None
    bare_open: float | None
    scapy: float | None
    engine_out: float
    engine_in: float

    @property
    def engine(self) -> float:
        """Packets that go out through one engine and in through another in a second."""
        return 1 / (1 / self.engine_out + 1 / self.engine_in)

    @property
    def both(self) -> float:
        """Packets that are sealed and opened in a second."""
        return 1 / (1 / self.seal + 1 / self.open)

    @property
    def of_bare(self) -> float | None:
        """``both`` as a share of what bare calls do."""
        if self.bare_seal is None or self.bare_open is None:
            return None
        return self.both / (1 / (1 / self.bare_seal + 1 / self.bare_open))


def best(turns: int, *works: tuple[Callable[[], object], Callable[[object], object]]) -> list[float]:
    """For each (prepare, work) the least seconds that work took on what prepare made; in turns."""
    least = [float("inf")] * len(works)
    for _ in range(turns):
        for place, (prepare, work) in enumerate(works):
            given = prepare()
            begin = time.perf_counter()
            work(given)
            least[place] = min(least[place], time.perf_counter() - begin)
    return least


def datagram(size: int) -> bytes:
    """An IPv4 UDP packet of ``size`` octets, for AH and as the inside of a tunnel."""
    head = bytearray(20)
    head[0:4] = b"\x45\0" + size.to_bytes(2)
    head[8:10] = b"\x40\x11"
    head[12:20] = b"\xc0\0\2\1\xc0\0\2\2"
    head[6] = 0x40  # not to be fragmented, as nearly all of today's packets
    head[10:12] = (-int.from_bytes(head) % 0xFFFF).to_bytes(2)
    return bytes(head) + b"\x10\0\x20\0" + os.urandom(size - 24)  # of one flow


Work = tuple[Callable[[], object], Callable[[object], object]]


def measure(suite: Transform, size: int, turns: int) -> Row:
    sa = make_sa(suite, mode=Mode.TUNNEL)
    count = BATCH * BATCHES
    batches = [[datagram(size) for _ in range(BATCH)] for _ in range(BATCHES)]
    works = _esp_works(sa, batches) if suite.protocol is Protocol.ESP else _ah_works(sa, batches)
    bare = _bare_works(sa, batches)
    seconds = best(turns, *_engine_works(suite, batches), *works, *bare)
    scapy = _scapy(sa, batches[0][0])
    out, into, *rest = (count / one for one in seconds)
    rates = [*rest, None, None]
    return Row(str(suite), size, *rates[:4], scapy, out, into)  # type: ignore[arg-type]


def _engine_works(suite: Transform, batches: list[list[bytes]]) -> list[Work]:
    child = make_child(suite, mode=Mode.TUNNEL)
    sender = make_path(child)

    def send(given: object) -> None:
        for batch in given:  # type: ignore[attr-defined]
            sender.outbound(batch, 0.0)

    def sent() -> object:
        fresh, peer = joined(child)
        for _ in range(2):  # so that flows are known to both
            peer.inbound(packets(fresh.outbound(batches[0][:1], 0.0)), 0.0)
        return peer, [packets(fresh.outbound(batch, 0.0)) for batch in batches]

    def receive(given: object) -> None:
        peer, wire = given  # type: ignore[misc]
        for batch in wire:
            verdicts = peer.inbound(batch, 0.0)
        if sum(len(verdict.packets) for verdict in verdicts if type(verdict) is Deliver) != BATCH:
            raise RuntimeError(f"not delivered: {verdicts[0]}")

    return [(lambda: batches, send), (sent, receive)]


def packets(verdicts: list[Verdict]) -> list[bytes]:
    return [packet for verdict in verdicts if type(verdict) is Send for packet in verdict.packets]


def _esp_works(sa: Sa, batches: list[list[bytes]]) -> list[Work]:
    sealer = EspSeal(sa, os.urandom)
    items = [[(4, packet) for packet in batch] for batch in batches]

    def seal(given: object) -> None:
        for batch in given:  # type: ignore[attr-defined]
            sealer.seal_many(batch)

    def sealed() -> object:
        fresh = EspSeal(sa, os.urandom)
        return EspOpen(sa), [fresh.seal_many(batch) for batch in items]

    def opens(given: object) -> None:
        opener, packets = given  # type: ignore[misc]
        for batch in packets:
            results = opener.open_many(batch)
        if not all(type(result) is Opened for result in results):
            raise RuntimeError(f"not opened: {results[0]}")

    return [(lambda: items, seal), (sealed, opens)]


def _ah_works(sa: Sa, batches: list[list[bytes]]) -> list[Work]:
    sealer = AhSeal(sa, os.urandom)

    def seal(given: object) -> None:
        for batch in given:  # type: ignore[attr-defined]
            sealer.seal_many(batch)

    def sealed() -> object:
        fresh = AhSeal(sa, os.urandom)
        return AhOpen(sa), [fresh.seal_many(batch) for batch in batches]

    def opens(given: object) -> None:
        opener, packets = given  # type: ignore[misc]
        for batch in packets:
            opener.open_many(batch)

    return [(lambda: batches, seal), (sealed, opens)]


def _bare_works(sa: Sa, batches: list[list[bytes]]) -> list[Work]:
    if sa.cipher is None or sa.cipher.algorithm not in BARE:
        return []
    key = sa.cipher_key.reveal()
    octets = sa.cipher.key_bits // 8
    mode = BARE[sa.cipher.algorithm](key[:octets])
    encrypt_into, decrypt_into = mode.encrypt_into, mode.decrypt_into
    padded = [packet + bytes(-(len(packet) + 2) % 4 + 2) for batch in batches for packet in batch]
    headers = [number.to_bytes(8) for number in range(1, len(padded) + 1)]
    nonces = [key[octets:] + header for header in headers]
    to_seal = [*zip(nonces, padded, headers, strict=True)]
    to_open = [(nonce, mode.encrypt(nonce, plain, header), header) for nonce, plain, header in to_seal]
    sealed, opened = bytearray(len(padded[0]) + 16), bytearray(len(padded[0]))

    def seal(given: object) -> None:
        for nonce, plain, header in given:  # type: ignore[attr-defined]
            encrypt_into(nonce, plain, header, sealed)

    def opens(given: object) -> None:
        for nonce, data, header in given:  # type: ignore[attr-defined]
            decrypt_into(nonce, data, header, opened)

    return [(lambda: to_seal, seal), (lambda: to_open, opens)]


SCAPY_CIPHERS = {
    Encryption.AES_GCM_16: "AES-GCM", Encryption.AES_CCM_16: "AES-CCM", Encryption.NULL_AES_GMAC: "AES-NULL-GMAC",
    Encryption.AES_CBC: "AES-CBC", Encryption.AES_CTR: "AES-CTR", Encryption.TRIPLE_DES: "3DES",
    Encryption.CHACHA20_POLY1305: "CHACHA20-POLY1305",
}  # fmt: skip
SCAPY_INTEGRITY = {
    Integrity.HMAC_SHA1_96: "HMAC-SHA1-96", Integrity.HMAC_SHA256_128: "SHA2-256-128",
    Integrity.HMAC_SHA512_256: "SHA2-512-256",
}  # fmt: skip


def _scapy(sa: Sa, packet: bytes, seconds: float = 0.3) -> float | None:
    """Packets a second that scapy seals and opens, at its best."""
    from scapy.layers.inet import IP
    from scapy.layers.ipsec import AH, ESP, SecurityAssociation

    words: dict[str, object] = {}
    if sa.cipher is not None:
        if sa.cipher.algorithm not in SCAPY_CIPHERS:
            return None
        words.update(crypt_algo=SCAPY_CIPHERS[sa.cipher.algorithm], crypt_key=sa.cipher_key.reveal())
    if sa.authenticator is not None:
        if sa.authenticator.algorithm not in SCAPY_INTEGRITY:
            return None
        words.update(auth_algo=SCAPY_INTEGRITY[sa.authenticator.algorithm], auth_key=sa.authenticator_key.reveal())
    tunnel = IP(src="192.0.2.1", dst="192.0.2.2")
    peer = SecurityAssociation(ESP if sa.cipher else AH, spi=sa.spi, tunnel_header=tunnel, **words)
    least, end = float("inf"), time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        peer.decrypt(IP(bytes(peer.encrypt(IP(packet)))))
        least = min(least, time.perf_counter() - begin)
    return 1 / least


def _gbit(rate: float, size: int) -> str:
    return f"{rate * size * 8 / 1e9:.2f}"


HEADINGS = (
    "suite", "octets", "seal, kpps", "open, kpps", "seal, Gbit/s", "open, Gbit/s", "both, kpps", "bare both, kpps",
    "of bare", "scapy both, kpps", "× scapy", "engine out", "engine in", "engine both, kpps", "engine × scapy",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    bare = None if row.of_bare is None else row.both / row.of_bare
    return (
        row.suite, str(row.size), f"{row.seal / 1e3:.0f}", f"{row.open / 1e3:.0f}", _gbit(row.seal, row.size),
        _gbit(row.open, row.size), f"{row.both / 1e3:.0f}", "–" if bare is None else f"{bare / 1e3:.0f}",
        "–" if row.of_bare is None else f"{row.of_bare:.0%}", "–" if row.scapy is None else f"{row.scapy / 1e3:.2f}",
        "–" if row.scapy is None else f"{row.both / row.scapy:.0f}", f"{row.engine_out / 1e3:.0f}",
        f"{row.engine_in / 1e3:.0f}", f"{row.engine / 1e3:.0f}",
        "–" if row.scapy is None else f"{row.engine / row.scapy:.0f}",
    )  # fmt: skip


def table(rows: list[Row]) -> str:
    """As markdown, which people can read as well."""
    lines = [HEADINGS, *map(cells, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]

    def line(words: tuple[str, ...]) -> str:
        first, *rest = zip(words, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(word.rjust(width) for word, width in rest)]) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if not place else ":") for place, width in enumerate(widths)) + "|"
    return "\n".join([line(HEADINGS), rule, *map(line, map(cells, rows))])


def write_into(path: Path, text: str, begin: str = BEGIN) -> None:
    """Replace what stands in ``path`` between the mark ``begin`` and the next end."""
    before, _, rest = path.read_text().partition(begin)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{begin}\n{text}\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    rows = [measure(suite, size, options.turns) for suite in (QUICK if options.quick else SUITES) for size in SIZES]
    text = table(rows)
    print(text)
    if options.markdown:
        write_into(options.markdown, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
