# SPDX-License-Identifier: Apache-2.0
"""Scripts as commands."""

import pytest

from ringfence.transfer.base import LeftOut
from ringfence.transfer.netsh.script import Line, is_batch, read


def said(text: str) -> list[str]:
    """Each command as its words, what is left out as its reason in brackets, each with its line."""
    found = []
    for item in read(text, "a"):
        number = item.place.partition(":")[2]
        if isinstance(item, LeftOut):
            found.append(f"{number} [{item.why}]")
        else:
            found.append(f"{number} {'|'.join(map(str, item.words))}")
    return found


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("netsh a b", ["1 a|b"]),
        ("@netsh.exe a", ["1 a"]),
        (r'"C:\Windows\System32\netsh.exe" a', ["1 a"]),
        (r"%windir%\system32\netsh a", ["1 a"]),
        (r"C:\Users\me> netsh a", ["1 a"]),
        (r"PS C:\> netsh a", ["1 a"]),
        ("\n\nnetsh a ^\n  b ^\n c\nnetsh d", ["3 a|b|c", "6 d"]),
        ("netsh a ^", ["1 a"]),
        ("rem netsh x\n:: netsh y\n# z\n@REM w\nrem\nnetsh a", ["6 a"]),
        ("netsh a & netsh b && netsh c || netsh d", ["1 a", "1 b", "1 c", "1 d"]),
        ('netsh a="x & y" ^& z', ["1 a=x & y|&|z"]),
        ("netsh a >nul 2>&1", ["1 a"]),
        ('netsh a > "c:\\x y.txt"', ["1 a"]),
        ("netsh a b>out.txt", ["1 a|b>out.txt"]),
        ("(netsh a)", ["1 a"]),
        ('netsh a="b > c ^& d!" 100%% !X!', ["1 a=b > c ^& d!|100%|!X!"]),
        ("echo netsh is fine\npause\nnetsh a\ngoto x\n:x", ["3 a"]),
        ("sc stop x & netsh a", ["1 [it is no command of netsh, and nothing of it is brought along]", "1 a"]),
        ('set A=1\nset "B=2 3"\nset /a C=4\nnetsh %A% "%b%"',
         ["3 [it is no command of netsh, and nothing of it is brought along]", "4 1|2 3"]),
        ("set A=%X%\nnetsh %A%", ["2 [nobody knows here what %A% stands for]"]),
        ("setlocal EnableDelayedExpansion\nnetsh %1 %~2 %* !X!",
         ["2 [nobody knows here what %1, %~2, %*, !X! stands for]"]),
        ("for %%I in (a, b) do netsh %%I x", ["1 a|x", "1 b|x"]),
        ("for %i in (a) do @netsh %i", ["1 a"]),
        ("for %%I in (a b) do (\n netsh %%I\n netsh z\n)\nnetsh e", ["2 a", "3 z", "2 b", "3 z", "5 e"]),
        ("for %%I in (a b) do (netsh %%I)", ["1 a", "1 b"]),
        ("for %%I in (a) do (\n for %%J in (b c) do (\n netsh %%I %%J\n )\n)", ["3 a|b", "3 a|c"]),
        ("for %%I in (*.txt) do netsh %%I",
         ['1 [whether and how "for" carries out its netsh command is not known here]']),
        ("for /l %%I in (1,1,5) do netsh %%I",
         ['1 [whether and how "for" carries out its netsh command is not known here]']),
        ("if a==b (\n netsh a\n) else (\n netsh b\n)\nnetsh c",
         ['1 [whether and how "if" carries out its 2 netsh commands is not known here]', "6 c"]),
        ("if a==b (\n netsh a", ['1 [whether and how "if" carries out its netsh command is not known here]']),
        ("if exist x goto y\nnetsh a", ["2 a"]),
    ],
)  # fmt: skip
def test_batch(text: str, commands: list[str]) -> None:
    assert is_batch(text)
    assert said(text) == commands


def test_a_script_without_the_program() -> None:
    text = "# comment\npushd ipsec static\n add policy name=x\nnetsh ipsec static>add rule y\nnetsh>\n..\n"
    items = list(read(text, "a"))
    assert [item.place for item in items] == ["a:2", "a:3", "a:4", "a:6"]
    assert isinstance(items[2], Line)
    assert items[2].context == ("ipsec", "static")
    assert not is_batch(text)


def test_keys_are_not_shown() -> None:
    item = next(iter(read('set K=sesame\nnetsh add rule psk="%K% x"', "a")))
    assert isinstance(item, Line)
    assert item.text == "netsh add rule psk=..."
    assert item.words[-1].text == "sesame x"
