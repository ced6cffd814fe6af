# SPDX-License-Identifier: Apache-2.0
"""Whole files: the documents that come of them, and what becomes of packets then."""

import os
import re
from pathlib import Path

import pytest

from ringfence.cli.transfer import document_of
from ringfence.databases.spd import Action
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.gateways import Gateways
from ringfence.secret import Secret
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.formats import guess as guess_format
from ringfence.transfer.formats import named
from ringfence.transfer.swanctl.importing import guess, read_conf

VECTORS = sorted(Path("tests/vectors/swanctl").glob("*.conf"))
PACKET = re.compile(r'^# packet: (.*) (permitted|blocked|protected)(?: by "(.*)")?$', re.MULTILINE)
HOST = re.compile(r"^# host: (.*)$", re.MULTILINE)
ACTIONS = {"permitted": Action.BYPASS, "blocked": Action.DISCARD, "protected": Action.PROTECT}
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"
ONE = """connections {{
    lab {{
        version = 1
        local_addrs = 192.0.2.1
        remote_addrs = 192.0.2.2
        local {{ auth = psk }}
        remote {{ auth = psk }}
        children {{ lab {{ start_action = trap
            {} }} }}
    }}
}}
secrets {{ ike-lab {{ secret = verysecret }} }}
"""


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_document_of_a_file(path: Path) -> None:
    imported = read_conf(path.read_text(), path.name)
    form = named("swanctl")
    assert form is not None
    assert guess_format(path.read_text(), path.name) is form
    document = document_of(path, form, imported)
    notes = "".join(f"# Otherwise: {line}\n" for one in imported.notes for line in str(one).splitlines())
    golden = path.with_suffix(".toml")
    if os.environ.get("RINGFENCE_REWRITE"):
        golden.write_text(LICENCE + document + "\n" * bool(notes) + notes)
    assert LICENCE + document + "\n" * bool(notes) + notes == golden.read_text()
    again = parse(document, name=path.name)
    assert again == imported.policy
    assert set(imported.secrets) <= set(again.key_files)
    for text in imported.secrets.values():
        assert text.strip() not in document + str(imported.left_out) + str(imported.notes)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_what_becomes_of_packets(path: Path) -> None:
    text = path.read_text()
    policy = read_conf(text, path.name).policy
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
    for text in ("", "charon { load = a }\n", "connections {\n"):
        with pytest.raises(ImportFailed, match=r"x\.conf:1: "):
            read_conf(text, "x.conf")


def test_guess() -> None:
    assert guess(ONE.format(""), "swanctl.conf") >= 6
    assert guess("conn lab\n\tleft=192.0.2.1\n", "ipsec.conf") == 0
    assert guess('[[rule]]\nname = "x"\n', "x.toml") == 0


def test_the_other_sides_file() -> None:
    text = ONE.format("local_ts = 10.1.0.0/16\n remote_ts = 10.2.0.0/16")
    ours = read_conf(text, "x.conf", "192.0.2.1").policy.rules[0]
    theirs = read_conf(text, "x.conf", "192.0.2.2")
    rule = theirs.policy.rules[0]
    assert (rule.local, rule.remote) == (ours.remote, ours.local) == (
        (AddressRange.parse("10.2.0.0/16"),), (AddressRange.parse("10.1.0.0/16"),)
    )  # fmt: skip
    assert rule.gateways == Gateways(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    assert "192.0.2.2 is its remote side" in str(theirs.notes[0])
    assert theirs.secrets == {"lab.psk": "verysecret\n"}
    with pytest.raises(BadWord, match="no address"):
        read_conf(text, "x.conf", "left")


def test_keys_are_never_shown() -> None:
    text = ONE.format("updown = /bin/verysecret").replace("ike-lab {", "ike-lab { id = ab*verysecret\n")
    found = read_conf(text, "x.conf")
    assert len(found.left_out) >= 2
    assert "verysecret" not in str(found.left_out) + str(found.notes)


def test_a_key_that_is_missing_is_named_and_its_rule_kept() -> None:
    found = read_conf(ONE.format("").replace("ike-lab {", "ike-lab { id = 192.0.2.99\n"), "x.conf")
    assert found.policy.key_files == ("lab.psk",)
    assert found.secrets == {}
    assert [one.cure for one in found.left_out] == ["Write the key into lab.psk beside the document."]


def test_rules_of_one_name_are_told() -> None:
    text = ONE.format("").replace("connections {", "connections { a/b { children { c { } } local { auth=psk } "
                                  "remote { auth = psk } } a { local { auth = psk } remote { auth = psk } children { "
                                  "b { } c { } } }")  # fmt: skip
    found = read_conf(text, "x.conf")
    assert [one.name for one in found.policy.rules] == ["a/b", "a/c", "lab"]
    assert [one.why for one in found.left_out if "name" in one.why] == ["another one has its name already"]
