# SPDX-License-Identifier: Apache-2.0
"""``ringfence boot`` as people see it."""

import json
from pathlib import Path

import pytest

from ringfence.backends.base import BackendError
from ringfence.cli.main import main
from ringfence.errors import IpsecError
from ringfence.policy.bootspd import boot_spd
from ringfence.policy.document import parse
from ringfence.service import boot as service_boot
from ringfence.service.boot import Booted, Source

RULE = '[[rule]]\nname = "lab"\nauth = { psk-file = "k" }\nwith = "10.9.0.0/16"\n'
MEANT = boot_spd(parse(RULE, name="p.toml"))


def bring(monkeypatch: pytest.MonkeyPatch, found: Booted) -> list[object]:
    asked: list[object] = []

    def boot(*words: object) -> Booted:
        asked.extend(words)
        return found

    monkeypatch.setattr(service_boot, "boot", boot)
    return asked


def test_what_holds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = bring(monkeypatch, Booted(Source.DOCUMENT, MEANT, "p.toml"))
    assert main(["boot", "p.toml", "--state", "/var/lib/other"]) == 0
    assert asked[:2] == [{"local": Path("p.toml")}, Path("/var/lib/other")]
    out = capsys.readouterr().out
    assert out.startswith("p.toml holds until the service is up\n")
    assert 'shut  rule "lab" p.toml:1' in out
    assert "mode  stateful" in out
    assert main(["boot", "p.toml", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["holds"], answer["mode"], answer["shut"]) == ("document", "stateful", ['rule "lab" p.toml:1'])


@pytest.mark.parametrize(
    ("source", "problem", "code", "said"),
    [
        (Source.KEPT, IpsecError("wrong"), 1, "carried out last"),
        (Source.SHUT, IpsecError("wrong"), 1, "nothing passes"),
        (Source.SHUT, BackendError("refused"), 3, "nothing passes"),
        (Source.NOTHING, None, 0, "no policy"),
        (Source.SERVICE, None, 0, "nothing was changed"),
    ],
)
def test_what_holds_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: Source, problem: IpsecError | None,
    code: int, said: str,
) -> None:  # fmt: skip
    bring(monkeypatch, Booted(source, problem=problem))
    assert main(["boot", "p.toml"]) == code
    told = capsys.readouterr()
    assert said in told.out
    assert (problem is None) or problem.message in told.err


def test_only_showing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "p.toml"
    document.write_text(RULE)
    assert main(["boot", str(document), "--print"]) == 0
    text = capsys.readouterr().out
    assert text == service_boot.ruleset(parse(RULE, name="p.toml"))
    assert main(["boot", str(document), "--print", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ruleset"] == text
    document.write_text("wrong = 1")
    assert main(["boot", str(document), "--print"]) == 1
    other = tmp_path / "q.toml"
    other.write_text(RULE)
    assert main(["boot", str(document), "--store", f"persistent={other}", "--print"]) == 1
    assert main(["boot"]) == 2
