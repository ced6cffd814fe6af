# SPDX-License-Identifier: Apache-2.0
"""Fuzzers of IKE that follow coverage (atheris): the corpus holds, a short run here, longer ones in the soak.

The short run makes the same choices each time, so that a commit passes or fails for what it changed; the soak's are
new each time.

What a fuzzer finds is kept beside the seeds, as ``tests/fuzz/corpus/TARGET/found-….bin``, and so tried in every run.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fuzz.seeds import seeds
from fuzz.targets import CORPUS, FOLDER, targets

TARGETS = targets()
SHORT_RUN = ("-seed=1", "-runs=1500")
LONG_RUN = ("-max_total_time=90",)
MOST_OCTETS = 600
with_atheris = pytest.mark.skipif(find_spec("atheris") is None, reason="there is no atheris for this Python")


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_leads_to_no_fault(target):
    files = sorted((CORPUS / target).iterdir())
    assert files
    for file in files:
        TARGETS[target](file.read_bytes())


def test_what_two_hosts_say_now_leads_to_none_either():
    """The corpus may be of an earlier version; it is as good for fuzzers as this is."""
    made = seeds()
    assert set(made) == set(TARGETS)
    for target, named in made.items():
        assert {file.stem for file in (CORPUS / target).glob("seed-*")} & {f"seed-{name}" for name in named}
        for octets in named.values():
            TARGETS[target](octets)


def fuzz(target: str, folder: Path, run: tuple[str, ...], *corpus: Path) -> "subprocess.CompletedProcess[str]":
    words = [*run, f"-max_len={MOST_OCTETS}", f"-artifact_prefix={folder}/", "-verbosity=0"]
    where = [str(folder), *map(str, corpus)]
    return subprocess.run(
        [sys.executable, str(FOLDER / "targets.py"), target, *words, *where],
        capture_output=True,
        text=True,
        timeout=600,
    )


def findings(folder: Path) -> list[bytes]:
    return [each.read_bytes() for each in folder.iterdir() if each.name.startswith(("crash-", "timeout-", "oom-"))]


def check(target: str, folder: Path, run: tuple[str, ...], *corpus: Path) -> None:
    done = fuzz(target, folder, run, *corpus)
    assert done.returncode == 0, f"{target}: {findings(folder)}\n{done.stderr[-3000:]}"
    assert not findings(folder)


@with_atheris
def test_a_fault_would_be_found(tmp_path):
    done = fuzz("faulty", tmp_path, ("-max_total_time=20",))
    assert done.returncode != 0
    assert "what a fuzzer has to find" in done.stderr + done.stdout
    assert any(each.startswith(b"!") for each in findings(tmp_path))


@with_atheris
def test_a_short_run_of_all(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, target in enumerate(TARGETS):
        for file in (CORPUS / target).iterdir():
            (corpus / f"{target}-{file.name}").write_bytes(bytes([number]) + file.read_bytes())
    (found := tmp_path / "found").mkdir()
    check("any", found, SHORT_RUN, corpus)


@with_atheris
@pytest.mark.soak
@pytest.mark.timeout(700)
@pytest.mark.parametrize("target", TARGETS)
def test_a_long_run(target, tmp_path):
    check(target, tmp_path, LONG_RUN, CORPUS / target)
