# SPDX-License-Identifier: Apache-2.0
"""Files of certificates and keys: what is read, what is an error with its cure, what is a warning."""

import pytest
from lab.authority import DAY, NOW, authority

from ringfence.policy.errors import PolicyError
from ringfence.stores.certificates import read_wallet
from ringfence.stores.file import FileStore

ROOT = authority()
MIDDLE = ROOT.issue("CN=Middle CA,O=Lab", ca=True)
ALICE = MIDDLE.issue()
DOCUMENT = """
[authority."CN=Lab CA, O=Lab"]
file = "ca.pem"
[certificate."alice"]
file = "alice.pem"
key-file = "alice.key"
"""


@pytest.fixture
def folder(tmp_path):
    ROOT.write(tmp_path, "ca")
    ALICE.write(tmp_path, "alice")
    (tmp_path / "alice.pem").write_bytes(ALICE.pem + MIDDLE.pem)
    return tmp_path


def load(folder, text=DOCUMENT, now=NOW):
    from ringfence.policy.document import parse_documents
    from ringfence.policy.source import Source

    sources = [Source.read(text, name="p.toml")]
    return read_wallet(parse_documents(sources), sources, lambda name: folder / name, now)


def wrong(folder, text=DOCUMENT):
    with pytest.raises(PolicyError) as caught:
        load(folder, text)
    return str(caught.value)


def test_everything_is_read(folder):
    read = load(folder)
    assert read.findings == []
    [own] = read.wallet.own
    assert own.chain == (ALICE.der, MIDDLE.der)
    assert read.wallet.authorities == {"CN=Lab CA, O=Lab": (ROOT.der,)}
    assert read.signers[own.id].public_info == own.leaf.public_info


def test_without_tables_nothing_is_read(tmp_path):
    assert load(tmp_path, "").wallet.own == ()


@pytest.mark.parametrize("text", [
    DOCUMENT.replace("alice.pem", "alice.p12").replace('key-file = "alice.key"', 'password-file = "pw"'),
    DOCUMENT.replace("alice.key", "alice.enc") + 'password-file = "pw"',
    DOCUMENT.replace("alice.pem", "both.pem").replace('key-file = "alice.key"', ""),
    DOCUMENT.replace("alice.pem", "leaf.pem") + 'chain = "middle.pem"',
    DOCUMENT.replace("alice.pem", "alice.der"),
])  # fmt: skip
def test_all_forms_are_read(folder, text):
    files = {"pw": b"lab\n", "alice.p12": ALICE.p12(b"lab"), "alice.enc": ALICE.key_pem(b"lab"), "leaf.pem": ALICE.pem,
             "both.pem": ALICE.pem + ALICE.key_pem(), "middle.pem": MIDDLE.pem, "alice.der": ALICE.der}  # fmt: skip
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
        (folder / name).chmod(0o600)
    [own] = load(folder, text).wallet.own
    assert own.chain[0] == ALICE.der


def test_a_key_that_others_may_read_is_an_error_with_its_cure(folder):
    (folder / "alice.key").chmod(0o640)
    said = wrong(folder)
    assert "open to its group" in said
    assert "chmod 600" in said
    assert "p.toml:6" in said


def test_a_key_of_another_certificate_is_an_error(folder):
    ROOT.issue().write(folder, "bob")
    assert "is not the key of CN=alice" in wrong(folder, DOCUMENT.replace("alice.key", "bob.key"))


def test_files_that_are_not_there_or_hold_something_else(folder):
    assert "There is no" in wrong(folder, DOCUMENT.replace("alice.key", "none.key"))
    (folder / "text.pem").write_text("nonsense")
    (folder / "text.pem").chmod(0o600)
    assert "is no certificate" in wrong(folder, DOCUMENT.replace("alice.pem", "text.pem"))
    assert "is no key" in wrong(folder, DOCUMENT.replace("alice.key", "text.pem"))
    assert "has no key" in wrong(folder, DOCUMENT.replace('key-file = "alice.key"', ""))
    (folder / "alice.enc").write_bytes(ALICE.key_pem(b"lab"))
    (folder / "alice.enc").chmod(0o600)
    assert "password-file" in wrong(folder, DOCUMENT.replace("alice.key", "alice.enc"))


def test_an_authority_is_called_as_its_certificate_is(folder):
    assert 'is the certificate of "CN=Lab CA,O=Lab"' in wrong(folder, DOCUMENT.replace("CN=Lab CA", "CN=Corp CA"))


@pytest.mark.parametrize(
    ("days", "says"), [(0, None), (340, "expires at"), (400, "expired at"), (-2, "not valid before")]
)
def test_what_ages_is_a_warning(folder, days, says):
    said = " ".join(map(str, load(folder, now=NOW + days * DAY).findings))
    assert says in said if says else said == ""


def test_what_is_weak_is_a_warning(folder):
    weak = ROOT.issue(kind="rsa1024")
    weak.write(folder, "alice")
    assert "1024 bits" in str(load(folder).findings[0])


def test_a_store_notices_that_a_file_changed(folder):
    (folder / "p.toml").write_text(DOCUMENT)
    store = FileStore(folder / "p.toml")
    loaded = store.load()
    assert loaded.wallet.own
    assert loaded.signers
    assert not store.changed()
    ALICE.write(folder, "alice")
    (folder / "alice.pem").write_bytes(ALICE.pem)
    assert store.changed()
