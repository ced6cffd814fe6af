# SPDX-License-Identifier: Apache-2.0
"""Settings of connections: what becomes of each."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.terms import Certificate
from ringfence.transfer.base import Imported
from ringfence.transfer.ipsecconf.importing import read_conf


def read(*lines: str, strongswan: bool = False) -> Imported:
    dialect = "keyexchange=ikev1" if strongswan else "ikev2=no"
    body = "".join(f"\t{line}\n" for line in ("left=192.0.2.1", "right=192.0.2.2", "authby=secret", dialect, *lines))
    return read_conf(f'conn x\n{body}: PSK "quite secret"\n', "x", "left")


def rule(*lines: str, strongswan: bool = False) -> Rule:
    found = read("auto=route", *lines, strongswan=strongswan or any(line.startswith("leftauth") for line in lines))
    assert not found.left_out, found.left_out
    (only,) = found.policy.rules
    return only


def test_versions() -> None:
    assert rule().keying == (KeyModule.IKEV1,)
    assert rule("ikev2=insist").keying == (KeyModule.IKEV2,)
    assert rule("ikev2=permit").keying == ()


def test_perfect_forward_secrecy() -> None:
    assert rule().pfs is True
    assert rule("pfs=no").pfs is False
    assert rule("pfsgroup=modp3072").pfs is DhGroup.MODP_3072
    assert rule("phase2alg=aes256-sha1;modp4096").pfs is DhGroup.MODP_4096
    assert rule("leftauth=psk", "esp=aes256-sha1", strongswan=True).pfs is None
    assert "no such group" in read("pfsgroup=modp1").left_out[0].why


def test_lifetimes() -> None:
    found = rule("salifetime=45m", "ikelifetime=1h", "lifebytes=1000000")
    assert found.lifetime == Limits(2700, 1_000_000)
    assert found.main_mode is not None
    assert found.main_mode.lifetime_s == 3600
    assert [one.words for one in read("keylife=soon", "lifebytes=many").left_out] == ["keylife=soon", "lifebytes=many"]


def test_methods() -> None:
    assert list(map(str, rule("phase2=ah", "phase2alg=sha2_256", "esn=yes").protect)) == ["ah sha256 esn"]
    main_mode = rule("ike=aes128-sha1").main_mode
    assert main_mode is not None
    assert list(map(str, main_mode.methods)) == ["aes128-sha1-modp2048"]
    assert "none of its proposals" in read("esp=camellia128-sha1").left_out[-1].why


def test_traffic() -> None:
    found = rule("type=transport", "leftprotoport=tcp/22", "rightprotoport=6", "leftsubnet=192.0.2.1/32")
    assert list(map(str, found.traffic)) == ["tcp from 22"]
    nets = rule("leftsubnets={10.1.0.0/16 10.3.0.0/16}", "rightsubnet=10.2.0.0/16[udp/53]", strongswan=True)
    assert (list(map(str, nets.local)), list(map(str, nets.traffic))) == (["10.1.0.0/16", "10.3.0.0/16"], ["udp to 53"])
    wrong = ["rightsubnet=vhost:%priv", "rightprotoport=tcp/none", "rightsubnet=here", "type=beet", "right=1.2.3.4/99"]
    for line in wrong:
        assert not read(line).policy.rules


def test_who_begins() -> None:
    assert [read(f"auto={word}").policy.rules[0].initiate for word in ("route", "add", "start", "ignore")] == [
        True, False, True, True,
    ]  # fmt: skip


def test_identities() -> None:
    assert str(rule("rightid=@sun").remote_identity) == "sun"
    assert rule("rightid=192.0.2.2", "leftid=%fromcert").remote_identity is None
    assert "known by its address" in read("auto=route", "rightid=%any").notes[0].why
    assert "rightid" in read("rightid=*@example.org").left_out[0].why


def test_certificates() -> None:
    found = rule("authby=rsasig", 'leftca="CN=Root"', "rightca=%same", 'leftid="CN=me"')
    assert found.auth == (Certificate("CN=Root"),)
    for lines in (("authby=rsasig",), ("authby=rsasig", "leftrsasigkey=0sAQ"), ("authby=never",)):
        assert not read(*lines).policy.rules
    assert "different ways" in read("leftauth=psk", "rightauth=pubkey").left_out[0].why
    assert "2 rounds" in read("leftauth=psk", "leftauth2=xauth").left_out[0].why


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("leftupdown=x", "no program"),
        ("nonsense=1", "no such setting"),
        ("compress=yes", "not compressed"),
        ("dpddelay=30s", "[global] dead-peer"),
        ("replay-window=a", "no number"),
        ("enable-tcp=fallback", "say tcp, and tcp-port"),
        ("tcp-remoteport=443", "say tcp, and tcp-port"),
    ],
)
def test_settings_that_are_left_out(line: str, why: str) -> None:
    assert why in read("auto=route", line).left_out[0].why


@pytest.mark.parametrize("line", ["compress=no", "dpddelay=0s", "dpdtimeout=0", "aggressive=no", "enable-tcp=no"])
def test_values_that_change_nothing_are_not_left_out(line: str) -> None:
    assert not read("auto=route", line).left_out


def test_windows() -> None:
    assert [rule(f"replay-window={size}").replay_window for size in (0, 8, 128)] == [0, 32, 128]
