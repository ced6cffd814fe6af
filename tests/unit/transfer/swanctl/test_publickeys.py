# SPDX-License-Identifier: Apache-2.0
"""Public keys without certificates, to strongSwan and from strongSwan and Libreswan."""

import pytest
from lab.authority import new_key

from ringfence.crypto.rawkeys import as_dns, as_openssh
from ringfence.crypto.signature import PrivateKey
from ringfence.policy.document import parse
from ringfence.policy.rawkeys import PublicKeys
from ringfence.transfer.ipsecconf.importing import read_conf as read_ipsec
from ringfence.transfer.swanctl.exporting import write_conf
from ringfence.transfer.swanctl.importing import read_conf

INFO = PrivateKey(new_key("rsa")).public_info
WORD = as_dns(INFO)
RULE = """
[[rule]]
name = "bob"
with = "192.0.2.2"
keying = ["ikev2"]
identity = {{ local = "alice.lab", remote = "bob.lab" }}
auth = {{ public-key = {}, key-file = "alice.key" }}
"""


def exported(key):
    return write_conf(parse(RULE.format(key), name="p.toml"), {})


def test_out_and_in_again():
    found = exported('"bob.pub"')
    [left] = found.left_out
    assert "/etc/swanctl/private" in left.why
    assert "/etc/swanctl/pubkey" in left.why
    again = read_conf(found.text, "x.conf")
    [rule] = again.policy.rules
    assert rule.auth == (PublicKeys((("", "bob.pub"),), "bob.key"),)
    assert [str(rule.local_identity), str(rule.remote_identity)] == ["alice.lab", "bob.lab"]
    assert any("bob.key" in one.cure for one in again.left_out)


def test_a_key_itself_has_to_become_a_file():
    found = exported(f'"{WORD}"')
    assert "pubkeys = peer.pub" in found.text
    assert WORD in found.left_out[0].why


@pytest.mark.parametrize(("key", "why"), [
    (f'"sha256:{"ab" * 32}"', "not its fingerprint"),
    ('{ "bob.lab" = "bob.pub" }', "by the connection's id"),
    ('{ "bob.lab" = "bob.pub", "carol.lab" = "carol.pub" }', "one public key"),
])  # fmt: skip
def test_what_strongswan_cannot_say(key, why):
    found = exported(key)
    assert "connections" not in found.text or "bob {" not in found.text
    assert any(why in one.why for one in found.left_out)


CONF = """
conn bob
\tleft=192.0.2.1
\tleftid=@alice.lab
\tright=192.0.2.2
\trightid=@bob.lab
\tauthby=rsasig
\tikev2=insist
\tauto=route
\t{}
"""


def test_libreswans_key_comes_in_as_it_is():
    found = read_ipsec(CONF.format(f"leftrsasigkey=0sAQ\n\trightrsasigkey={WORD}"), "x", "left")
    [rule] = found.policy.rules
    assert rule.auth == (PublicKeys((("", WORD),), "bob.key"),)
    assert any("bob.key" in one.cure for one in found.left_out)


def test_a_key_of_one_side_only_is_told():
    found = read_ipsec(CONF.format("leftrsasigkey=0sAQ"), "x", "left")
    assert found.policy.rules == ()
    assert any("not the other side's key" in one.why for one in found.left_out)


def test_a_key_may_stand_in_the_document():
    [rule] = parse(RULE.format(f'"{WORD}"'), name="p.toml").rules
    [auth] = rule.auth
    assert auth.keys == (("", WORD),)
    assert auth.public_files == ()
    assert str(auth) == f"public key {WORD[:20]}…"
    assert as_openssh(INFO)
