# SPDX-License-Identifier: Apache-2.0
"""What would help."""

from datetime import UTC, datetime

import pytest

from ringfence.databases.comparison import Comparison, Terms, compare
from ringfence.databases.identity import Identity
from ringfence.ike.differences import compare_identity
from ringfence.ike.errors import Reason
from ringfence.service.advice import ADVICE, Known, advice
from ringfence.service.troubles import Failure

KNOWN = Known("10.0.0.9", 'rule "lab" (p.toml:2)', "lab.psk", "aes256-sha256-ecp256", "esp aes256-gcm")
NEVER_ENDS = {
    Reason.UNKNOWN_COOKIE, Reason.UNEXPECTED, Reason.USED_MESSAGE_ID, Reason.UNDECIPHERABLE, Reason.BAD_HASH,
    Reason.HALF_OPEN_LIMIT,
}  # fmt: skip
"""Reasons to ignore a message, after which a negotiation goes on as if it had not come."""
HARMLESS = {Reason.POLICY_CHANGED, Reason.SHUT_DOWN}


def told(reason: Reason, comparison: Comparison | None = None, exchange: str = "main mode") -> str:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return " ".join(advice(Failure(exchange, reason, False, "lab", "", comparison, at, at), KNOWN))


@pytest.mark.parametrize("reason", Reason)
def test_every_end_has_its_advice(reason: Reason) -> None:
    if reason in NEVER_ENDS | HARMLESS:
        assert reason not in ADVICE
        return
    if reason is not Reason.WRONG_IDENTITY:  # which is always compared
        assert told(reason)


def proposal(word: str, auth: str = "preshared key", *, weak: bool = False) -> Terms:
    parts = zip(("encryption", "hash", "key exchange"), word.split("-"), strict=True)
    return Terms((*parts, ("authentication", auth)), word, weak)


def test_the_smallest_change_of_a_proposal() -> None:
    theirs = proposal("aes128-sha1-modp1024", weak=True), proposal("aes256-sha1-modp2048")
    found = compare("main mode proposals", theirs, [proposal("aes256-sha256-modp2048")])
    assert told(Reason.NO_PROPOSAL, found) == (
        "On 10.0.0.9, allow aes256-sha256-modp2048. "
        'Or here, add "aes256-sha1-modp2048" to main-mode.methods of rule "lab" (p.toml:2).'
    )
    weak = told(Reason.NO_PROPOSAL, compare("x", theirs[:1], [proposal("aes256-sha256-modp2048")]))
    assert weak.endswith("which is weak and needs legacy = true.")
    nothing = told(Reason.NO_PROPOSAL, compare("x", [], [proposal("aes256-sha256-modp2048")]))
    assert nothing == "On 10.0.0.9, allow one of: aes256-sha256-ecp256."


def test_another_way_to_prove_oneself_is_no_matter_of_algorithms() -> None:
    ours = [proposal("aes256-sha256-modp2048")]
    words = told(Reason.NO_PROPOSAL, compare("x", [proposal("aes256-sha256-modp2048", "RSA signature")], ours))
    assert "proves itself by RSA signature, this computer by preshared key" in words
    assert "main-mode.methods" not in words


def method(word: str, group: str, mode: str) -> Terms:
    return Terms((("encryption", word), ("PFS group", group), ("mode", mode)), f"esp {word}")


def test_quick_mode_knows_groups_and_modes() -> None:
    def words(theirs: Terms, ours: Terms) -> str:
        return told(Reason.NO_PROPOSAL, compare("quick mode proposals", [theirs], [ours]), "quick mode")

    ours = method("aes256-gcm", "ecp256", "transport")
    pfs = words(method("aes256-gcm", "none", "transport"), ours)
    assert (
        pfs == 'On 10.0.0.9, set the PFS group to ecp256; it has none. Or here, pfs = false in rule "lab" (p.toml:2).'
    )
    assert "pfs = false" not in words(method("aes256-gcm", "modp2048", "transport"), ours)
    assert "tunnel" in words(method("aes256-gcm", "ecp256", "tunnel"), ours)
    assert 'add "esp aes128-gcm" to protect' in words(method("aes128-gcm", "ecp256", "transport"), ours)


def test_identity_key_and_traffic() -> None:
    found = compare_identity(Identity.parse("eve.lab"), Identity.parse("bob.lab"))
    assert 'identity.remote = "eve.lab"' in told(Reason.WRONG_IDENTITY, found)
    assert "let it call itself bob.lab" in told(Reason.WRONG_IDENTITY, found)
    assert "(here lab.psk)" in told(Reason.WRONG_KEY)
    assert "offers in main mode: aes256-sha256-ecp256." in told(Reason.PEER_REFUSED)
    assert "offers in quick mode: esp aes256-gcm." in told(Reason.PEER_REFUSED, exchange="quick mode")
    traffic = compare(
        "traffic",
        [Terms((("addresses here", "10.1.0.0/16"),))],
        [Terms((("addresses here", "10.1.0.0/24"),), "branch")],
    )
    words = told(Reason.WRONG_SELECTORS, traffic)
    assert 'let rule "branch" be about addresses here 10.1.0.0/16 as well' in words
    assert "protect no more than addresses here 10.1.0.0/24" in words
