# SPDX-License-Identifier: Apache-2.0
"""The vectors of RFC 2759 §9.2 and RFC 3079 §3.5.3."""

from ringfence.crypto.mschap import (
    Challenges,
    authenticator_response,
    nt_hash,
    nt_response,
    same_text,
    session_key,
)

CHALLENGES = Challenges(
    bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628"), bytes.fromhex("21402324255E262A28295F2B3A337C7E"), b"User"
)
RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")


def test_the_published_exchange():
    key = nt_hash("clientPass")
    assert key.reveal() == bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
    assert CHALLENGES.hash == bytes.fromhex("D02E4386BCE91226")
    assert nt_response(CHALLENGES, key) == RESPONSE
    assert authenticator_response(CHALLENGES, key, RESPONSE) == "S=407A5589115FD0D6209F510FE9C04566932CDA56"
    assert session_key(key, RESPONSE).reveal()[16:32] == bytes.fromhex("8B7CDC149B993A1BA118CB153F56DCCB")


def test_a_domain_before_the_name_does_not_count():
    with_domain = Challenges(CHALLENGES.authenticator, CHALLENGES.peer, b"CORP\\User")
    assert with_domain.hash == CHALLENGES.hash


def test_proofs_compare_as_texts():
    assert same_text("S=1", "S=1")
    assert not same_text("S=1", "S=2")
