# SPDX-License-Identifier: Apache-2.0
"""Settings of connections and children: what becomes of each."""

import pytest

from ringfence.databases.proposal import Limits
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.scope import Device
from ringfence.transfer.base import Imported
from ringfence.transfer.swanctl.importing import read_conf


def read(connection: str = "", child: str = "start_action = trap", local: str = "", remote: str = "") -> Imported:
    text = (
        "connections { x {\nlocal_addrs = 192.0.2.1\nremote_addrs = 192.0.2.2\n" + connection +
        "\nlocal { auth = psk\n" + local + " }\nremote { auth = psk\n" + remote + " }\nchildren { x {\n" + child +
        "\n} } } }\nsecrets { ike-k { secret = quite-secret } }\n"
    )  # fmt: skip
    return read_conf(text, "x.conf")


def rule(**words: str) -> Rule:
    found = read(**words)
    assert not found.left_out, found.left_out
    (only,) = found.policy.rules
    return only


def test_versions() -> None:
    assert rule().keying == ()
    assert rule(connection="version = 1").keying == (KeyModule.IKEV1,)
    assert rule(connection="version = 2").keying == (KeyModule.IKEV2,)
    assert "version is 3" in read(connection="version = 3").left_out[0].why


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("rekey_time = 1h", 3960), ("rekey_time = 1h\nover_time = 0", 3600), ("reauth_time = 2h", 7920),
        ("reauth_time = 2h\nrekey_time = 1h", 3600 + 720), ("over_time = 5m", None), ("rekey_time = 0", None),
    ],
)  # fmt: skip
def test_lifetime_of_main_mode(words: str, seconds: int | None) -> None:
    found = rule(connection=words).main_mode
    assert (None if found is None else found.lifetime_s) == seconds


def test_lifetimes() -> None:
    assert rule().lifetime is None
    assert rule(child="life_time = 30m\nrekey_time = 20m\nstart_action = trap").lifetime == Limits(1800)
    assert rule(child="rekey_time = 20m\nrekey_bytes = 1000000\nlife_packets = 5000").lifetime == Limits(
        1320, 1_100_000, 5000
    )
    wrong = read(child="life_bytes = many\nlife_time = long").left_out
    assert [one.words for one in wrong] == ["life_time = long", "life_bytes = many"]


def test_tunnels() -> None:
    found = rule(child="copy_df = no\ncopy_ecn = no\ncopy_dscp = no\ntfc_padding = 900\ninterface = eth1")
    assert found.tunnel == TunnelOptions(df=DfPolicy.CLEAR, ecn=False, copy_dscp=False)
    assert found.tfc_octets == 900
    assert found.scope.interfaces == (Device("eth1"),)


def test_replay_windows() -> None:
    windows = [rule(child=f"replay_window = {text}").replay_window for text in ("0", "8", "1024", "99999")]
    assert windows == [0, 32, 1024, 4096]
    assert rule().replay_window == 64


def test_who_begins() -> None:
    assert [rule(child=f"start_action = {word}").initiate for word in ("trap", "none", "start")] == [True, False, True]
    assert "traffic waits for it" in read(child="").notes[-1].why


def test_identities() -> None:
    found = rule(local="id = moon.example.org", remote="id = 192.0.2.2")
    assert str(found.local_identity) == "moon.example.org"
    assert found.remote_identity is None
    assert str(rule(remote="id = 192.0.2.9").remote_identity) == "192.0.2.9"
    assert "known by its address" in read(remote="id = %any").notes[0].why
    for word in ("*@example.org", '"C=CH, CN=sun"'):
        refused = read(remote=f"id = {word}")
        assert not refused.policy.rules
        assert "its remote id is" in refused.left_out[0].why


def test_settings_that_are_unknown_or_without_meaning_are_told() -> None:
    found = read(connection="nonsense = 1\nencap = no\nunique = replace", child="ipcomp = yes")
    assert [one.words.rpartition(", ")[2] for one in found.left_out] == [
        "nonsense = 1",
        "ipcomp = yes",
    ]
    assert any(one.words.endswith("unique = replace") for one in found.notes)


def test_sides_that_prove_otherwise() -> None:
    text = "connections { x { children { y { } }\n local { auth = psk }\n %s } }"
    for more, why in (
        ("remote { auth = pubkey }", "different ways"),
        ("remote { auth = eap }", "users are not carried over"),
        ("remote-1 { auth = psk }\nremote-2 { auth = psk }", "2 rounds"),
    ):
        found = read_conf(text % more, "x.conf")
        assert why in found.left_out[0].why
        assert not found.policy.rules
