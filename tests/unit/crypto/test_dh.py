# SPDX-License-Identifier: Apache-2.0
"""Diffie-Hellman against RFC 3526, 5903 and 7748, NIST's key agreement vectors, and arithmetic in the open."""

import tomllib
from pathlib import Path
from random import Random

import cryptography_vectors
import pytest

from ringfence.crypto.dh import GENERATOR, available, generate, prime, respond
from ringfence.crypto.errors import BadPublicValue
from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.errors import LegacyRefused
from ringfence.testing.nist import records

MODP = [group for group in DhGroup if group.name.startswith("MODP")]
ECP = [group for group in DhGroup if group.name.startswith("ECP")]
GIVEN = [group for group in DhGroup if not GROUPS[group].encapsulates]
"""Those where both sides do the same."""
RFC_5903 = tomllib.loads((Path(__file__).parents[2] / "vectors" / "ecdh.toml").read_text())["ecdh"]


def vectors(name: str) -> list[dict[str, str]]:
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        return list(records(lines))


def draws(*values: bytes):
    """A source of chance that gives these, and is asked for nothing else."""
    left = list(values)

    def random(octets: int) -> bytes:
        assert octets == len(left[0])
        return left.pop(0)

    return random


def test_the_primes_of_rfc_3526():
    published = {int(record["p"], 16) for record in vectors("asymmetric/DH/rfc3526.txt")}
    assert published == {prime(group) for group in MODP if group.value >= 5}


def probably_prime(number: int) -> bool:
    """Miller and Rabin's test."""
    odd, twos = number - 1, 0
    while not odd % 2:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29):
        power = pow(base, odd, number)
        if power not in (1, number - 1) and all(pow(power, 1 << i, number) != number - 1 for i in range(1, twos)):
            return False
    return True


