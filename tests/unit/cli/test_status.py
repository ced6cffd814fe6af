# SPDX-License-Identifier: Apache-2.0
"""``ringfence status``."""

import json
from typing import Any

import pytest

from ringfence.cli.status import dropped
from ringfence.control.messages import Network, PeerState, Refusal, Status
from ringfence.testing.service import START, AnsweringService, make_status

Command = Any


def test_the_whole_on_one_page(service: AnsweringService, command: Command, narrow: None) -> None:
    answer = command("status")
    assert answer.code == 0
    for text in (
        "policy     lab is isolated + 2 more (policy.toml, applied ",
        "data path  userspace through rf0: this kernel has no ESP",
        "peers      1 protected · 1 in clear (fallback) · 1 failing",
        "sent 1.2 GB protected, 3.1 MB clear · received 904 MB protected",
        "41 in clear but security required · 12 replayed · 3 failed integrity",
        "accepts none of our proposals",
    ):
        assert text.replace("904.0", "904") in answer.out.replace("904.0", "904") or text in " ".join(
            answer.out.split()
        )
    assert all(len(line) <= 80 for line in answer.lines)
    assert "KEYS" not in answer.out


def test_json_is_the_api_s_answer(service: AnsweringService, command: Command) -> None:
    assert Status.model_validate(json.loads(command("status", "--json").out)) == make_status()


def test_trouble_is_said(service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Refusal(at=START, detail="policy.toml:3: wrong\n  3 | x")
    known = make_status()
    troubled = known.model_copy(
        update={
            "key_log": "/tmp/keys", "dropped": {}, "peers": [],
            "policy": known.policy.model_copy(update={"refused": refused, "rules": []}),
        }
    )  # fmt: skip
    monkeypatch.setattr(service, "status", lambda: troubled)
    out = command("status").out
    assert "is not correct" in out
    assert "policy.toml:3: wrong" in out
    assert "KEYS" in out
    assert "/tmp/keys" in out
    assert "no rules" in out
    assert "dropped    nothing\n" in out


def test_many_peers_are_cut_and_counted(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_status()
    many = [known.peers[0].model_copy(update={"address": f"10.0.0.{n}"}) for n in range(14)]
    monkeypatch.setattr(service, "status", lambda: known.model_copy(update={"peers": many}))
    out = command("status").out
    assert "14 protected" in out
    assert "and 4 more" in out


def test_a_negotiation_under_way_is_counted(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_status()
    peers = [known.peers[0].model_copy(update={"state": PeerState.NEGOTIATING})]
    monkeypatch.setattr(service, "status", lambda: known.model_copy(update={"peers": peers}))
    assert "0 failing · 1 negotiating" in command("status").out


def test_drops_without_a_special_word_keep_their_name() -> None:
    assert dropped({"bad-padding": 1, "no-sa": 1200}) == "1,200 without security · 1 bad padding"


def test_networks_where_they_make_a_difference(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_status()
    assert "networks" not in command("status").out
    here = Network(interface="eth0", kind="lan", profile="private", why="gateway 10.0.0.1", addresses=["10.0.0.5"])
    monkeypatch.setattr(service, "status", lambda: known.model_copy(update={"networks": [here]}))
    assert "networks   eth0 private (gateway 10.0.0.1)\n" in command("status").out
