# SPDX-License-Identifier: Apache-2.0
"""IPsec policies in the words of netsh, and what these cannot say."""

from ringfence.policy.document import parse
from ringfence.transfer.base import Exported
from ringfence.transfer.netsh.exporting import write_script
from ringfence.transfer.netsh.importing import read_script

HEAD = '[policy]\nname = "P"\nlegacy = true\n'
LIST = '[filter-list."L"]\nfilters = ["me <-> any"]\n'
RULE = '[[policy.rule]]\nfilter-list = "L"\nfilter-action = "Block"\n'


def of(text: str) -> Exported:
    return write_script(parse(text, name="p.toml"), {})


def whys(found: Exported) -> list[str]:
    return [f"{one.words}: {one.why}" for one in found.left_out]


def test_a_default_policy_is_written_whole() -> None:
    found = of(
        '[policy]\nbased-on = "Secure Server (Require Security)"\nlegacy = true\nauth = { psk-file = "k.psk" }\n'
    )
    assert 'qmsecmethods="ESP[3DES,SHA1]:100000k/900s ESP[3DES,MD5]' in found.text
    assert 'add filter filterlist="All ICMP Traffic" srcaddr=me dstaddr=any protocol=58 mirrored=yes' in found.text
    assert "set defaultrule" in found.text
    again = read_script(found.text, "x").policy.ipsec
    assert again is not None
    assert len(again.rules) == 3
    assert 'key file "k.psk": its key is not at hand; the script has a placeholder' in whys(found)


def test_methods_that_windows_does_not_know() -> None:
    action = '[filter-action."A"]\nnegotiate = "esp aes256-gcm"\n'
    found = of(HEAD + RULE.replace("Block", "A") + LIST + action)
    assert "add rule" not in found.text
    assert 'rule "L: A": "A" is left out, and so is what uses it' in whys(found)
    some = of(
        HEAD + RULE.replace("Block", "A") + LIST + '[filter-action."A"]\nnegotiate = ["esp aes256-gcm", "ah sha1"]\n'
    )
    assert 'qmsecmethods="AH[SHA1]' in some.text
    assert len([why for why in whys(some) if "esp aes256-gcm" in why]) == 1


def test_filters_that_windows_does_not_know() -> None:
    filters = (
        '[filter-list."L"]\nfilters = ["me tcp <-> any:5-9", "me icmp echo-request <-> any", "dns-servers <-> any"]\n'
    )
    found = of(HEAD + RULE + filters)
    assert "add filter " not in found.text
    assert len(whys(found)) >= 4


def test_the_local_subnet_has_no_word() -> None:
    found = of(HEAD + RULE + '[filter-list."L"]\nfilters = ["me <-> local-subnet"]\n')
    assert "add filter " not in found.text
    assert any("no word for the local subnet" in why for why in whys(found))


def test_a_tunnel_becomes_two_rules() -> None:
    rule = RULE.replace("Block", "A") + 'tunnel = { local = "192.0.2.1", remote = "192.0.2.2" }\nauth = "kerberos"\n'
    lists = '[filter-list."L"]\nfilters = ["10.1.0.0/16 <-> 10.2.0.0/16"]\n'
    action = '[filter-action."A"]\nnegotiate = "ah sha1"\npfs = "modp2048"\n'
    found = of(HEAD + rule + lists + action)
    again = read_script(found.text, "x")
    assert again.left_out == ()
    assert again.policy.ipsec is not None
    assert [one.tunnel for one in again.policy.ipsec.rules] == [bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1])]
    assert 'the PFS group of "A": netsh takes that of main mode' in whys(found)
    half = of(HEAD + rule.replace('local = "192.0.2.1", ', "") + lists + action)
    assert any("both ends" in why for why in whys(half))


def test_authentication_that_windows_does_not_know() -> None:
    rule = RULE.replace("Block", "A") + 'auth = { certificate = "CN=A", health = true }\n'
    found = of(HEAD + rule + LIST + '[filter-action."A"]\nnegotiate = "ah sha1"\n')
    assert "add rule" not in found.text
    assert any("none of its ways to authenticate" in why for why in whys(found))


def test_main_mode_in_minutes() -> None:
    found = of('[policy]\nname = "P"\nmain-mode = { lifetime = "90 s" }\nno-default-exempt = 0\n' + RULE + LIST)
    assert "mmlifetime=1 " in found.text
    assert "set config property=ipsecexempt value=0" in found.text
    assert "the seconds of main mode's lifetime: netsh takes minutes" in whys(found)
    assert not any("main mode:" in why for why in whys(found)), "who only blocks needs no main mode"
    action = '[filter-action."A"]\nnegotiate = "ah sha1"\n'
    asking = of('[policy]\nname = "P"\n' + RULE.replace("Block", "A") + LIST + action)
    assert whys(asking) == ["the methods of main mode: netsh ipsec knows none of them; Windows has its own"]