@pytest.mark.parametrize("group", [DhGroup.MODP_768, DhGroup.MODP_1024])
def test_the_primes_of_rfc_2409(group):
    """Their form is given, and they are the first safe ones of it (§6)."""
    value = prime(group)
    assert f"{value:X}".startswith("F" * 16 + "C90FDAA2")
    assert f"{value:X}".endswith("F" * 16)
    assert value.bit_length() == GROUPS[group].public_octets * 8
    assert probably_prime(value)
    assert probably_prime(value // 2)


@pytest.mark.parametrize("group", MODP)
def test_modp_is_what_the_formula_says(group):
    """Also that all the exponent counts, and that a small value keeps its leading zeros."""
    random, octets, p = Random(group.value).randbytes, GROUPS[group].public_octets, prime(group)
    drawn = []
    pair = generate(group, lambda count: drawn.append(random(count)) or drawn[0], legacy=True)
    exponent = int.from_bytes(drawn[0]) | 1 << len(drawn[0]) * 8 - 1
    assert pair.public == pow(GENERATOR, exponent, p).to_bytes(octets)
    for value in (2, 3, 1 << 64, p - 2, int.from_bytes(random(octets)) % p):
        shared = pair.shared(value.to_bytes(octets))
        assert shared.reveal() == pow(value, exponent, p).to_bytes(octets)


@pytest.mark.parametrize("case", RFC_5903, ids=lambda case: case["source"])
def test_rfc_5903(case):
    pair = generate(DhGroup[case["group"]], draws(bytes.fromhex(case["private"])))
    assert pair.public == bytes.fromhex(case["public"])
    assert pair.shared(bytes.fromhex(case["peer"])).reveal() == bytes.fromhex(case["shared"])


CURVES_OF_NIST = {"EC - SHA256": DhGroup.ECP_256, "ED - SHA384": DhGroup.ECP_384, "EE - SHA512": DhGroup.ECP_521}


def nist_cases(role: str):
    name = f"asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_{role}.fax"
    with cryptography_vectors.open_vector_file(name, "r") as file:
        lines = file.read().splitlines()
    for heading, group in CURVES_OF_NIST.items():
        start = lines.index(f"[{heading}]") + 1
        end = next((i for i in range(start, len(lines)) if lines[i].startswith("[")), len(lines))
        octets = GROUPS[group].public_octets // 2
        for record in records(lines[start:end]):
            yield group, octets, record


@pytest.mark.parametrize("role", ["init", "resp"])
def test_nist_key_agreement(role):
    """Values outside the group are refused, as are none inside it; the secret is x of full width."""
    outcomes = {"P": 0, "F": 0}
    for group, octets, record in nist_cases(role):
        number = {name: int(record[name], 16) for name in ("dsiut", "qscavsx", "qscavsy")}
        peer = number["qscavsx"].to_bytes(octets) + number["qscavsy"].to_bytes(octets)
        pair = generate(group, draws(number["dsiut"].to_bytes(octets)))
        outcome = record["result"][0]
        if "CAVS's Public Key" in record["result"] or "Q_A" in record["result"]:
            with pytest.raises(BadPublicValue):
                pair.shared(peer)
        elif outcome == "P":
            assert pair.shared(peer).reveal() == int(record["z"], 16).to_bytes(octets)
        outcomes[outcome] += 1
    assert all(outcomes.values())


def test_rfc_7748():
    tried = 0
    for record in vectors("asymmetric/X25519/rfc7748.txt"):
        if "input_scalar" in record:
            tried += 1
            pair = generate(DhGroup.CURVE25519, draws(bytes.fromhex(record["input_scalar"])))
            assert pair.shared(bytes.fromhex(record["input_u"])).reveal().hex() == record["output_u"]
    assert tried >= 3


@pytest.mark.parametrize("group", GIVEN)
def test_two_agree_and_a_seed_repeats(group):
    one, other = (generate(group, Random(seed).randbytes, legacy=True) for seed in (1, 2))
    assert one.public != other.public
    assert len(one.public) == GROUPS[group].public_octets
    assert one.shared(other.public) == other.shared(one.public)
    assert len(one.shared(other.public)) == GROUPS[group].public_octets // (2 if group in ECP else 1)
    assert generate(group, Random(1).randbytes, legacy=True).public == one.public
    assert repr(one) == f"KeyPair({group.name})"


@pytest.mark.parametrize("group", GIVEN)
def test_what_is_no_value_is_refused(group):
    octets = GROUPS[group].public_octets
    pair = generate(group, Random(3).randbytes, legacy=True)
    bad = [b"", b"\2" * (octets - 1), b"\2" * (octets + 1), bytes(octets)]
    if group in MODP:
        bad += [number.to_bytes(octets) for number in (1, prime(group) - 1, prime(group), prime(group) + 2)]
        bad.append(b"\xff" * octets)
    elif group in ECP:
        bent = bytearray(pair.public)
        bent[-1] ^= 1
        bad += [bytes(bent), b"\xff" * octets]
    else:
        bad.append((1).to_bytes(32, "little"))
    for value in bad:
        with pytest.raises(BadPublicValue):
            pair.shared(value)


def test_a_scalar_lies_below_the_order():
    """Too large and zero are drawn again, and 521 bits come out of 528."""
    last = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550")
    order = (int.from_bytes(last) + 1).to_bytes(32)
    wanted = generate(DhGroup.ECP_256, draws(last)).public
    assert generate(DhGroup.ECP_256, draws(bytes(32), order, b"\xff" * 32, last)).public == wanted
    two = generate(DhGroup.ECP_521, draws((2).to_bytes(66))).public
    assert generate(DhGroup.ECP_521, draws(b"\xff" * 66, b"\xfe" + (2).to_bytes(65))).public == two


def test_weak_groups_are_for_who_asks():
    for group in GIVEN:
        if GROUPS[group].legacy:
            with pytest.raises(LegacyRefused):
                generate(group, Random(1).randbytes)
        else:
            generate(group, Random(1).randbytes)


@pytest.mark.parametrize("group", [each for each in DhGroup if available(each)])
def test_a_responder_answers_with_what_the_initiator_reads(group):
    half = generate(group, Random(1).randbytes, legacy=True)
    public, secret = respond(group, half.public, Random(2).randbytes, legacy=True)
    assert half.shared(public) == secret
    assert len(public) == (GROUPS[group].answer_octets or GROUPS[group].public_octets)
    for wrong in (half.public[1:], half.public + b"x"):
        with pytest.raises(BadPublicValue):
            respond(group, wrong, Random(2).randbytes, legacy=True)
    with pytest.raises(BadPublicValue):
        half.shared(public + b"x")


def test_numbers_above_the_modulus_are_no_encapsulation_key():
    """FIPS 203 §7.2 wants that checked."""
    with pytest.raises(BadPublicValue):
        respond(DhGroup.ML_KEM_768, b"\xff" * 1184, Random(2).randbytes)


def test_what_the_library_has():
    assert [each for each in DhGroup if not available(each)] == [DhGroup.ML_KEM_512]
