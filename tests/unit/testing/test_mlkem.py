# SPDX-License-Identifier: Apache-2.0
"""The tests' own ML-KEM gives the published answers (the known answers of C2SP and pyca, FIPS 203 as published)."""

from pathlib import Path

import cryptography_vectors
import pytest

from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.testing import mlkem

FOLDER = Path(cryptography_vectors.__file__).parent / "asymmetric" / "MLKEM"


def published(group):
    """Known answers of one parameter set, as octets by name."""
    text = (FOLDER / f"kat_{group.name.replace('_KEM', 'KEM')}.rsp").read_text()
    records = [dict(line.split(" = ") for line in block.splitlines() if " = " in line) for block in text.split("\n\n")]
    found = [
        {name: bytes.fromhex(value) for name, value in each.items() if name != "count"}
        for each in records
        if "z" in each
    ]
    assert found
    return found


@pytest.mark.parametrize("group", mlkem.PARAMETERS)
def test_published_answers(group):
    for known in published(group)[:3]:
        public, private = mlkem.keys(group, known["d"] + known["z"])
        assert (public, private) == (known["pk"], known["sk"])
        assert mlkem.encapsulate(group, public, known["msg"]) == (known["ct"], known["ss"])
        assert mlkem.decapsulate(group, private, known["ct"]) == known["ss"]
        assert mlkem.decapsulate(group, private, known["ct_n"]) == known["ss_n"] != known["ss"]
        sizes = len(public), len(known["ct"])
        assert sizes == (GROUPS[group].public_octets, GROUPS[group].answer_octets)


@pytest.mark.parametrize("wrong", [b"", bytes(1183), b"\xff" * 1184])
def test_what_is_no_key(wrong):
    with pytest.raises(ValueError, match="no encapsulation key"):
        mlkem.encapsulate(DhGroup.ML_KEM_768, wrong, bytes(32))
