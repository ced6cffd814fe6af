# SPDX-License-Identifier: Apache-2.0
"""Wrong documents of every kind under a running service, and several stores of which one is wrong."""

import json
import shutil
from pathlib import Path

import pytest
from docs.test_wrong_documents import NAMES, prepared
from integration.backend_lab import Pair
from integration.service_lab import KEY, TELNET, Service, document, eventually

from ringfence.control.client import Client
from ringfence.control.errors import Refused

pytestmark = pytest.mark.root

KERBEROS = '[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nauth = "kerberos"\n'
HERE = {"impossible-here"}
"""Mistakes only on a computer with other addresses."""


def emptied(folder: Path) -> None:
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def test_no_wrong_document_touches_the_policy_that_runs(pair: Pair, tmp_path: Path) -> None:
    folder, socket = tmp_path / "policies", tmp_path / "control.sock"
    service = Service(pair.alice, document(folder, TELNET), "--socket", str(socket))
    cases = [*sorted({*NAMES} - HERE), "later"]
    with Client(socket) as client:
        before = client.policy()
        for name in cases:
            emptied(folder)
            if name == "later":
                document(folder, KERBEROS)
            else:
                prepared(name, folder)
            with pytest.raises(Refused) as caught:
                client.reload()
            status = client.status().policy
            assert status.refused is not None, name
            assert caught.value.message in status.refused.detail, name
            assert (status.rules, status.applied_at) == (["no telnet"], before.applied_at), name
            assert client.policy().entries == before.entries, name
        emptied(folder)
        document(folder, TELNET)
        client.reload()
        assert client.status().policy.refused is None
    assert len(cases) > 60
    assert service.stop() == 0


def test_the_persistent_policy_guards_whatever_is_wrong_with_the_other(pair: Pair, tmp_path: Path) -> None:
    persistent = document(tmp_path / "persistent", TELNET.replace("23", "79").replace("telnet", "finger"))
    policy = document(tmp_path / "local", "nonsense")
    service = Service(pair.alice, policy, "--store", f"persistent={persistent.parent}")
    status = service.ask("status")["policy"]
    assert status["rules"] == ["no finger"]
    assert "policy.toml:1: this is not TOML" in status["refused"]["detail"]
    policy.write_text(f'include = "*.d/*.toml"\n{TELNET}')
    eventually(lambda: set(service.ask("status")["policy"]["rules"]) == {"no finger", "no telnet"})
    assert service.ask("status")["policy"]["refused"] is None

    (policy.parent / "more.d").mkdir()
    (policy.parent / "more.d/a.toml").write_text(TELNET.replace("23", "70").replace("telnet", "gopher"))
    eventually(lambda: "no gopher" in service.ask("status")["policy"]["rules"])
    told = service.say("explain", "out tcp 10.77.1.1 -> 10.77.2.1:70").stdout
    assert 'rule "no gopher" more.d/a.toml:2 (local store)' in told

    (policy.parent / "more.d/a.toml").write_text("nonsense")
    eventually(lambda: service.ask("status")["policy"]["refused"] is not None)
    persistent.write_text(TELNET.replace("no telnet", "no gopher"))
    eventually(lambda: "no finger" not in service.ask("status")["policy"]["rules"])
    answer = json.loads(service.say("policy", "resultant", "--json").stdout)
    assert [one["name"] for one in answer["stores"]] == ["persistent", "dynamic", "local"]
    assert "more.d/a.toml:1" in answer["stores"][2]["refused"]
    (loser,) = answer["set_aside"]
    assert (loser["what"], loser["winner"]) == ('filter "no gopher"', f"{persistent}:2")
    refused = [one["fields"]["document"] for one in service.events("policy-refused")]
    assert refused[:2] == ["policy.toml", "more.d/a.toml"]
    assert KEY not in service.log.read_text()
    assert service.stop() == 0
