# SPDX-License-Identifier: Apache-2.0
from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.lint import lint
from ringfence.testing.policies import compile_text, rule_text

ME = "10.77.0.1"
LAB = rule_text("lab", with_='"10.77.0.0/24"', secure='"request"')
SMB = '[[filter]]\nname = "smb"\npermit = "tcp to 445"\ndirection = "in"\nsecure = "encrypted"\n'
TO = "override-block = true\n"


def found(text: str) -> list[str]:
    told = lint(parse(text, name="p.toml"), compile_text(text, ME), HostFacts((parse_address(ME),)))
    return [str(one).partition("\n")[0] for one in told]


def test_a_filter_that_a_rule_serves_is_no_matter() -> None:
    assert found(LAB + SMB) == []
    narrow = rule_text("smb only", with_='"10.77.0.0/24"', traffic='"tcp from 445"')
    assert found(narrow + SMB) == [], "the rule is not shadowed by what the filter asks of it"
    assert found(narrow + SMB + 'with = "10.77.0.0/24"\n') == []


def test_a_filter_that_no_rule_serves_blocks() -> None:
    (one,) = found(SMB)
    assert one == (
        'p.toml:5: warning: filter "smb" permits nothing: no rule encrypts any of its traffic, and so it blocks it.'
    )
    readable = LAB + 'protect = ["esp null-sha256"]\n'
    assert "no rule encrypts" in found(readable + SMB)[0]
    assert found(readable + SMB.replace("encrypted", "authenticated")) == []
    assert found(SMB + "enabled = false\n") == ["p.toml: warning: no rule and no filter: everything is permitted."]


BLOCK = '[[filter]]\nname = "shut"\nblock = "tcp to 445"\nwith = "10.77.0.0/24"\n'


def test_a_bypass_for_everybody_or_for_nothing() -> None:
    out = SMB.replace('"in"', '"out"') + TO
    (one,) = found(LAB + BLOCK + out)
    assert one.endswith('filter "smb" lets whoever can authenticate pass every filter that blocks.')
    only = out + 'allow = { computers = ["admin.example"] }\n'
    assert found(LAB + BLOCK + only) == []
    (one,) = found(LAB + only)
    assert "passes no block" in one


def test_a_block_that_gives_way_is_no_hole_and_no_shadow() -> None:
    block = '[[filter]]\nname = "shut"\nblock = "tcp to 445"\ndirection = "in"\nwith = "10.77.0.0/24"\n'
    bypass = SMB + 'with = "10.77.0.0/24"\n' + TO + 'allow = { computers = ["admin.example"] }\n'
    assert found(LAB + block + bypass) == []


def test_a_more_specific_exemption_is_a_hole() -> None:
    open_ = '[[filter]]\nname = "open"\npermit = "tcp to 445"\ndirection = "in"\nwith = "10.77.0.9"\n'
    assert [one for one in found(LAB + SMB + open_) if 'filter "smb" does not secure' in one]
    host = rule_text("host", with_='"10.77.0.9"', secure='"request"')
    assert found(LAB + SMB + host) == [], "what a more specific rule protects is secured"
