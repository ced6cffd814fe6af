# SPDX-License-Identifier: Apache-2.0
"""Files of keys without certificates: of a policy, and for people."""

import pytest
from lab.authority import authority, new_key

from ringfence.crypto.rawkeys import as_openssh, as_pem
from ringfence.crypto.signature import PrivateKey
from ringfence.policy.document import parse_documents
from ringfence.policy.errors import PolicyError
from ringfence.policy.source import Source
from ringfence.stores.certificates import read_wallet
from ringfence.stores.errors import StoreError
from ringfence.stores.rawkeys import public_of

ISSUED = authority().issue()
KEY = PrivateKey(ISSUED.key)
BOB = PrivateKey(new_key("ed25519")).public_info
DOCUMENT = """
[[rule]]
name = "bob"
with = "10.0.0.2"
secure = "require"
auth = { public-key = "bob.pub", key-file = "alice.key" }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "alice.key").write_bytes(ISSUED.key_pem())
    (tmp_path / "alice.enc").write_bytes(ISSUED.key_pem(b"secret"))
    (tmp_path / "pw").write_text("secret\n")
    for name in ("alice.key", "alice.enc", "pw"):
        (tmp_path / name).chmod(0o600)
    (tmp_path / "bob.pub").write_text(as_pem(BOB))
    return tmp_path


def load(folder, text=DOCUMENT):
    sources = [Source.read(text, name="p.toml")]
    return read_wallet(parse_documents(sources), sources, lambda name: folder / name)


def test_what_a_policy_names_is_read(folder):
    for text in (DOCUMENT, DOCUMENT.replace('"alice.key"', '"alice.enc", password-file = "pw"')):
        read = load(folder, text)
        [own] = read.wallet.keys.values()
        assert own.info == KEY.public_info
        assert read.wallet.public == {"bob.pub": BOB}
        assert read.signers[own.id].public_info == KEY.public_info


@pytest.mark.parametrize(("change", "words"), [
    (lambda folder: (folder / "alice.key").chmod(0o644), "is open to everybody"),
    (lambda folder: (folder / "alice.key").write_text("x"), "is no key"),
    (lambda folder: (folder / "alice.key").unlink(), "There is no"),
    (lambda folder: (folder / "bob.pub").write_text("x"), "is no public key"),
    (lambda folder: (folder / "bob.pub").unlink(), "There is no"),
    (lambda folder: (folder / "alice.key").write_bytes(ISSUED.key_pem(b"s")), "password-file"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(folder, change, words):
    change(folder)
    with pytest.raises(PolicyError) as caught:
        load(folder)
    assert words in str(caught.value)
    assert "p.toml:6" in str(caught.value)


def test_the_public_half_for_people(folder):
    assert public_of(folder / "alice.key") == KEY.public_info
    assert public_of(folder / "alice.enc", folder / "pw") == KEY.public_info
    assert public_of(folder / "bob.pub") == BOB
    (folder / "bob.ssh").write_text(as_openssh(BOB))
    assert public_of(folder / "bob.ssh") == BOB


@pytest.mark.parametrize(("name", "password", "words"), [
    ("none", None, "There is no"), ("alice.enc", None, "--password-file"), ("pw", None, "OpenSSH"),
    ("alice.enc", "bob.pub", "password is wrong"),
])  # fmt: skip
def test_why_not(folder, name, password, words):
    with pytest.raises(StoreError) as caught:
        public_of(folder / name, None if password is None else folder / password)
    assert words in f"{caught.value.message} {caught.value.cure}"
