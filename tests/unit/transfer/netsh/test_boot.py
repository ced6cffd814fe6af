# SPDX-License-Identifier: Apache-2.0
"""The boot mode of netsh ipsec, there and back."""

import pytest

from ringfence.databases.boot import BootMode
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.document import parse
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.boot import read_exemptions, read_mode, write_boot
from ringfence.transfer.netsh.importing import read_script
from ringfence.transfer.netsh.writing import Script

SET = "ipsec dynamic set config"


def settings(text: str) -> BootSettings:
    return parse(f"[boot]\n{text}", name="p").boot


def written(text: str) -> Script:
    script = Script({})
    write_boot(settings(text), script)
    return script


def test_a_script_is_read() -> None:
    found = read_script(
        f'{SET} bootmode block\n{SET} bootexemptions value="TCP:0:3389:inbound udp:0:53:outbound"\n', "x"
    )
    assert found.left_out == ()
    assert found.policy.boot == settings('mode = "block"\nexempt = ["in tcp to 3389", "out udp to 53"]')
    assert read_script(f"{SET} bootmode stateful\n{SET} bootexemptions none\n", "x").policy.boot == NO_BOOT
    permit = read_script(f"{SET} bootmode permit\n{SET} bootexemptions tcp:0:22:inbound\n", "x").policy.boot
    assert permit == settings('mode = "permit"'), "which exempts everything"
    wrong = read_script(f"{SET} bootmode never\n{SET} bootexemptions tcp:22\n", "x")
    assert [one.why.partition(" ")[0] for one in wrong.left_out] == ["bootmode", "the"]


def test_it_comes_back_as_it_was() -> None:
    text = 'mode = "block"\nexempt = ["in tcp to 22", "out udp from 68 to 67", "in icmp", "out protocol 47"]'
    script = written(text)
    assert script.lines == [
        f"{SET} property=bootmode value=block",
        f'{SET} property=bootexemptions value="TCP:0:22:inbound UDP:68:67:outbound ICMP:0:0:inbound 47:0:0:outbound"',
    ]
    assert script.left_out == []
    assert read_script("\n".join(script.lines), "x").policy.boot == settings(text)
    assert written("").lines == []


def test_what_netsh_has_no_words_for() -> None:
    script = written('exempt = ["tcp 22", "in tcp to 80-90", "in icmp echo-request"]\nafter-stop = "guard"')
    assert script.lines == [
        f'{SET} property=bootexemptions value="TCP:0:22:inbound TCP:0:22:outbound TCP:22:0:inbound TCP:22:0:outbound"'
    ]
    assert [one.words for one in script.left_out] == [
        '[boot] exempt "in tcp to 80-90"', '[boot] exempt "in icmp echo-request"', "[boot] after-stop",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "word", ["tcp:0:22", "tcp:0:22:both", "tcp:0:99999:inbound", "icmp:8:0:inbound", "x:0:0:inbound"]
)
def test_nonsense(word: str) -> None:
    with pytest.raises(Refused, match="not understood"):
        read_exemptions(word)


def test_modes() -> None:
    assert read_mode("permit") is BootMode.PERMIT
    with pytest.raises(Refused):
        read_mode("open")
