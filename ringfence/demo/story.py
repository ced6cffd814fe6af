# SPDX-License-Identifier: Apache-2.0
"""The demonstration: two computers, one contract, told in six scenes while it happens.

Nothing is staged: real programs talk through the real TCP/IP stack of Linux, and each claim is checked against what was
seen on the wire or told by the service before it is printed. When one is not true, the story says so and ends.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ringfence.control.errors import ControlError
from ringfence.demo.agent import Agent
from ringfence.demo.errors import NotTrue
from ringfence.demo.keepsakes import check_keys, draw
from ringfence.demo.messages import MEANINGS
from ringfence.demo.namespaces import CommandFailed, Lab
from ringfence.demo.packets import Seen, dump, text_of
from ringfence.demo.page import Page
from ringfence.demo.picture import Chapter, Kind
from ringfence.demo.stage import ADDRESSES, PAGE_PATH, PASSWORD, PAYROLL, POLICY, Stage, new_key
from ringfence.errors import IpsecError
from ringfence.net.address import parse_address
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.plan import plan
from ringfence.stores.file import FileStore

ALICE, BOB, MALLORY = ADDRESSES["alice"], ADDRESSES["bob"], ADDRESSES["mallory"]

KEYS, PICTURE, CAPTURE = "wireshark", "timeline.svg", "capture.pcap"

FALLEN = "clear-but-security-required"


def demo(output: Path, page: Page | None = None) -> int:
    """Tell the story, leave its capture, keys and picture in ``output``; 0 if all of it was true, else 1.

    Raises IpsecError where this machine allows no network of its own.
    """
    page = page or Page()
    began = time.monotonic()
    obstacle = Lab.obstacle()
    if obstacle:
        raise IpsecError(f"The demonstration needs a network of its own. {obstacle}")
    with _ending_well():
        _clear_away(output)
        _opening(page)
        try:
            with Stage(output) as stage:
                stage.failed = True
                Story(stage, page).tell()
                stage.failed = False
        except (NotTrue, CommandFailed, ControlError) as error:
            page.failure(f"This should not have happened: {error}")
            page.say(f"What was captured and logged until then is in {output}.")
            return 1
    page.line()
    page.say(f"The whole story took {time.monotonic() - began:.0f} seconds, and every ✔ was checked.")
    return 0


@contextmanager
def _ending_well() -> Iterator[None]:
    """Being told to end is an interruption: the network is taken away first."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _clear_away(output: Path) -> None:
    """Remove what an earlier story left, and nothing else."""
    for name in (CAPTURE, PICTURE, f"{KEYS}/ikev1_decryption_table", f"{KEYS}/esp_sa", "alice.log", "bob.log"):
        (output / name).unlink(missing_ok=True)


def _opening(page: Page) -> None:
    page.title("Ringfence: two computers, one contract", "about 20 seconds" if page.paced else "")
    page.line()
    page.line(f"   alice {ALICE} ────── router ────── bob {BOB}")
    page.line("                              │")
    page.line(f"                     mallory {MALLORY}")
    page.line()
    page.say(
        "Three computers, each with a Linux network of its own, built inside this machine; nothing outside is touched. "
        "The router stands for everything between two computers, and whoever is there sees each packet. So do we."
    )


