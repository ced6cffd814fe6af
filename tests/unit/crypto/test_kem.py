# SPDX-License-Identifier: Apache-2.0
"""ML-KEM of the crypto library: published answers, and the tests' own implementation at the other end."""

from random import Random

import pytest
from unit.testing.test_mlkem import published

from ringfence.crypto import kem
from ringfence.crypto.suites import DhGroup
from ringfence.testing import mlkem
from ringfence.testing.random import SeededRandom

HERE = [group for group in mlkem.PARAMETERS if kem.available(group)]


def test_what_is_here():
    assert HERE == [DhGroup.ML_KEM_768, DhGroup.ML_KEM_1024]


@pytest.mark.parametrize("group", HERE)
def test_published_answers(group):
    for known in published(group):
        key = kem.Decapsulator(group, known["d"] + known["z"])
        assert key.public == known["pk"]
        assert key.decapsulate(known["ct"]) == known["ss"]
        assert key.decapsulate(known["ct_n"]) == known["ss_n"]


@pytest.mark.parametrize("group", HERE)
def test_the_other_end_may_be_another_implementation(group):
    random = Random(7)
    for _ in range(5):
        seed = random.randbytes(kem.SEED_OCTETS)
        public, private = mlkem.keys(group, seed)
        ciphertext, secret = kem.encapsulate(group, public, random.randbytes)
        assert mlkem.decapsulate(group, private, ciphertext) == secret.reveal()
        theirs, known = mlkem.encapsulate(group, public, random.randbytes(32))
        assert kem.Decapsulator(group, seed).decapsulate(theirs) == known
        again, other = kem.encapsulate(group, public, random.randbytes)
        assert again != ciphertext
        assert other != secret


def test_chance_that_encapsulates_repeats():
    public, _ = mlkem.keys(DhGroup.ML_KEM_768, bytes(64))
    first, second, third = (kem.encapsulate(DhGroup.ML_KEM_768, public, SeededRandom(seed)) for seed in "xxy")
    assert first == second != third


def test_what_is_not_here():
    with pytest.raises(kem.NotBuilt, match="no mlkem512"):
        kem.Decapsulator(DhGroup.ML_KEM_512, bytes(64))
    with pytest.raises(kem.NotBuilt):
        kem.encapsulate(DhGroup.ML_KEM_512, bytes(800), Random(1).randbytes)


def test_a_wrong_length_is_no_ciphertext():
    with pytest.raises(ValueError, match=r"1088|length|nvalid"):
        kem.Decapsulator(DhGroup.ML_KEM_768, bytes(64)).decapsulate(bytes(1087))
