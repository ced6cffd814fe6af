# SPDX-License-Identifier: Apache-2.0
"""Whole scripts: the documents that come of them, and what becomes of packets then."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.cli.transfer import document_of
from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.scope import Profile
from ringfence.secret import Secret
from ringfence.transfer.base import ImportFailed, decode_text
from ringfence.transfer.formats import named
from ringfence.transfer.powershell.importing import guess, read_script

VECTORS = sorted(path for path in Path("tests/vectors/powershell").iterdir() if path.suffix == ".ps1")
PACKET = re.compile(r'^# packet: (.*) (permitted|blocked|protected)(?: by "(.*)")?$', re.MULTILINE)
HOST = re.compile(r"^# host: (.*)$", re.MULTILINE)
ACTIONS = {"permitted": Action.BYPASS, "blocked": Action.DISCARD, "protected": Action.PROTECT}
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_document_of_a_script(path: Path) -> None:
    imported = read_script(decode_text(path.read_bytes()), path.name)
    powershell = named("powershell")
    assert powershell is not None
    document = document_of(path, powershell, imported)
    assert LICENCE + document == path.with_suffix(".toml").read_text()
    again = parse(document, name=path.name)
    assert again == imported.policy
    assert set(again.key_files) == set(imported.secrets)
    for text in imported.secrets.values():
        assert text.strip() not in document + str(imported.left_out) + str(imported.notes)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_what_becomes_of_packets(path: Path) -> None:
    text = decode_text(path.read_bytes())
    policy = read_script(text, path.name).policy
    keys = {file: Secret(file.encode()) for file in policy.key_files}
    packets = PACKET.findall(text)
    assert packets, "each script says what becomes of packets"
    for packet, word, rule in packets:
        flow, direction = parse_flow(packet)
        own = flow.source if packet.startswith("out") else flow.destination
        facts = HostFacts((own, *map(parse_address, HOST.findall(text))), profile=Profile.DOMAIN)
        answer = explain(compile_policy(policy, facts, keys), flow, direction)
        assert (packet, answer.action) == (packet, ACTIONS[word]), "\n".join(answer.lines())
        if rule:
            assert answer.entry is not None
            assert answer.entry.origin.rule == rule


def left(text: str) -> list[str]:
    return [f"{one.place} {one.words}: {one.why}" for one in read_script(text, "x.ps1").left_out]


def test_what_is_no_script() -> None:
    for text in ("", "Write-Host hello\n", "[[rule]]\nname = 1\n", "netsh ipsec static add policy name=x\n"):
        with pytest.raises(ImportFailed, match=r"x\.ps1:1: this is no script for IPsec") as failed:
            read_script(text, "x.ps1")
        assert failed.value.cure


def test_guess() -> None:
    assert guess("new-netipsecrule x\nGet-NetFirewallRule\n# nothing", "x") == 2
    assert guess("netsh advfirewall consec add rule name=x", "x") == 0


def test_windows_defaults_are_said() -> None:
    found = read_script("New-NetIPsecRule -DisplayName A -InboundSecurity Require -OutboundSecurity Request", "x.ps1")
    assert [one.words for one in found.notes] == [
        "rules without -Phase1AuthSet", "rules without -QuickModeCryptoSet"
    ]  # fmt: skip
    assert str(found.policy.settings.auth[0]) == "kerberos"
    assert not found.left_out


def test_a_rule_that_is_left_out_says_no_defaults() -> None:
    found = read_script(
        "New-NetIPsecRule -DisplayName A -InboundSecurity Require -OutboundSecurity Request -RemoteAddress Intranet",
        "x.ps1",
    )
    assert not found.notes
    assert not found.policy.settings.auth
    assert len(found.left_out) == 1
    assert "-RemoteAddress Intranet" in found.left_out[0].why


def test_sets_that_nobody_uses_are_kept_and_pairs_found_by_their_name() -> None:
    found = read_script(
        "$p = New-NetIPsecAuthProposal -Machine -Kerberos\n"
        "$u = New-NetIPsecAuthProposal -User -Ntlm\n"
        "New-NetIPsecPhase1AuthSet -DisplayName A -Proposal $p\n"
        "New-NetIPsecPhase2AuthSet -DisplayName A -Proposal $u\n"
        "New-NetIPsecPhase2AuthSet -DisplayName B -Proposal $u\n"
        "New-NetIPsecQuickModeCryptoSet -DisplayName Q -Proposal (New-NetIPsecQuickModeCryptoProposal -Encapsulation "
        "ESP -ESPHash SHA1 -Encryption None)\n"
        "New-NetIPsecMainModeCryptoSet -DisplayName M -Proposal (New-NetIPsecMainModeCryptoProposal)\n",
        "x.ps1",
    )
    assert [(one.name, len(one.first), len(one.second)) for one in found.policy.auth_sets] == [("A", 1, 1)]
    assert [one.name for one in found.policy.quick_mode_cryptos] == ["Q"]
    assert [one.words for one in found.notes] == ['NetIPsecPhase2AuthSet "B"']
    assert [one.words for one in found.left_out] == ['a proposal of "M"', 'NetIPsecMainModeCryptoSet "M"']


def test_what_is_said_is_in_the_order_of_lines() -> None:
    places = [
        line.split()[0] for line in left("Foo-Bar\nNew-NetIPsecRule -DisplayName A -RemoteAddress x\nwhile (1) {}")
    ]
    assert places == ["x.ps1:1", "x.ps1:2", "x.ps1:3"]


KEY = "Very$ecret'Key"


@pytest.mark.parametrize(
    "text",
    [
        "$k = 'Very$ecret''Key'\n$p = New-NetIPsecAuthProposal -Machine -PreSharedKey $k -Nonsense\n",
        "New-NetIPsecAuthProposal -Machine -PreSharedKey 'Very$ecret''Key' -replace 'a','b'\n",
        "$k = 'Very$ecret''Key' -replace 'a', 'b'\nNew-NetIPsecAuthProposal -Machine -PSK $k",
        "while (1) { New-NetIPsecAuthProposal -Machine -PSK 'Very$ecret''Key' }",
        "$p = New-NetIPsecAuthProposal -Machine -PreSharedKey 'Very$ecret''Key'\n"
        "New-NetIPsecPhase1AuthSet -DisplayName 'Very$ecret''Key' -Proposal $p -Foo",
        "New-NetIPsecAuthProposal -Machine -PreSharedKey Very`$ecret`'Key && foo",
    ],
)
def test_no_answer_shows_a_key(text: str) -> None:
    found = read_script(text, "x.ps1")
    assert found.left_out
    assert KEY not in str((found.left_out, found.notes))
    assert "ecret''Key" not in str((found.left_out, found.notes))


ODD = [
    "New-NetIPsecRule", " -DisplayName ", "A", "'", '"', "@'", "\n'@", "$(", "(", ")", "{", "}", "@{", "|", ",", "`",
    "<#", "#>", "#", "$x", " = ", "if", " -eq ", "foreach ($y in $x) ", "function f ", "f", ";", "-InboundSecurity x",
    "[", "]", ".Name", "try {", "catch", "param(", "::", "\u2013", "\u201c", "New-NetIPsecAuthProposal", "+=", "\n",
]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(ODD), max_size=40))
def test_no_text_is_too_odd(words: list[str]) -> None:
    read_script("Get-NetIPsecRule\n" + "".join(words), "x.ps1")


@pytest.mark.parametrize(
    "text",
    ["$a" + " + $a" * 5000, "$a" + ".b" * 5000, "$a = " * 5000 + "1", "!" * 5000 + "$a", "$a" + " -and $a" * 5000,
     "{" * 5000, "(" * 5000, "@{a=" * 5000, '"$(' * 5000, "if (1) {" * 5000, "[a]" * 5000 + "1", "," * 5000 + "1",
     "a | " * 5000 + "b", "1, " * 5000 + "2"],
)  # fmt: skip
def test_no_text_is_too_deep(text: str) -> None:
    read_script(f"Get-NetIPsecRule\n{text}\nGet-NetIPsecRule", "x.ps1")


def test_many_rules() -> None:
    text = '1..3000 | % { New-NetIPsecRule -DisplayName "Rule $_" -InboundSecurity Request -RemoteAddress 10.0.0.$_ }'
    found = read_script(text.replace("10.0.0.$_", "2001:db8::$_"), "x.ps1")
    assert len(found.policy.rules) == 3000
