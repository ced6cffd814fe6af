# SPDX-License-Identifier: Apache-2.0
"""``ringfence sa``."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ringfence.control.messages import MainModeSa, QuickModeSa, Sas, SoftSa, Volume
from ringfence.testing.service import START, AnsweringService, make_sas

Command = Any


def test_the_list_fits_a_terminal(service: AnsweringService, command: Command, narrow: None) -> None:
    answer = command("sa", "list")
    assert answer.code == 0
    assert all(len(line) <= 80 for line in answer.lines)
    for text in ("q3", "10.77.0.2", "esp aes256-gcm", "1.2 kB", "1.1 kB", "m1", "aes256-sha256-ecp256"):
        assert text in answer.out


def test_a_pipe_gets_all_columns(service: AnsweringService, command: Command) -> None:
    out = command("sa", "list").out
    assert "10.77.0.1 <-> 10.77.0.2" in out
    assert "lab is isolated" in out
    assert "bob.lab" in out


def test_none_is_an_answer(service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "sas", lambda: Sas(main_modes=[], quick_modes=[]))
    answer = command("sa", "list")
    assert answer.code == 0
    assert "no SAs" in answer.out
    assert json.loads(command("sa", "list", "--json").out) == {"main_modes": [], "quick_modes": [], "soft": []}


def test_who_talks_in_clear_is_in_the_list(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft = SoftSa(
        rule="dns", local="10.77.0.1", remote="10.77.0.9", since=START, tries_again_at=START + timedelta(days=9999),
        sent=Volume(packets=3, octets=1200), why="it does not answer IKE",
    )  # fmt: skip
    for known in (make_sas(), Sas(main_modes=[], quick_modes=[])):
        answer = known.model_copy(update={"soft": [soft]})
        monkeypatch.setattr(service, "sas", lambda answer=answer: answer)
        out = command("sa", "list").out
        assert "In clear (fallback)" in out
        for text in ("10.77.0.9", "dns", "1.2 kB", "it does not answer IKE"):
            assert text in out


@pytest.mark.parametrize("name", ["q3", "0x5f3a11c0", "0xC0FFEE11"])
def test_one_is_shown_by_id_or_spi(service: AnsweringService, command: Command, name: str) -> None:
    out = command("sa", "show", name).out
    for text in (
        "q3, IKEv1, under m1",
        "0x5f3a11c0",
        "12 packets, 1.2 kB",
        "1400 octets",
        "lab is isolated",
        "bob.lab",
    ):
        assert text in out
    assert QuickModeSa.model_validate_json(command("sa", "show", name, "--json").out) == make_sas().quick_modes[0]


def test_a_main_mode_is_shown(service: AnsweringService, command: Command) -> None:
    out = command("sa", "show", "m1").out
    for text in ("m1, IKEv1, established", "begun by us", "alice.lab", "bob.lab", "1122334455667788", "q3"):
        assert text in out
    assert MainModeSa.model_validate_json(command("sa", "show", "m1", "--json").out) == make_sas().main_modes[0]


def test_one_of_ikev2_has_spis_and_no_cookies(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = make_sas().main_modes[0].model_copy(update={"keying": "ikev2"})
    monkeypatch.setattr(service, "sas", lambda: Sas(main_modes=[main], quick_modes=[]))
    assert "m1  10.77.0.2  v2" in command("sa", "list").out
    shown = command("sa", "show", "m1").out
    assert "m1, IKEv2, established" in shown
    assert "IKE SPIs" in shown
    assert "cookies" not in shown


def test_a_main_mode_that_is_not_finished_says_what_is_known(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = {"state": "negotiating", "proposal": "", "made_at": None, "expires_at": None, "quick_modes": []}
    main = make_sas().main_modes[0].model_copy(update=unfinished)
    monkeypatch.setattr(service, "sas", lambda: Sas(main_modes=[main], quick_modes=[]))
    assert "negotiating" in command("sa", "list").out
    shown = command("sa", "show", "m1").out
    assert "expires" not in shown
    assert "proposal" not in shown


def test_what_is_not_there_is_no(service: AnsweringService, command: Command) -> None:
    for verb in ("show", "delete"):
        answer = command("sa", verb, "q77")
        assert answer.code == 1
        assert answer.out == ""
        assert "q77" in answer.err
        assert "sa list" in answer.err


def test_deletion(service: AnsweringService, command: Command) -> None:
    assert command("sa", "delete", "q3").out == "q3 was deleted.\n"
    assert json.loads(command("sa", "delete", "m1", "--json").out)["ids"] == ["m1"]
    assert service.deleted == ["q3", "m1"]


def test_one_that_has_moved_says_where_it_began(
    service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "began at" not in command("sa", "show", "m1").out
    known = make_sas()
    moved = known.main_modes[0].model_copy(update={"mobike": True, "begun_at": "10.77.0.3", "keying": "ikev2"})
    monkeypatch.setattr(service, "sas", lambda: known.model_copy(update={"main_modes": [moved]}))
    shown = [line.split(maxsplit=2) for line in command("sa", "show", "m1").lines if line.strip()]
    assert ["began", "at", "10.77.0.3"] in shown
    assert ["may", "move", "yes (MOBIKE)"] in shown
