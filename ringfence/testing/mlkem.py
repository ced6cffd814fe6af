# SPDX-License-Identifier: Apache-2.0
"""ML-KEM from the text of FIPS 203, one function for each of its algorithms: slow, leaking time, and repeatable.

It is what tests compare the crypto library with, and what encapsulates where a seed is to repeat a whole exchange.
Never a key of value goes through it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha3_256, sha3_512, shake_128, shake_256

from ringfence.crypto.suites import DhGroup

N = 256
Q = 3329
ETA_2 = 2
Poly = list[int]


@dataclass(frozen=True, slots=True)
class Parameters:
    """A row of table 2."""

    k: int
    eta_1: int
    du: int
    dv: int


PARAMETERS = {
    DhGroup.ML_KEM_512: Parameters(2, 3, 10, 4),
    DhGroup.ML_KEM_768: Parameters(3, 2, 10, 4),
    DhGroup.ML_KEM_1024: Parameters(4, 2, 11, 5),
}


# Octets and numbers (§4.2.1) ---------------------------------------------------------------------------------------


def _encode(numbers: Poly, bits: int) -> bytes:
    """ByteEncode (algorithm 5)."""
    whole = sum(number << bits * place for place, number in enumerate(numbers))
    return whole.to_bytes(32 * bits, "little")


def _decode(octets: bytes, bits: int) -> Poly:
    """ByteDecode (algorithm 6), without the modulus."""
    whole = int.from_bytes(octets, "little")
    return [whole >> bits * place & (1 << bits) - 1 for place in range(N)]


def _compress(numbers: Poly, bits: int) -> Poly:
    return [((number << bits + 1) + Q) // (2 * Q) % (1 << bits) for number in numbers]


def _decompress(numbers: Poly, bits: int) -> Poly:
    return [(number * Q * 2 + (1 << bits)) >> bits + 1 for number in numbers]


# Sampling (§4.2.2) -------------------------------------------------------------------------------------------------


def _uniform(seed: bytes) -> Poly:
    """SampleNTT (algorithm 7)."""
    octets, found, place = shake_128(seed).digest(3 * 2 * N), Poly(), 0
    while len(found) < N:
        one, two, three = octets[place : place + 3]
        place += 3
        found += [each for each in (one + (two & 15) * 256, (two >> 4) + three * 16) if each < Q]
    return found[:N]


def _small(eta: int, seed: bytes, counter: int) -> Poly:
    """SamplePolyCBD (algorithm 8) of PRF (§4.1)."""
    whole = int.from_bytes(shake_256(seed + bytes([counter])).digest(64 * eta), "little")

    def ones(place: int) -> int:
        return (whole >> place & (1 << eta) - 1).bit_count()

    return [(ones(2 * eta * place) - ones(2 * eta * place + eta)) % Q for place in range(N)]


# The transform (§4.3) ----------------------------------------------------------------------------------------------


def _reversed(number: int) -> int:
    """The seven bits of a number in the other order."""
    return int(f"{number:07b}"[::-1], 2)


ZETAS = [pow(17, _reversed(number), Q) for number in range(N // 2)]
GAMMAS = [pow(17, 2 * _reversed(number) + 1, Q) for number in range(N // 2)]


def _ntt(f: Poly) -> Poly:
    """Algorithm 9."""
    f, number, length = [*f], 1, N // 2
    while length >= 2:
        for start in range(0, N, 2 * length):
            for place in range(start, start + length):
                moved = ZETAS[number] * f[place + length]
                f[place], f[place + length] = (f[place] + moved) % Q, (f[place] - moved) % Q
            number += 1
        length //= 2
    return f


def _back(f: Poly) -> Poly:
    """Algorithm 10."""
    f, number, length = [*f], N // 2 - 1, 2
    while length <= N // 2:
        for start in range(0, N, 2 * length):
            for place in range(start, start + length):
                one, other = f[place], f[place + length]
                f[place], f[place + length] = (one + other) % Q, ZETAS[number] * (other - one) % Q
            number -= 1
        length *= 2
    return [each * 3303 % Q for each in f]


def _times(f: Poly, g: Poly) -> Poly:
    """MultiplyNTTs (algorithms 11 and 12)."""
    h = Poly()
    for place, gamma in enumerate(GAMMAS):
        a, b, c, d = f[2 * place], f[2 * place + 1], g[2 * place], g[2 * place + 1]
        h += [(a * c + b * d * gamma) % Q, (a * d + b * c) % Q]
    return h


def _plus(*polynomials: Poly) -> Poly:
    return [sum(each) % Q for each in zip(*polynomials, strict=True)]


def _dot(one: list[Poly], other: list[Poly]) -> Poly:
    return _plus(*(_times(f, g) for f, g in zip(one, other, strict=True)))


# K-PKE (§5) --------------------------------------------------------------------------------------------------------


def _matrix(rho: bytes, k: int) -> list[list[Poly]]:
    return [[_uniform(rho + bytes([column, row])) for column in range(k)] for row in range(k)]


def _pieces(octets: bytes, size: int) -> Iterator[bytes]:
    return (octets[place : place + size] for place in range(0, len(octets), size))


def _pke_keys(p: Parameters, d: bytes) -> tuple[bytes, bytes]:
    """Algorithm 13."""
    seeds = sha3_512(d + bytes([p.k])).digest()
    rho, sigma = seeds[:32], seeds[32:]
    s = [_ntt(_small(p.eta_1, sigma, each)) for each in range(p.k)]
    e = [_ntt(_small(p.eta_1, sigma, p.k + each)) for each in range(p.k)]
    t = [_plus(_dot(row, s), error) for row, error in zip(_matrix(rho, p.k), e, strict=True)]
    return b"".join(_encode(each, 12) for each in t) + rho, b"".join(_encode(each, 12) for each in s)


def _pke_encrypt(p: Parameters, public: bytes, message: bytes, r: bytes) -> bytes:
    """Algorithm 14."""
    t = [_decode(each, 12) for each in _pieces(public[: 384 * p.k], 384)]
    matrix = _matrix(public[384 * p.k :], p.k)
    y = [_ntt(_small(p.eta_1, r, each)) for each in range(p.k)]
    e1 = [_small(ETA_2, r, p.k + each) for each in range(p.k)]
    columns = [[row[place] for row in matrix] for place in range(p.k)]
    u = [_plus(_back(_dot(column, y)), error) for column, error in zip(columns, e1, strict=True)]
    v = _plus(_back(_dot(t, y)), _small(ETA_2, r, 2 * p.k), _decompress(_decode(message, 1), 1))
    return b"".join(_encode(_compress(each, p.du), p.du) for each in u) + _encode(_compress(v, p.dv), p.dv)


def _pke_decrypt(p: Parameters, private: bytes, ciphertext: bytes) -> bytes:
    """Algorithm 15."""
    octets = 32 * p.du * p.k
    u = [_decompress(_decode(each, p.du), p.du) for each in _pieces(ciphertext[:octets], 32 * p.du)]
    v = _decompress(_decode(ciphertext[octets:], p.dv), p.dv)
    s = [_decode(each, 12) for each in _pieces(private, 384)]
    noise = _back(_dot(s, [_ntt(each) for each in u]))
    return _encode(_compress([(one - other) % Q for one, other in zip(v, noise, strict=True)], 1), 1)


# ML-KEM (§6) -------------------------------------------------------------------------------------------------------


def keys(group: DhGroup, seed: bytes) -> tuple[bytes, bytes]:
    """Encapsulation key and decapsulation key of d and z, 64 octets (algorithm 16)."""
    p = PARAMETERS[group]
    public, private = _pke_keys(p, seed[:32])
    return public, private + public + sha3_256(public).digest() + seed[32:]


def encapsulate(group: DhGroup, public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Ciphertext and secret (algorithm 17); raises ValueError for what is no encapsulation key (§7.2)."""
    p = PARAMETERS[group]
    numbers = [number for each in _pieces(public[: 384 * p.k], 384) for number in _decode(each, 12)]
    if len(public) != 384 * p.k + 32 or any(number >= Q for number in numbers):
        raise ValueError("no encapsulation key")
    seeds = sha3_512(message + sha3_256(public).digest()).digest()
    return _pke_encrypt(p, public, message, seeds[32:]), seeds[:32]


def decapsulate(group: DhGroup, private: bytes, ciphertext: bytes) -> bytes:
    """The secret (algorithm 18)."""
    p = PARAMETERS[group]
    own, public = private[: 384 * p.k], private[384 * p.k : 768 * p.k + 32]
    seal, z = private[768 * p.k + 32 : 768 * p.k + 64], private[768 * p.k + 64 :]
    message = _pke_decrypt(p, own, ciphertext)
    seeds = sha3_512(message + seal).digest()
    wrong = shake_256(z + ciphertext).digest(32)
    return seeds[:32] if _pke_encrypt(p, public, message, seeds[32:]) == ciphertext else wrong
