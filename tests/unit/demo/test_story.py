# SPDX-License-Identifier: Apache-2.0
"""How the story begins and ends; the whole of it is told in tests/integration/test_demo.py."""

import io
import os
import signal
from pathlib import Path
from typing import Self

import pytest

from ringfence.demo import story
from ringfence.demo.errors import NotTrue
from ringfence.demo.messages import MEANINGS
from ringfence.demo.page import Page
from ringfence.errors import IpsecError


class EmptyStage:
    failed = False
    wiretap = None

    def __init__(self, _output: Path) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(story.Lab, "obstacle", staticmethod(lambda: ""))
    monkeypatch.setattr(story, "Stage", EmptyStage)
    monkeypatch.setattr(story.Story, "tell", lambda self: None)
    return Page(io.StringIO(), pace=0)


def text(page: Page) -> str:
    out = page._out
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def test_a_true_story(page: Page, tmp_path: Path) -> None:
    assert story.demo(tmp_path, page) == 0
    assert "every" in text(page).splitlines()[-1]


def test_a_story_that_is_not_true(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(self: story.Story) -> None:
        self.check(True, "this is so")
        self.check(False, "that is so", "it is not")

    monkeypatch.setattr(story.Story, "tell", tell)
    assert story.demo(tmp_path, page) == 1
    assert "this is so" in text(page)
    assert "that is so" not in text(page)
    assert "This should not have happened: it is not" in text(page)
    with pytest.raises(NotTrue, match="not true that: x"):
        story.Story(EmptyStage(tmp_path), page).check([], "x")  # type: ignore[arg-type]


def test_where_there_can_be_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story.Lab, "obstacle", staticmethod(lambda: "Nobody may."))
    with pytest.raises(IpsecError, match=r"needs a network of its own\. Nobody may"):
        story.demo(tmp_path, Page(io.StringIO()))


def test_only_what_an_earlier_story_left_is_cleared_away(page: Page, tmp_path: Path) -> None:
    (tmp_path / "wireshark").mkdir()
    for name in ("capture.pcap", "timeline.svg", "wireshark/esp_sa", "mine.txt"):
        (tmp_path / name).touch()
    story.demo(tmp_path, page)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.txt", "wireshark"]


def test_to_be_told_to_end_is_an_interruption(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story.Story, "tell", lambda self: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        story.demo(tmp_path, page)
    assert signal.getsignal(signal.SIGTERM) is before


def test_every_message_of_the_two_modes_has_a_meaning() -> None:
    assert set(MEANINGS) == {("main mode", n) for n in range(1, 7)} | {("quick mode", n) for n in range(1, 4)}
