# SPDX-License-Identifier: Apache-2.0
"""Which format a file is in."""

import pytest

from ringfence.policy.document import parse
from ringfence.policy.model import Policy
from ringfence.transfer import formats
from ringfence.transfer.base import Format, Imported
from ringfence.transfer.netsh.exporting import write_script as to_netsh
from ringfence.transfer.powershell.exporting import write_script as to_powershell
from ringfence.transfer.swanctl.exporting import write_conf as to_swanctl


def test_most_lines_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(text: str, file: str) -> Imported:
        return Imported(Policy(name=file + text))

    a = Format("a", "A", lambda text, _: text.count("a"), read)
    b = Format("b", "B", lambda text, _: text.count("b"), read)
    silent = Format("c", "C", lambda text, _: 99)
    monkeypatch.setattr(formats, "FORMATS", (a, b, silent))
    assert formats.guess("abb", "x") is b
    assert formats.guess("aab", "x") is a
    assert formats.guess("ab", "x") is a
    assert formats.guess("zzz", "x") is None
    assert formats.named("B") is b
    assert formats.named("z") is None


def test_names_are_unique() -> None:
    names = [one.name for one in formats.FORMATS]
    assert len(names) == len(set(names))
    assert all(one.readable or one.write for one in formats.FORMATS)


EAP = '{ eap = "mschapv2", certificate = "CN=A", users-file = "u.toml" }'
POLICY = """
[[rule]]
name = "gateway"
with = "192.0.2.1"
secure = "require"
auth = {}
"""


@pytest.mark.parametrize("write", [to_netsh, to_powershell, to_swanctl])
def test_a_rule_for_users_is_left_out(write):
    made = write(parse(POLICY.format(EAP), name="p.toml"), {})
    assert any("gateway" in str(one) for one in made.left_out)
    assert "gateway" not in "".join(line for line in made.text.split("\n") if not line.startswith("#"))


@pytest.mark.parametrize("write", [to_netsh, to_powershell, to_swanctl])
def test_beside_another_way_only_users_are_left_out(write):
    made = write(parse(POLICY.format(f'[{{ certificate = "CN=A" }}, {EAP}]'), name="p.toml"), {})
    assert any("EAP mschapv2" in str(one) for one in made.left_out)
    assert "gateway" in made.text
    assert "mschapv2" not in "".join(line for line in made.text.split("\n") if not line.startswith("#"))


KEYS = '{ public-key = "bob.pub", key-file = "alice.key" }'


@pytest.mark.parametrize("write", [to_netsh, to_powershell])
def test_windows_has_no_public_keys_and_no_users_behind_computers_by_eap(write):
    """Nothing that is asked for is left out without a word, and no rule asks for less than it says."""
    made = write(parse(POLICY.format(f'[{{ certificate = "CN=A" }}, {KEYS}]'), name="p.toml"), {})
    assert any("public key" in str(one) for one in made.left_out)
    second = '{ certificate = "CN=A" }\nsecond-auth = { eap = "mschapv2", users-file = "u.toml" }'
    made = write(parse(POLICY.format(second), name="p.toml"), {})
    assert any("gateway" in str(one) for one in made.left_out)
    assert not [
        line for line in made.text.split("\n") if line.startswith(("New-NetIPsecRule", "advfirewall consec add"))
    ]
