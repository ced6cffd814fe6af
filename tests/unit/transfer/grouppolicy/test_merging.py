# SPDX-License-Identifier: Apache-2.0
"""A policy put into a Group Policy object that has other settings."""

import pytest
from unit.transfer.grouppolicy.objects import instructions, vector

from ringfence.errors import IpsecError
from ringfence.policy.document import parse
from ringfence.transfer.grouppolicy.exporting import write_file
from ringfence.transfer.grouppolicy.importing import read_file
from ringfence.transfer.grouppolicy.merging import merge
from ringfence.transfer.grouppolicy.preg import Instruction, decode, encode, sz
from ringfence.transfer.grouppolicy.sets import BASE

OTHERS = [
    sz("Software\\Policies\\Other", "**delvals.", " "),
    Instruction("Software\\Policies\\Other", "Odd", 0x1234, b"\1\2\3"),
    *instructions({"ConSecRules": {"{theirs}": "v9.9|Action=DoNotSecure|Active=TRUE|Name=theirs|Future=1|"}}),
    *vector("specification"),
]
ONE = '[[rule]]\nname = "one"\nwith = "10.0.0.1"\nauth = "ntlm"\n'
TWO = (
    '[global]\nidle-time = "10 min"\nauth = "ntlm"\n[[rule]]\nname = "two"\nwith = "10.0.0.2"\nprotect = "ah sha256"\n'
)


def written(text: str) -> bytes:
    octets = write_file(parse(text, name="x"), {}).octets
    assert octets is not None
    return octets


def test_all_that_is_not_ours_stays_as_it_is() -> None:
    both = decode(merge(encode(OTHERS), written(ONE)))
    assert both[: len(OTHERS)] == tuple(OTHERS)
    assert both[len(OTHERS) :] == decode(written(ONE))


def test_what_we_wrote_before_goes() -> None:
    first = merge(encode(OTHERS), written(ONE))
    second = merge(first, written(TWO))
    assert second == merge(encode(OTHERS), written(TWO))
    assert merge(second, written(TWO)) == second
    names = [one.name for one in read_file(second, "x.pol").policy.rules]
    assert "two" in names
    assert "theirs" in names
    assert "one" not in names


def test_values_that_are_said_anew_take_the_place_of_others() -> None:
    old = encode(instructions({"": {"saidltime": 3600, "StrongCRLCheck": 2}}))
    found = decode(merge(old, written(TWO)))
    assert [one.number for one in found if one.value.lower() == "saidltime"] == [600]
    assert [one.number for one in found if one.value == "StrongCRLCheck"] == [2]


def test_default_sets_of_others_stay() -> None:
    found = decode(merge(encode(vector("domain-isolation")), written(ONE)))
    kept = [one for one in vector("domain-isolation") if one.value.startswith("{E5A5D32A")]
    assert set(kept) - set(found) == {one for one in kept if one.key.endswith(("Phase1CryptoSet", "Phase2CryptoSets"))}
    assert all(one in found for one in vector("domain-isolation") if one.key == f"{BASE}\\ConSecRules")


def test_what_is_no_such_file_is_not_added_to() -> None:
    with pytest.raises(IpsecError, match="can be added to"):
        merge(b"something else", written(ONE))
