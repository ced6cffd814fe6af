# SPDX-License-Identifier: Apache-2.0
"""What holds before the service is up, in words: for checks and plans, and the answer about one packet."""

from collections.abc import Iterator

from ringfence.databases.boot import AfterStop, Because, BootMode, BootSpd, Fate
from ringfence.databases.spd import Action, Direction
from ringfence.policy import words
from ringfence.policy.boot import BootSettings
from ringfence.policy.explain import Question

MODES = {
    BootMode.PERMIT: "all else passes",
    BootMode.BLOCK: "nothing else passes but DHCP and neighbour discovery",
    BootMode.STATEFUL: "of all else what begins here passes, with what answers it, and DHCP and neighbour discovery",
}
AFTER_STOP = {
    AfterStop.OPEN: "a clean stop leaves everything open",
    AfterStop.BOOT: "a clean stop goes back to that",
    AfterStop.GUARD: "a clean stop leaves shut what must be protected",
}
SURE = {Fate.PASSES: "permitted", Fate.ANSWERS: "permitted", Fate.DROPPED: "blocked"}


def summary(boot: BootSettings) -> str:
    """What ``[boot]`` says, in one line."""
    exempt = f"; exempt: {', '.join(map(str, boot.exempt))}" if boot.exempt else ""
    shut = "what is blocked or must be protected is shut"
    return f"{boot.mode.value}: {shut}, and {MODES[boot.mode]}{exempt}; {AFTER_STOP[boot.after_stop]}"


def shut_by(boot: BootSpd) -> tuple[str, ...]:
    """The rules and filters that shut something, each once, as ``rule "lab" policy.toml:2``."""
    return tuple(dict.fromkeys(str(entry.origin) for entry in boot.required))


def answer(boot: BootSpd, question: Question) -> tuple[Fate, tuple[str, ...]]:
    """What happens to a packet before the service is up, and because of what, as lines."""
    told = boot.ask(question.flow, question.direction)
    return told.fate, tuple(_lines(boot, question, told.because))


def _lines(boot: BootSpd, question: Question, because: Because) -> Iterator[str]:
    told = boot.ask(question.flow, question.direction)
    only = ", but only as an answer" if told.fate is Fate.ANSWERS else ""
    yield f"{SURE[told.fate]:<11}before the service is up{only}"
    inward = question.direction is Direction.IN
    begins = "what others begin" if inward else "what begins here"
    mode = f'mode = "{boot.mode.value}"'
    match because:
        case Because.ENTRY if told.entry is not None:
            does = "is blocked" if told.entry.action is Action.DISCARD else "must be protected, and nobody can yet"
            yield f"{'because':<11}it {does}: {told.entry.origin}   {words.traffic(told.entry)}"
        case Because.ALWAYS:
            yield f"{'because':<11}DHCP and neighbour discovery always pass: without them there is no address"
        case Because.WAITS:
            yield f"{'because':<11}IKE and ESP wait for the service: the other side tries again"
        case Because.EXEMPT:
            yield f"{'because':<11}[boot] exempts it from {mode}"
        case _ if told.fate is Fate.PASSES:
            yield f"{'because':<11}nothing requires it to be protected, and {mode} lets {begins} pass"
        case _ if told.fate is Fate.ANSWERS:
            yield f"{'because':<11}{mode} shuts {begins}"
        case _:
            yield f"{'because':<11}{mode} shuts all that is not exempt"
