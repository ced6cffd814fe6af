# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from ringfence.demo.stage import ADDRESSES, PAYROLL, POLICY, Stage, new_key
from ringfence.policy.document import parse
from ringfence.policy.validate import validate
from ringfence.stores.file import FileStore


def test_the_policy_is_well_made() -> None:
    assert validate(parse(POLICY, name="policy.toml")) == ()


def test_keys_differ_and_are_long() -> None:
    assert new_key() != new_key()
    assert len(new_key()) >= 40


@pytest.mark.root
def test_three_computers_and_a_web_server(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        assert Stage.answer(stage.fetch("alice")) == f"{PAYROLL}\n"
        assert Stage.answer(stage.fetch("mallory")) == f"{PAYROLL}\n"
        policy = stage.write_policy("alice", new_key())
        assert FileStore(policy).load().findings == ()
        traces = stage.traces()
        assert all(ADDRESSES[name] in traces[name]["addresses"] for name in ("alice", "bob"))
        assert stage.traces() == traces
        work = stage.work
        pids = [host.pid for host in stage.lab.hosts.values()]
    assert not work.exists()
    assert not any(Path(f"/proc/{pid}/ns").exists() and os.path.isdir(f"/proc/{pid}/task/{pid}/fd0") for pid in pids)