class Story:
    """The six scenes."""

    def __init__(self, stage: Stage, page: Page) -> None:
        self.stage, self.page, self.tap = stage, page, stage.wiretap
        self.rows: list[tuple[int, Chapter]] = []
        """Chapters of the picture, with the number of the first frame in each."""
        self.stopped: set[int] = set()
        """Numbers of frames that were dropped where they arrived."""
        self.attacks: set[int] = set()
        self.began = time.time()
        self.before: dict[str, dict[str, str]] = {}

    def tell(self) -> None:
        """All of it, from the first scene to the last."""
        self.in_clear()
        self.before = self.stage.traces()
        alice, bob = self.policy()
        self.agreement(alice)
        self.attacker(bob)
        self.balance(alice, bob)

    def check(self, true: object, claim: str, otherwise: str = "") -> None:
        """Print ``claim``, or raise NotTrue with what happened instead."""
        if not true:
            raise NotTrue(otherwise or f"it is not true that: {claim}")
        self.page.fact(claim)

    def chapter(self, number: int, title: str) -> None:
        """A heading, on the page and in the picture."""
        self.page.scene(number, title)
        self.rows.append((self.tap.mark(), Chapter(time.time() - self.began, f"{number}  {title}")))

    # 1

    def in_clear(self) -> None:
        """Two hosts talk in clear."""
        page, mark = self.page, self.tap.mark()
        self.chapter(1, "In clear")
        page.say("Bob has a web server. Alice asks it for a page; her password is part of the question.")
        answer = self.stage.answer(self.stage.fetch("alice"))
        self.tap.settle()
        seen = self.tap.since(mark)
        question = next((one for one in seen if one.source == ALICE and PASSWORD.encode() in one.payload), None)
        reply = next((one for one in seen if one.source == BOB and PAYROLL.encode() in one.payload), None)
        if question is None or reply is None or answer is None:
            raise NotTrue("alice's request in clear did not get through")
        page.say("On the wire, from alice to bob, and back:")
        page.quote(*text_of(question.payload, 3))
        page.quote(*text_of(reply.payload, 20)[-2:])
        self.check(answer.strip() == PAYROLL, "Alice has her page. Whoever is on the way has it too, and her password.")

    # 2

    def policy(self) -> tuple[Agent, Agent]:
        """Both hosts get the policy."""
        page, stage = self.page, self.stage
        self.chapter(2, "The same policy for both")
        page.say("Five lines, the same on alice and bob, and a key that both know in a file beside them:")
        page.quote(*POLICY.splitlines(), style="")
        key = new_key()
        paths = {name: stage.write_policy(name, key) for name in ("alice", "bob")}
        loaded = FileStore(paths["alice"]).load()
        compiled = compile_policy(loaded.policy, HostFacts((parse_address(ALICE),)), loaded.keys)
        page.say("What this will do on alice:")
        for line in plan(None, compiled).lines():
            page.say(line)
        alice = Agent(stage.host("alice"), paths["alice"], key_log=stage.output / KEYS)
        bob = Agent(stage.host("bob"), paths["bob"])
        stage.agents = {"alice": alice, "bob": bob}
        for agent in (alice, bob):
            agent.wait_until_ready()
        rules = [agent.status().policy.rules for agent in (alice, bob)]
        self.check(
            all(names == ["our computers talk protected"] for names in rules),
            "Both follow the policy (ringfence run policy.toml). No packet has been protected yet: there is nobody to "
            "agree with until there is something to say.",
            f"the running policies are {rules}",
        )
        return alice, bob

    # 3 and 4

    def agreement(self, alice: Agent) -> None:
        """Alice asks again: the two agree on keys, then her request goes out protected."""
        page, mark, first = self.page, self.tap.mark(), alice.count()
        self.chapter(3, "The two agree")
        page.say(
            "Alice asks for the page again. Her first packet waits while the two computers agree, by a protocol called "
            "IKE: in main mode they make a secret channel and prove who they are; in quick mode they agree, inside it, "
            "how to protect their traffic."
        )
        client = self.stage.fetch("alice")
        told: list[tuple[str, int]] = []
        facts: dict[str, str] = {}
        for record in alice.events(first, until=lambda one: one.event == "quick-mode-established", seconds=10):
            if record.event == "ike-message":
                exchange, number = str(record.fields["exchange"]), int(record.fields["number"] or 0)
                told.append((exchange, number))
                page.arrow(
                    f"{exchange} {number}: {record.fields['payloads']}",
                    right=bool(record.fields["sent"]), ends=("alice", "bob"),
                    meaning=MEANINGS.get((exchange, number), ""),
                )  # fmt: skip
            elif record.event in ("main-mode-established", "quick-mode-established"):
                facts[record.event] = str(record.fields.get("proposal") or record.fields.get("protection"))
            elif record.event.endswith("failed"):
                raise NotTrue(record.text)
        expected = {("main mode", n) for n in range(1, 7)} | {("quick mode", n) for n in range(1, 4)}
        self.check(
            "main-mode-established" in facts and expected <= set(told),
            f"Main mode: each has proved to know the key, without showing it ({facts.get('main-mode-established')}).",
            f"main mode did not come to its end: {told}",
        )
        self.check(
            "quick-mode-established" in facts,
            f"Quick mode: they have fresh keys for each direction ({facts.get('quick-mode-established')}).",
            "quick mode did not come to its end",
        )
        answer = self.stage.answer(client)
        self.tap.settle()
        self.protected(answer, mark)

    def protected(self, answer: str | None, mark: int) -> None:
        """The request of scene 1 again, as a stranger sees it now."""
        page = self.page
        frames = self.tap.since(mark)
        start = next((n for n, one in enumerate(frames) if one.kind is Kind.PROTECTED), len(frames))
        self.chapter(4, "The same request, protected")
        self.rows[-1] = (mark + start, self.rows[-1][1])
        page.say(
            "Meanwhile the packet that waited was sent, and bob has answered. Every packet is now in an envelope "
            "called ESP, encrypted and sealed. The same question and answer on the wire:"
        )
        protected = [one for one in frames if one.kind is Kind.PROTECTED]
        longest = sorted(sorted(protected, key=lambda one: -len(one.payload))[:2], key=lambda one: one.at)
        for one in longest:
            page.quote(f"{one.source} → {one.destination}  {one.label}", dump(one.payload))
        clear = [one.label for one in frames if one.kind is Kind.CLEAR]
        whole = b"".join(one.frame for one in frames)
        self.check(
            answer is not None and answer.strip() == PAYROLL,
            "Alice has the same page as before. Neither her program nor bob's web server knows anything of IPsec.",
            "alice did not get her page through IPsec",
        )
        self.check(
            not clear and longest and PASSWORD.encode() not in whole and PAYROLL.encode() not in whole,
            f"On the wire there were {_counts(frames)}, and nothing else. The password is not among them.",
            f"clear packets were on the wire: {clear}",
        )

    # 5

    def attacker(self, bob: Agent) -> None:
        """Mallory, a replayed packet, a changed packet."""
        page = self.page
        self.chapter(5, "An attacker")
        page.say("Mallory is in the same network and has neither policy nor key. She asks bob for the page:")
        self._mallory(bob)
        page.say("Then she sits down at the router, takes a packet of alice's, and sends it to bob once more:")
        mark = self.tap.mark()
        genuine = [one for one in self.tap.since() if one.kind is Kind.PROTECTED and one.source == ALICE]
        packet = max(genuine, key=lambda one: one.sequence)
        self._attack(bob, packet.frame, "replayed", "Bob has had this number before, and drops it: 1 replayed.")
        page.say("She numbers it as a new one, and turns over one bit of what is inside:")
        changed = bytearray(packet.frame)
        at = len(changed) - len(packet.payload) - 4
        changed[at : at + 4] = (packet.sequence + 1).to_bytes(4)
        changed[-20] ^= 1
        self._attack(
            bob, bytes(changed), "bad-integrity", "The checksum needs the key. Bob drops it: 1 failed integrity."
        )
        self.attacks |= set(range(mark, self.tap.mark()))
        self.stopped |= set(range(mark, self.tap.mark()))
        again = self.stage.answer(self.stage.fetch("alice"))
        self.tap.settle()
        self.check(
            again is not None and again.strip() == PAYROLL,
            "Alice and bob notice nothing of it: their traffic goes on.",
            "alice's request did not get through after the attack",
        )  # fmt: skip
        page.say("Bob's own account (ringfence status, on bob):")
        page.quote(*bob.command("status"), style="")

    def _mallory(self, bob: Agent) -> None:
        mark, before = self.tap.mark(), bob.dropped(FALLEN)
        answer = self.stage.answer(self.stage.fetch("mallory", seconds=1.6))
        dropped = bob.wait_for_drops(FALLEN, before + 1) - before
        seen = self.tap.since(mark)
        self.attacks |= set(range(mark, mark + len(seen)))
        self.stopped |= {mark + n for n, one in enumerate(seen) if one.destination == BOB}
        self.check(
            answer is None and dropped >= 1 and not any(one.source == BOB for one in seen),
            f"Bob does not even answer. He has counted it: {dropped} in clear but security required.",
            f"bob's answer was {answer!r}, and he dropped {dropped} packets",
        )

    def _attack(self, bob: Agent, frame: bytes, reason: str, claim: str) -> None:
        before = bob.dropped(reason)
        self.tap.inject(self.stage.interfaces["bob"], frame)
        found = bob.wait_for_drops(reason, before + 1) - before
        self.check(found == 1, claim, f"bob dropped {found} packets as {reason}")

    # 6

    def balance(self, alice: Agent, bob: Agent) -> None:
        """What stands now, and what remains."""
        page, stage = self.page, self.stage
        self.chapter(6, "What stands now")
        page.say("The security associations, as alice sees them (ringfence sa list, on alice):")
        page.quote(*alice.command("sa", "list"), style="")
        traffic = alice.status().traffic
        self.check(
            traffic.sent_protected.packets and traffic.received_protected.packets,
            f"Alice sent {traffic.sent_protected.packets} packets protected and received "
            f"{traffic.received_protected.packets}.",
            "alice's counters say that nothing was protected",
        )
        for agent in (alice, bob):
            agent.stop()
        after = stage.traces()
        left = [
            f"{part} on {name}"
            for name, parts in after.items()
            for part, text in parts.items()
            if text != self.before[name][part]
        ]
        self.check(
            not left,
            "Both are stopped, and their computers are as before: interfaces, routes, firewall and settings.",
            f"something was left: {', '.join(left)}",
        )
        self.tap.settle()
        self._keepsakes()

    def _keepsakes(self) -> None:
        page, output = self.page, self.stage.output
        frames = self.tap.since()
        picture = draw(frames, self.rows, self.attacks, self.stopped, self.began)
        (output / PICTURE).write_text(picture, encoding="utf-8")
        found = check_keys(output / KEYS, frames, f"GET {PAGE_PATH}".encode())
        self.check(
            found,
            "With the keys that alice was told to log, the captured packets open: her question is in them.",
            "the logged keys do not open the captured packets",
        )
        page.line()
        page.say("Kept for you:")
        shown = _shell(output)
        rows = (
            (PICTURE, "who sent what to whom", (f"xdg-open {shown}/{PICTURE}",)),
            (CAPTURE, "all packets, as the router saw them", (f"wireshark {shown}/{CAPTURE}",)),
            (
                KEYS,
                "the keys; with them Wireshark shows the same packets decrypted",
                (f"WIRESHARK_CONFIG_DIR={shown}/{KEYS} \\", f"  wireshark {shown}/{CAPTURE}"),
            ),
        )
        for name, what, command in rows:
            page.line(f"   {name:<14} {what}")
            for number, line in enumerate(command):
                page.line(f"     {' ' if number else '$'} {line}", "dim")


def _counts(frames: list[Seen]) -> str:
    ike, esp = (sum(one.kind is kind for one in frames) for kind in (Kind.IKE, Kind.PROTECTED))
    return f"{ike} messages of IKE and {esp} packets of ESP"


def _shell(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
