# SPDX-License-Identifier: Apache-2.0
"""What the backend's tests share: agents in hosts, entries and SAs as plain values."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from ringfence.testing.namespaces import Host

AGENT = Path(__file__).with_name("backend_agent.py")
ALICE, BOB = "10.77.1.1", "10.77.2.1"
ALICE6, BOB6 = "fd77:1::1", "fd77:2::1"
COUNT = """
table inet watch {
  counter protected { }
  counter clear { }
  chain forward {
    type filter hook forward priority 100;
    meta l4proto { esp, ah } counter name protected accept
    udp dport 4500 counter name protected accept
    ip6 nexthdr 44 counter name protected accept
    ip frag-off & 0x1fff != 0 counter name protected accept
    counter name clear
  }
}
"""


class Pair(NamedTuple):
    """Two hosts and the router between them."""

    alice: Host
    router: Host
    bob: Host


class AgentHandle:
    """An agent running in a host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.process = host.spawn(
            *host.python("-W", "error", str(AGENT)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": str(AGENT.parents[2])},
        )  # fmt: skip

    def ask(self, do: str, **words: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **words}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the agent is dead"}
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        """Stop the backend, and the agent."""
        self.ask("stop")
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def watch(router: Host) -> None:
    """Count on the way what is protected and what is clear."""
    router.run("nft", "-f", "-", text=COUNT)


def watched(router: Host) -> dict[str, int]:
    """The counts so far; they begin anew."""
    out = json.loads(router.run("nft", "-j", "reset", "counters", "table", "inet", "watch").stdout)
    return {one["counter"]["name"]: one["counter"]["packets"] for one in out["nftables"] if "counter" in one}


def watch_on(router: Host) -> None:
    """Counters begin anew when nothing has passed for a while: what a connection says at its end may come late."""
    end = time.monotonic() + 10
    passing = True
    while passing:
        assert time.monotonic() < end, "packets never end"
        watched(router)
        time.sleep(0.5)
        passing = any(watched(router).values())


def protect(name: str, source: str, destination: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "source": source, "destination": destination, **more}


def two_agents(alice: Host, bob: Host, **more: Any) -> tuple[AgentHandle, AgentHandle]:
    """Both hosts require protection of each other's traffic, and have SAs for it."""
    agents = AgentHandle(alice), AgentHandle(bob)
    for agent, (local, remote), (local6, remote6) in zip(
        agents, ((ALICE, BOB), (BOB, ALICE)), ((ALICE6, BOB6), (BOB6, ALICE6)), strict=True
    ):
        agent.ask("start")
        tunnel = {} if more.get("mode") != "tunnel" else {"tunnel": [local, remote]}
        tunnel6 = {} if more.get("mode") != "tunnel" else {"tunnel": [local6, remote6]}
        agent.ask("apply", entries=[
            protect("v4", local, remote, **tunnel, **more), protect("v6", local6, remote6, **tunnel6, **more),
        ])  # fmt: skip
        agent.ask("install", made={"entry": "v4", "local": local, "remote": remote, "number": 1, **more})
        agent.ask("install", made={"entry": "v6", "local": local6, "remote": remote6, "number": 2, **more})
    return agents
