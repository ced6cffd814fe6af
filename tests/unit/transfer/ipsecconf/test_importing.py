# SPDX-License-Identifier: Apache-2.0
"""Whole files: the documents that come of them, and what becomes of packets then."""

import os
import re
from pathlib import Path

import pytest

from ringfence.cli.transfer import document_of
from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.secret import Secret
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.formats import guess as guess_format
from ringfence.transfer.formats import named
from ringfence.transfer.ipsecconf.importing import guess, read_conf

VECTORS = sorted(Path("tests/vectors/ipsecconf").glob("*.conf"))
ME = re.compile(r"^# me: (.*)$", re.MULTILINE)
PACKET = re.compile(r'^# packet: (.*) (permitted|blocked|protected)(?: by "(.*)")?$', re.MULTILINE)
HOST = re.compile(r"^# host: (.*)$", re.MULTILINE)
ACTIONS = {"permitted": Action.BYPASS, "blocked": Action.DISCARD, "protected": Action.PROTECT}
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"


def me_of(text: str) -> str:
    return "".join(ME.findall(text))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_document_of_a_file(path: Path) -> None:
    text = path.read_text()
    imported = read_conf(text, path.name, me_of(text))
    form = named("ipsec-conf")
    assert form is not None
    assert guess_format(text, path.name) is form
    document = document_of(path, form, imported)
    notes = "".join(f"# Otherwise: {line}\n" for one in imported.notes for line in str(one).splitlines())
    golden = path.with_suffix(".toml")
    if os.environ.get("RINGFENCE_REWRITE"):
        golden.write_text(LICENCE + document + "\n" * bool(notes) + notes)
    assert LICENCE + document + "\n" * bool(notes) + notes == golden.read_text()
    assert parse(document, name=path.name) == imported.policy
    for key in imported.secrets.values():
        assert key.strip() not in document + str(imported.left_out) + str(imported.notes)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_what_becomes_of_packets(path: Path) -> None:
    text = path.read_text()
    policy = read_conf(text, path.name, me_of(text)).policy
    keys = {file: Secret(file.encode()) for file in policy.key_files}
    packets = PACKET.findall(text)
    assert packets, "each file says what becomes of packets"
    for packet, word, rule in packets:
        flow, direction = parse_flow(packet)
        own = flow.source if packet.startswith("out") else flow.destination
        facts = HostFacts((own, *map(parse_address, HOST.findall(text))))
        answer = explain(compile_policy(policy, facts, keys), flow, direction)
        assert (packet, answer.action) == (packet, ACTIONS[word]), "\n".join(answer.lines())
        if rule:
            assert answer.entry is not None
            assert answer.entry.origin.rule == rule


def test_what_is_no_such_file() -> None:
    for text in ("", "# nothing\n", "include x\n", "hello\n"):
        with pytest.raises(ImportFailed, match=r"x\.conf:1: "):
            read_conf(text, "x.conf")


def test_guess() -> None:
    assert guess("conn lab\n\tleft=192.0.2.1\n: PSK 'x'\n", "x") == 3
    assert guess("connections {\n  lab { version = 1 } }\n", "x") == 0


def test_templates_are_no_rules() -> None:
    text = (
        "conn base\n left=192.0.2.1\n authby=secret\nconn lab\n also=base\n also=gone\n right=192.0.2.2\n auto=route\n"
        ': PSK "x"\n'
    )
    found = read_conf(text, "x.conf")
    assert [one.name for one in found.policy.rules] == ["lab"]
    assert [one.words for one in found.left_out] == ["also=gone"]
    assert found.secrets == {"lab.psk": "x\n"}


def test_keys_that_are_none() -> None:
    for line, why in ((": PSK two words", "no key"), (": PSK 0xzz", "hex"), ("C=CH,CN=x : PSK 'k'", "distinguished")):
        (one,) = read_conf(f"config setup\n{line}\n", "x.conf").left_out
        assert why in one.why
        assert "words" not in one.words
