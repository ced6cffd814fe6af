# SPDX-License-Identifier: Apache-2.0
"""The Puzzle Solution payload."""

from ringfence.ike.payload import decode_chain, encode_chain
from ringfence.ike.v2.payloads import REGISTRY
from ringfence.ike.v2.solution import SolutionPayload


def test_its_octets_are_the_keys_alone() -> None:
    first, octets = encode_chain([SolutionPayload(b"key1key2key3key4")])
    assert (first, octets) == (54, b"\0\0\0\x14key1key2key3key4")
    (found,) = decode_chain(first, octets, REGISTRY, most_padding=0)
    assert found == SolutionPayload(b"key1key2key3key4")
