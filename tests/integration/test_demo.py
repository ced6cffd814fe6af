# SPDX-License-Identifier: Apache-2.0
"""The demonstration from its first line to its last, and what it leaves, read by somebody else: tshark.

It checks its own claims while it tells them; here is checked that it would notice, and that the capture says the same.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lab.fixtures import unavailable
from lab.tshark import missing

pytestmark = pytest.mark.root

QUESTION = "/payroll.txt?user=alice&password=open-sesame"
SECONDS = 30


def demo(output: Path, *, seconds: float = 90, **environment: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "ringfence", "demo", "--output", str(output)]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=seconds, env=os.environ | environment, check=False
    )


def leftovers() -> list[str]:
    """Processes of a demonstration that still run."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "ringfence-demo-" in line]


@pytest.fixture(scope="module")
def told(namespaces: None) -> "Iterator[tuple[str, Path]]":
    with tempfile.TemporaryDirectory(prefix="rf-") as folder:  # a short name, for it stands in the text
        output = Path(folder)
        began = time.monotonic()
        done = demo(output)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        assert time.monotonic() - began < SECONDS
        yield done.stdout, output


def tshark(output: Path, *words: str, decrypt: bool = True) -> list[str]:
    if reason := missing():
        unavailable(reason)
    config = output / ("wireshark" if decrypt else "nothing")
    done = subprocess.run(
        ["tshark", "-n", "-r", output / "capture.pcap", *words], capture_output=True, text=True, check=True, timeout=60,
        env=os.environ | {"WIRESHARK_CONFIG_DIR": str(config)},
    )  # fmt: skip
    return done.stdout.splitlines()


def test_it_is_told_in_six_scenes_at_80_columns(told: tuple[str, Path]) -> None:
    text, _ = told
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[0] for line in lines if re.match(r"\d  \S.* ─", line)] == ["1", "2", "3", "4", "5", "6"]
    assert "\x1b" not in text
    assert "✘" not in text
    assert text.count("main mode ") >= 6
    for claim in ("messages of IKE", "1 replayed", "1 failed", "nothing else"):
        assert claim in text


def test_the_readme_tells_the_same(told: tuple[str, Path]) -> None:
    def lines(text: str) -> list[str]:
        plain = re.sub(r"([0-9a-f]{2} ){15}.*|0x[0-9a-f]{8}|\d+", "#", text)
        return [line.rstrip() for line in plain.splitlines()]

    readme = (Path(__file__).parents[2] / "README.md").read_text()
    said = iter(lines(told[0]))
    for line in lines(readme.split("```\n1  In clear", 1)[1].split("```", 1)[0])[1:]:
        assert line in said, f"not there, or not in this order: {line}"


def test_a_stranger_reads_the_password_once_and_never_again(told: tuple[str, Path]) -> None:
    _, output = told
    questions = tshark(output, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri", decrypt=False)
    assert questions == [QUESTION]
    first = tshark(output, "-Y", "isakmp", "-T", "fields", "-e", "frame.number", decrypt=False)[0]
    later = tshark(
        output, "-Y", f"frame.number >= {first} && !isakmp && !esp", "-T", "fields", "-e", "ip.src", decrypt=False
    )
    assert set(later) == {"10.77.3.1"}, "only mallory speaks in clear after that"


def test_whoever_has_the_keys_reads_it_all(told: tuple[str, Path]) -> None:
    _, output = told
    questions = tshark(output, "-Y", "http.request && esp", "-T", "fields", "-e", "http.request.uri")
    assert questions == [QUESTION, QUESTION]
    answers = tshark(output, "-Y", "http.response && esp", "-T", "fields", "-e", "http.file_data")
    assert len(answers) == 2
    named = tshark(output, "-Y", "isakmp.id.data.ipv4_addr == 10.77.2.1", "-T", "fields", "-e", "frame.number")
    assert named, "main mode is decrypted, too"


def test_keys_are_for_their_owner(told: tuple[str, Path]) -> None:
    _, output = told
    assert (output / "wireshark").stat().st_mode & 0o077 == 0


def test_the_picture_is_whole(told: tuple[str, Path]) -> None:
    _, output = told
    root = ElementTree.fromstring((output / "timeline.svg").read_text(encoding="utf-8"))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text[0] for text in texts if re.match(r"\d  \S", text)] == ["1", "2", "3", "4", "5", "6"]
    assert sum(text.startswith("IKE main mode") for text in texts) == 6
    assert any(QUESTION in text for text in texts)


def test_nothing_is_left(told: tuple[str, Path]) -> None:
    assert told
    assert leftovers() == []


def test_it_ends_well_when_it_is_interrupted(namespaces: None, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ringfence", "demo", "--output", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "Both follow the policy" in line:
            break
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(10) == 130
    assert "Traceback" not in rest
    assert leftovers() == []


ACCEPTS_REPLAYS = """
from dataclasses import replace
from ringfence.datapath.esp import EspOpen
right = EspOpen.__init__
EspOpen.__init__ = lambda self, sa, **words: right(self, replace(sa, replay_window=0), **words)
"""


def test_it_tells_the_truth_when_the_story_is_not_true(namespaces: None, tmp_path: Path) -> None:
    """With a packet path that takes replayed packets it says so, keeps the logs, and ends with 1."""
    (tmp_path / "sitecustomize.py").write_text(ACCEPTS_REPLAYS)
    root = Path(__file__).parents[2]
    done = demo(tmp_path / "out", PYTHONPATH=f"{tmp_path}{os.pathsep}{root}")
    assert done.returncode == 1
    assert "This should not have happened: bob dropped 0 packets as replayed" in " ".join(done.stdout.split())
    assert (tmp_path / "out" / "bob.log").exists()
    assert leftovers() == []
