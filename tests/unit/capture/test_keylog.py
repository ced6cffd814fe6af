# SPDX-License-Identifier: Apache-2.0
"""The files of the key log; whether Wireshark understands them is tried in tests/interop/test_tshark_keylog.py."""

from pathlib import Path

from ringfence.capture.keylog import KeyLog, esp_line, ike_v2_line
from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.secret import Secret
from ringfence.testing.associations import AH_SUITES, esp_suite, make_sa

GCM = make_sa(esp_suite(Encryption.AES_GCM_16))
COOKIE, KEY = bytes.fromhex("0011223344556677"), Secret(bytes(range(32)))


def child(number: int = 1) -> ChildSa:
    return ChildSa(number, 0, "e", Selector.between("192.0.2.1", "192.0.2.2"), (GCM,), ())


def test_a_main_mode_is_a_line(tmp_path: Path) -> None:
    log = KeyLog(tmp_path / "keys")
    log.ike(COOKIE, KEY)
    log.ike(COOKIE, KEY)
    main_modes, _, _ = log.files
    assert main_modes.read_text() == f"0011223344556677,{bytes(range(32)).hex()}\n"


def test_an_sa_is_a_line(tmp_path: Path) -> None:
    log = KeyLog(tmp_path)
    log.child(child())
    _, _, esp = log.files
    key = GCM.cipher_key.reveal().hex()
    assert esp.read_text() == (
        f'"IPv4","192.0.2.1","192.0.2.2","0x00001001","AES-GCM with 16 octet ICV [RFC4106]","0x{key}","NULL",""\n'
    )
    assert len(GCM.cipher_key) == 36


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    log = KeyLog(tmp_path / "keys")
    log.ike(COOKIE, KEY)
    log.child(child())
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in log.files if path.exists()} == {0o600}


def test_a_restart_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        log = KeyLog(tmp_path)
        log.ike(COOKIE, KEY)
        log.child(child())
    log.child(child(2))
    assert [len(path.read_text().splitlines()) for path in log.files if path.exists()] == [1, 1]
    assert (tmp_path / "preferences").read_text() == "esp.enable_encryption_decode: TRUE\n"


def test_the_preferences_of_a_user_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "preferences").write_text("gui.x: 1\n")
    KeyLog(tmp_path)
    assert (tmp_path / "preferences").read_text() == "gui.x: 1\n"


def test_integrity_that_wireshark_does_not_know_is_not_checked() -> None:
    line = esp_line(make_sa(esp_suite(Encryption.AES_CBC, Integrity.AES_CMAC_96)))
    assert line is not None
    assert line.endswith('"ANY 96 bit authentication [no checking]",""')


def test_what_it_cannot_decrypt_is_left_out() -> None:
    assert esp_line(make_sa(AH_SUITES[0])) is None
    assert esp_line(make_sa(esp_suite(Encryption.CHACHA20_POLY1305))) is None


def test_an_ike_sa_of_ikev2_is_a_line(tmp_path: Path) -> None:
    log = KeyLog(tmp_path)
    spis, keys = (COOKIE, bytes(8)), tuple(Secret(bytes([number])) for number in range(4))
    log.ike_v2(spis, Cipher(Encryption.AES_CBC, 256), Authenticator(Integrity.HMAC_SHA256_128), keys)
    log.ike_v2(spis, Cipher(Encryption.CHACHA20_POLY1305, 256), None, keys)
    _, table, _ = log.files
    assert table.read_text() == (
        '0011223344556677,0000000000000000,00,01,"AES-CBC-256 [RFC3602]",02,03,"HMAC_SHA2_256_128 [RFC4868]"\n'
    )
    line = ike_v2_line(spis, Cipher(Encryption.AES_GCM_16, 128), None, keys)
    assert line is not None
    assert line.endswith('02,03,"NONE [RFC4306]"')
