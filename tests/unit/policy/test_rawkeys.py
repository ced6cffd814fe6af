# SPDX-License-Identifier: Apache-2.0
"""Keys without certificates in documents: what is understood and written again, what is wrong, what comes of it."""

import pytest

from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth
from ringfence.policy import document
from ringfence.policy.able import unable
from ringfence.policy.errors import PolicyError
from ringfence.policy.rawkeys import public_way
from ringfence.policy.terms import PublicKeys
from ringfence.policy.write import canonical

MARK = "ab" * 32
RULE = """
[[rule]]
name = "bob"
with = "10.0.0.2"
secure = "require"
keying = "ikev2"
auth = {}
"""


def parse(text):
    return document.parse(text, name="p.toml")


GOOD = {
    '{ public-key = "bob.pub", key-file = "alice.key" }': PublicKeys((("", "bob.pub"),), "alice.key"),
    f'{{ public-key = "sha256:{MARK}", key-file = "alice.key", password-file = "pw" }}': PublicKeys(
        (("", f"sha256:{MARK}"),), "alice.key", "pw"
    ),
    '{ public-key = { "bob.lab" = "bob.pub", "carol.lab" = "carol.pub" }, key-file = "alice.key" }': PublicKeys(
        (("bob.lab", "bob.pub"), ("carol.lab", "carol.pub")), "alice.key"
    ),
}


@pytest.mark.parametrize("text", GOOD)
def test_understood_and_written_again(text):
    policy = parse(RULE.format(text))
    assert policy.rules[0].auth == (GOOD[text],)
    assert parse(canonical(policy)).rules[0].auth == (GOOD[text],)


def test_a_fingerprint_is_read_with_colons_and_capitals():
    text = ":".join(["AB"] * 32)
    policy = parse(RULE.format(f'{{ public-key = "SHA256:{text}", key-file = "a" }}'))
    assert policy.rules[0].auth[0].keys == (("", f"sha256:{MARK}"),)


def test_our_own_key_alone_is_for_own_auth():
    text = RULE.format('{ certificate = "CN=Lab CA" }\nown-auth = { key-file = "alice.key" }')
    policy = parse(text)
    assert policy.rules[0].own_auth == (PublicKeys((), "alice.key"),)
    assert parse(canonical(policy)).rules[0].own_auth == policy.rules[0].own_auth


WRONG = {
    '{ key-file = "alice.key" }': "does not say|says not whose public key",
    '{ public-key = 5, key-file = "a" }': "has to be a file or a table",
    '{ public-key = {}, key-file = "a" }': "has to be a file or a table",
    '{ public-key = { "bob.lab" = 5 }, key-file = "a" }': "no file and no fingerprint",
    '{ public-key = { " " = "bob.pub" }, key-file = "a" }': "which is no name",
    '{ public-key = "sha256:abc", key-file = "a" }': "no fingerprint",
    '{ public-key = "bob.pub", password-file = "pw" }': "says not which key it opens",
    '{ public-key = "bob.pub", key-file = "a", name = "x" }': 'no setting "auth.name"',
    '[{ public-key = "a.pub", key-file = "a" }, { public-key = "b.pub", key-file = "a" }]': "public keys more than",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text):
    with pytest.raises(PolicyError, match=WRONG[text]):
        parse(RULE.format(text))


def test_own_auth_names_no_peers():
    with pytest.raises(PolicyError, match="own-auth does not name"):
        parse(RULE.format('{ psk-file = "k" }\nown-auth = { public-key = "bob.pub", key-file = "a" }'))


def test_who_has_no_key_of_his_own_is_told():
    [found] = unable(parse(RULE.format('{ public-key = "bob.pub" }')).rules[0])
    assert "none of this computer" in found.what
    assert not [*unable(parse(RULE.format('{ public-key = "bob.pub" }\nown-auth = { key-file = "a" }')).rules[0])]


def test_what_comes_of_it():
    own = {"alice.key": OwnKey("alice.key", b"alice")}
    public = {"bob.pub": b"bob"}
    said = PublicKeys((("bob.lab", "bob.pub"), ("", f"sha256:{MARK}"), ("", "missing.pub")), "alice.key")
    bob = KnownKey("bob.pub", b"bob", identity=Identity.parse("bob.lab"))
    mark = KnownKey(f"sha256:{MARK}", mark=bytes.fromhex(MARK))
    assert public_way(said, public, own) == PublicKeyAuth((bob, mark), own["alice.key"])
    assert public_way(PublicKeys((("", "missing.pub"),), "alice.key"), public, own) is None
    assert public_way(PublicKeys((), "alice.key"), public, own) == PublicKeyAuth((), own["alice.key"])
    assert public_way(PublicKeys((), "other.key"), public, own) is None
