# SPDX-License-Identifier: Apache-2.0
"""Rules in the words of netsh, and what these cannot say."""

import pytest

from ringfence.policy.document import parse
from ringfence.transfer.base import Exported
from ringfence.transfer.netsh.exporting import write_script
from ringfence.transfer.netsh.importing import read_script

RULE = '[[rule]]\nname = "r"\nwith = "10.0.0.0/8"\nauth = "kerberos"\n'


def of(text: str) -> Exported:
    found = write_script(parse(text, name="p.toml"), {})
    if "advfirewall" in found.text:
        assert all("answers" in one.why for one in read_script(found.text, "x").left_out)
    return found


def whys(found: Exported) -> list[str]:
    return [f"{one.place} {one.words}: {one.why}" for one in found.left_out]


def test_all_terms_are_said() -> None:
    found = of(RULE)
    assert "qmsecmethods=esp:aesgcm256-aesgcm256+60min+2147483647kb," in found.text
    assert "advfirewall set global mainmode mmsecmethods ecdhp256:aes256-sha256," in found.text
    assert "ipsecthroughnat serverandclientbehindnat" in found.text
    assert whys(found) == [], "nobody asked for x25519"
    said = of(RULE + '[global]\nmain-mode = { methods = ["aes256-sha256-x25519", "aes128-sha1-modp2048"] }\n')
    assert [why.partition(": ")[2] for why in whys(said)] == ["netsh knows no x25519 in main mode"]
    assert "endpoint1=any endpoint2=10.0.0.0/8 action=requireinrequireout" in found.text


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('allow = { computers = "db1" }\n', "whom a rule lets in"),
        ('keying = ["ikev1"]\n', "the protocol that negotiates"),
        ('identity = { local = "a.example" }\n', "identities"),
        ('interfaces = ["dev eth0"]\n', "interfaces by other names"),
        ('traffic = "tcp to 5-9"\n', "ranges of ports in exemptions only"),
        ('traffic = "icmp 8"\n', "no types of ICMP"),
        ('protect = ["esp aes256-ccm"]\n', "none of its methods"),
        ('pfs = "x25519"\n', "second key exchange"),
        ('secure = { in = "none", out = "require" }\n', "has no rule that is"),
    ],
)
def test_rules_that_windows_does_not_know(more: str, why: str) -> None:
    found = of(RULE + more)
    assert "consec" not in found.text
    assert any(why in one and one.startswith("p.toml:1 rule") for one in whys(found)), whys(found)


def test_names_and_own_addresses() -> None:
    assert any("is a name" in why for why in whys(of(RULE.replace("10.0.0.0/8", "a.example"))))
    assert "endpoint2=localsubnet " in of(RULE.replace("10.0.0.0/8", "local-subnet")).text
    both = '[[rule]]\nname = "r"\nbetween = [["me", "10.0.0.1"], "any"]\nsecure = "none"\n'
    assert any("own addresses" in why for why in whys(of(both)))
    assert any('takes "all"' in why for why in whys(of(RULE.replace('"r"', '"all"'))))


def test_several_kinds_of_traffic_are_several_rules() -> None:
    found = of(
        RULE + 'traffic = ["tcp to 80", "udp 53"]\nprotect = ["esp aes128-sha1", "esp aes128-sha384"]\n'
        'lifetime = "90 s"\n'
    )
    assert [
        line.partition("name=")[2].split(" endpoint")[0] for line in found.text.splitlines() if "consec" in line
    ] == [
        '"r"',
        '"r (2)"',
        '"r (3)"',
    ]
    assert any("whole minutes" in why for why in whys(found))
    assert any("esp aes128-sha384" in why for why in whys(found))


def test_filters() -> None:
    text = '[[filter]]\nname = "f"\nwith = "10.0.0.1"\n'
    found = of(text + 'block = ["tcp to 23", "icmp 8"]\n')
    assert [line.split(" name=")[1] for line in found.text.splitlines() if "firewall add" in line] == [
        '"f" dir=in action=block localip=any remoteip=10.0.0.1 protocol=tcp remoteport=23',
        '"f" dir=out action=block localip=any remoteip=10.0.0.1 protocol=tcp remoteport=23',
        '"f" dir=in action=block localip=any remoteip=10.0.0.1 protocol=icmpv4:8,any',
        '"f" dir=out action=block localip=any remoteip=10.0.0.1 protocol=icmpv4:8,any',
    ]
    assert "action=noauthentication" in of(text + 'permit = "udp to 53"\n').text
    assert any("both directions" in why for why in whys(of(text + 'permit = "udp to 53"\nmirrored = false\n')))
    assert any("either end" in why for why in whys(of(text + 'block = "udp 53"\n')))


def test_what_windows_has_elsewhere() -> None:
    found = of(
        RULE + 'main-mode = { sessions = 1 }\n[[packet-filter]]\nname = "p"\ndirection = "in"\n'
        'filters = ["any tcp -> me:25"]\n'
        '[profile.domain]\nnetworks = ["10.0.0.0/8"]\n'
    )
    assert [why.partition(": ")[0].partition(" ")[2] for why in whys(found)] == [
        'main-mode of "r"', 'packet filter "p"', "[profile]",
    ]  # fmt: skip


def test_global_settings() -> None:
    text = (
        '[global]\npsk-encoding = "utf-16"\nlocal-rules = false\ntunnel-authorization = { computers = ["CORP\\\\x"] }\n'
    )
    found = of(text + 'main-mode = { methods = "aes256-sha512-modp4096" }\n')
    assert [why.partition(": ")[0].partition(" ")[2] for why in whys(found)] == [
        "[global] tunnel computers",
        '"aes256-sha512-modp4096" of main mode',
        "[global] main-mode",
        "[global] psk-encoding",
        "[global] local-rules",
    ]
