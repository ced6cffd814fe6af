# SPDX-License-Identifier: Apache-2.0
"""Whole scripts: the documents that come of them, and what becomes of packets then."""

import random
import re
import time
from pathlib import Path

import pytest

from ringfence.cli.transfer import document_of
from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.write import canonical
from ringfence.secret import Secret
from ringfence.transfer.base import ImportFailed, decode_text
from ringfence.transfer.formats import named
from ringfence.transfer.netsh.exporting import write_script
from ringfence.transfer.netsh.importing import guess, read_script

VECTORS = sorted(path for path in Path("tests/vectors/netsh").iterdir() if path.suffix in (".cmd", ".txt"))
PACKET = re.compile(r'^(?:rem|#) packet: (.*) (permitted|blocked|protected)(?: by "(.*)")?$', re.MULTILINE)
HOST = re.compile(r"^(?:rem|#) host: (.*)$", re.MULTILINE)
ACTIONS = {"permitted": Action.BYPASS, "blocked": Action.DISCARD, "protected": Action.PROTECT}
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_document_of_a_script(path: Path) -> None:
    imported = read_script(decode_text(path.read_bytes()), path.name)
    netsh = named("netsh")
    assert netsh is not None
    document = document_of(path, netsh, imported)
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
        facts = HostFacts((own, *map(parse_address, HOST.findall(text))))
        answer = explain(compile_policy(policy, facts, keys), flow, direction)
        assert (packet, answer.action) == (packet, ACTIONS[word]), "\n".join(answer.lines())
        if rule:
            assert answer.entry is not None
            assert answer.entry.origin.rule == rule


def of(*lines: str) -> str:
    return "\n".join(f"netsh ipsec static {line}" for line in lines)


def test_what_is_no_script() -> None:
    for text in ("", "hello\nworld", "[[rule]]\nname = 1\n", "netsh wlan show all", "rem netsh ipsec static"):
        with pytest.raises(ImportFailed, match=r"x\.cmd:1: this is no script of netsh") as failed:
            read_script(text, "x.cmd")
        assert failed.value.findings[0].excerpt
        assert failed.value.cure


def test_guess() -> None:
    assert guess("netsh ipsec static add policy x\nNETSH.EXE adv firewall set x\necho", "x") == 2
    assert guess("pushd ipsec static\nadd policy name=x\nadd rule name=y", "x") == 3
    assert guess("[[rule]]\nname = 'x'\nconn x\n", "x") == 0


def test_options_of_the_program() -> None:
    found = read_script(
        'netsh -c ipsec static add policy x\nnetsh -c "ipsec static" add policy name=x\nnetsh -f other.txt\n'
        "netsh -r server ipsec static add policy y\nnetsh -c ipsec\n",
        "x",
    )
    assert [(one.place, one.why) for one in found.left_out] == [
        ("x:1", 'the policy "x" has no rule, and so does nothing'),
        ("x:2", "there is a policy of that name already, and netsh refuses it"),
        ("x:3", 'the script "other.txt" is not brought along by this one'),
        ("x:4", 'it is for another computer, "server"'),
    ]  # fmt: skip


def test_contexts_of_a_script() -> None:
    text = "ipsec\nstatic\nadd filter l me any\n..\nstatic add filter l any me protocol=1\npushd advfirewall\npopd\n" \
        "static\nadd filter m me 10.0.0.1\nadvfirewall show\nadd filter m me 10.0.0.2\nfrob\nbye\n"  # fmt: skip
    found = read_script(text, "x")
    assert [(one.name, len(one.filters)) for one in found.policy.filter_lists] == [("l", 2), ("m", 2)]
    assert [one.place for one in found.left_out] == ["x:12"]


def test_a_key_is_in_its_file_only() -> None:
    found = read_script(
        of("add filter l me any", "add policy p assign=y", 'add rule r p l "Require Security" psk="hex:zz"'), "x"
    )
    assert found.secrets == {"r.psk": "hex:6865783a7a7a\n"}
    assert found.policy.key_files == ("r.psk",)
    assert "zz" not in repr(found)


def test_a_script_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.transfer.netsh.importing.COMMANDS_AT_MOST", 3)
    found = read_script(of(*(f"add filter l me 10.0.0.{number}" for number in range(9))), "x")
    assert len(found.policy.filter_lists[0].filters) == 3
    assert "more than 3" in found.left_out[0].why


def mutated(chance: random.Random) -> str:
    """A script of the vectors with lines of others in it, words exchanged, characters lost and added."""
    texts = [decode_text(path.read_bytes()) for path in VECTORS]
    lines = chance.choice(texts).split("\n")
    words = "\n".join(texts).replace("=", " ").split()
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(lines))
        cut = chance.randrange(len(lines[at]) + 1)
        match chance.randrange(5):
            case 0:
                lines[at] = chance.choice(chance.choice(texts).split("\n"))
            case 1:
                lines[at] = " ".join([*lines[at].split(" ")[:-1], chance.choice(words)])
            case 2:
                lines[at] = lines[at][:cut] + chance.choice("\"^%&|<>()=,:;!\\'\0\u2028") + lines[at][cut:]
            case 3:
                lines[at] = lines[at][:cut]
            case _:
                lines[at] += f" {chance.choice(words)}={chance.choice(words)}"
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(200))
def test_whatever_stands_in_a_script(seed: int) -> None:
    try:
        found = read_script(mutated(random.Random(seed)), "x")
    except ImportFailed:
        return
    document = canonical(found.policy)
    assert parse(document, name="x") == found.policy
    for text in found.secrets.values():
        assert len(text) < 8 or text.strip() not in document + str(found.left_out) + str(found.notes)
    write_script(found.policy, found.secrets)


def test_long_scripts_take_no_longer_than_they_are_long() -> None:
    lines = [f"add filter l me 10.{number >> 8}.{number & 255}.1" for number in range(2000)]
    begun = time.perf_counter()
    assert len(read_script(of(*lines), "x").policy.filter_lists[0].filters) == 2000
    assert time.perf_counter() - begun < 10, "a quadratic way takes half a minute"
