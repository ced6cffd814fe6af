# SPDX-License-Identifier: Apache-2.0
"""Another policy for a running service, by somebody who is connected over the network: he cannot lock himself out."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair
from integration.service_lab import ENVIRONMENT, RULE, TELNET, Service, document, eventually, ping, ringfence

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

SHELL = """
import socket, subprocess
with socket.create_server(("", 22)) as server:
    print("ready", flush=True)
    while True:
        one, _ = server.accept()
        with one, one.makefile("r") as lines:
            for line in lines:
                done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                one.sendall(str(done.returncode).encode() + b" " + done.stdout.replace(b"\\n", b"|") + b"\\n")
"""
TYPE = """
import socket, sys
with socket.create_connection((sys.argv[1], 22), timeout=10) as one, one.makefile("r") as answers:
    for line in sys.stdin:
        one.sendall(line.encode())
        print(answers.readline(), end="", flush=True)
"""


class Remote:
    """A shell on one host, over the network from another."""

    def __init__(self, here: Host, there: Host, address: str) -> None:
        server = there.spawn(*there.python("-c", SHELL), stdout=subprocess.PIPE, env=ENVIRONMENT)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        self._client = here.spawn(
            *here.python("-c", TYPE, address), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, list[str]]:
        """Exit code and lines of a command."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(" ".join(words) + "\n")
        self._client.stdin.flush()
        code, _, text = self._client.stdout.readline().partition(" ")
        return int(code), text.rstrip("|\n").split("|")


class Case:
    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        self.alice = Service(pair.alice, document(folder, TELNET))
        self.locks = folder / "locks.toml"
        self.locks.write_text(RULE)
        self.more = folder / "more.toml"
        self.more.write_text(TELNET.replace("23", "79"))
        self.remote = Remote(pair.bob, pair.alice, ALICE)

    def ringfence(self, *words: str) -> tuple[int, list[str]]:
        return self.remote.run(*ringfence(*words))

    def running(self) -> str:
        return str(self.alice.ask("status")["policy"]["document"])


@pytest.fixture
def case(pair: Pair, tmp_path: Path) -> Iterator[Case]:
    one = Case(pair, tmp_path)
    yield one
    assert one.alice.stop() == 0


def test_a_lock_out_is_refused(case: Case) -> None:
    code, lines = case.ringfence("apply", str(case.locks))
    assert code == 1
    assert lines[-2:] == [
        f'This would end your own session: ssh from {BOB} matches "the two are isolated" (require), and {BOB} has no '
        "security with us.",
        "Add an exemption, or try it for a minute:  ringfence apply locks.toml --confirm-within 60s",
    ]
    assert any(line.startswith("+ ") and BOB in line for line in lines), "the plan comes first"
    assert case.running() == "policy.toml"
    assert case.ringfence("status")[0] == 0, "the session lives"


def test_who_locks_himself_out_for_a_while_comes_back(case: Case) -> None:
    told = case.locks.with_name("told")
    words = ringfence("apply", str(case.locks), "--confirm-within", "4s", ">", str(told), "2>&1", "&")
    assert case.remote.run(*words)[0] == 0
    eventually(lambda: "ringfence confirm" in told.read_text())
    assert case.alice.ask("status")["policy"]["confirm_by"] is not None
    assert "probation" in case.alice.say("status").stdout
    assert ping(case.pair.bob, ALICE, wait=0.5) == 0, "locked out"
    assert case.ringfence("status")[0] == 0, "TCP repeats what was lost; it arrives when the policy before is back"
    assert case.running() == "policy.toml"
    assert [event["fields"]["back_to"] for event in case.alice.events("policy-rolled-back")] == ["policy.toml"]
    assert case.alice.ask("confirm", code=1)["error"]["what"]


def test_what_is_confirmed_stays_and_is_followed(case: Case) -> None:
    code, lines = case.ringfence("plan", str(case.more))
    assert code == 0
    assert {line[0] for line in lines} >= {"+", "-"}
    assert case.ringfence("apply", str(case.more), "--confirm-within", "4s")[0] == 0
    assert case.ringfence("confirm") == (0, ["Confirmed: more.toml stays."])
    case.more.write_text(TELNET.replace("23", "80"))
    eventually(lambda: len(case.alice.events("policy-applied")) == 3)
    case.alice.policy.write_text("nonsense: nobody looks at it any more")
    eventually(lambda: not case.alice.ask("status")["policy"]["confirm_by"])
    assert case.running() == "more.toml"
    assert not case.alice.events("policy-rolled-back")
    assert not case.alice.events("policy-refused")
