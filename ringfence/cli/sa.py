# SPDX-License-Identifier: Apache-2.0
"""``ringfence sa``: the security associations, listed, shown and ended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.audit import keying_word
from ringfence.cli import output, words
from ringfence.cli.output import Cell, Column, JsonOption, Shown, SocketOption

if TYPE_CHECKING:
    from ringfence.control.messages import MainModeSa, QuickModeSa, Sas, Volume

app = typer.Typer(help="List, show and delete security associations.", no_args_is_help=True, rich_markup_mode=None)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As in the list: m1, q3, or an SPI such as 0x5f3a11c0.", show_default=False)
]


@app.command("list")
def list_(socket: SocketOption = None, json: JsonOption = False) -> None:
    """List all SAs: main modes (IKE) and quick modes (AH, ESP)."""
    answer = _all(socket)
    if json:
        output.say_json(answer)
        return
    now = datetime.now(UTC)
    if not answer.main_modes and not answer.quick_modes:
        output.say("There are no SAs. They are made when traffic needs them.")
        if answer.soft:
            output.say()
            _soft(answer, now)
        return
    output.say(Cell("Quick mode SAs", "head"))
    _quick_modes(answer, now)
    output.say()
    output.say(Cell("Main mode SAs", "head"))
    _main_modes(answer, now)
    if answer.soft:
        output.say()
        _soft(answer, now)


@app.command()
def show(name: IdArgument, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Show all about one SA. Keys are never shown."""
    from ringfence.control.errors import NotThere

    answer = _all(socket)
    now = datetime.now(UTC)
    for main in answer.main_modes:
        if name == main.id:
            _one(main, _main_mode(main, now), json)
            return
    for quick in answer.quick_modes:
        if name == quick.id or name.lower() in quick.spi_in + quick.spi_out:
            _one(quick, _quick_mode(quick, now), json)
            return
    raise NotThere(f"There is no SA {name}.", cure="ringfence sa list  shows those that are.")


@app.command()
def delete(name: IdArgument, socket: SocketOption = None, json: JsonOption = False) -> None:
    """End an SA and tell the peer. Traffic that needs one makes a new one."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.delete_sa(name)
    if json:
        output.say_json(answer)
    else:
        output.say(answer.text)


def _all(socket: SocketOption) -> "Sas":
    from ringfence.control.client import Client

    with Client(socket) as client:
        return client.sas()


def _one(sa: "MainModeSa | QuickModeSa", rows: Iterator[tuple[str, Shown]], json: bool) -> None:
    if json:
        output.say_json(sa)
    else:
        output.pairs(rows)


def _quick_modes(answer: "Sas", now: datetime) -> None:
    columns = [
        Column("ID"), Column("PEER"), Column("TRAFFIC", optional=2), Column("PROTECTION"), Column("MODE", optional=1),
        Column("SENT", right=True), Column("RECEIVED", right=True), Column("EXPIRES", right=True),
        Column("RULE", optional=3),
    ]  # fmt: skip
    rows: list[list[Shown]] = [
        [
            sa.id, sa.peer, traffic(sa), sa.protection, sa.mode, words.octets(sa.sent.octets),
            words.octets(sa.received.octets), _expiry(sa.expires_at, now), sa.rule,
        ]
        for sa in answer.quick_modes
    ]  # fmt: skip
    output.table(columns, rows)


def _main_modes(answer: "Sas", now: datetime) -> None:
    columns = [
        Column("ID"), Column("PEER"), Column("IKE"), Column("IDENTITY", optional=1), Column("STATE", optional=2),
        Column("PROPOSAL"),
        Column("EXPIRES", right=True), Column("QUICK MODES"),
    ]  # fmt: skip
    rows: list[list[Shown]] = [
        [
            sa.id, sa.remote.removesuffix(":500"), sa.keying.removeprefix("ike"), sa.remote_identity, sa.state,
            sa.proposal or f"({sa.state})", _expiry(sa.expires_at, now),
            " ".join(sa.quick_modes) or "-",
        ]
        for sa in answer.main_modes
    ]  # fmt: skip
    output.table(columns, rows)


def _soft(answer: "Sas", now: datetime) -> None:
    output.say(Cell("In clear (fallback)", "warn"))
    columns = [
        Column("PEER"), Column("SINCE", right=True), Column("SENT", right=True), Column("NEXT TRY", right=True),
        Column("RULE"), Column("WHY", optional=1),
    ]  # fmt: skip
    rows: list[list[Shown]] = [
        [
            soft.remote, words.short_ago(soft.since, now), words.octets(soft.sent.octets),
            _expiry(soft.tries_again_at, now), soft.rule, soft.why,
        ]
        for soft in answer.soft
    ]  # fmt: skip
    output.table(columns, rows)


def _expiry(when: datetime | None, now: datetime) -> str:
    return "-" if when is None else f"in {words.short_ago(when, now)}" if when > now else "now"


def traffic(sa: "QuickModeSa") -> str:
    """``10.0.0.1 <-> 10.0.0.2:80 tcp``."""
    protocol = "" if sa.protocol == "any" else f" {sa.protocol}"
    return f"{sa.local} <-> {sa.remote}{protocol}"


def _main_mode(sa: "MainModeSa", now: datetime) -> Iterator[tuple[str, Shown]]:
    yield (
        "main mode",
        f"{sa.id}, {keying_word(sa.keying)}, {sa.state}, {'begun by us' if sa.initiator else 'begun by the peer'}",
    )
    yield "peer", _named(sa.remote, sa.remote_identity)
    if sa.proof:
        yield "proved by", sa.proof
    if sa.begun_at:
        yield "began at", sa.begun_at
    yield "we", _named(sa.local, sa.local_identity)
    if sa.mobike:
        yield "may move", "yes (MOBIKE)"
    if sa.proposal:
        yield "proposal", sa.proposal
    yield (
        "cookies" if sa.keying == "ikev1" else "IKE SPIs",
        f"{sa.initiator_cookie} (initiator), {sa.responder_cookie} (responder)",
    )
    if sa.made_at is not None:
        yield from _life(sa.made_at, sa.expires_at, now)
    yield "quick modes", ", ".join(sa.quick_modes) or "none"
    if sa.rule:
        yield "rule", sa.rule


def _quick_mode(sa: "QuickModeSa", now: datetime) -> Iterator[tuple[str, Shown]]:
    under = f"{keying_word(sa.keying)}, under {sa.main_mode}" if sa.main_mode else "manual keys"
    yield "quick mode", f"{sa.id}, {under}"
    yield "traffic", f"{traffic(sa)}, any protocol" if sa.protocol == "any" else traffic(sa)
    yield "peer", _named(sa.peer, sa.peer_identity)
    yield "protection", f"{sa.protection}, {sa.mode}"
    yield "SPIs", f"in {' '.join(sa.spi_in)} · out {' '.join(sa.spi_out)}"
    yield from _life(sa.made_at, sa.expires_at, now)
    yield "sent", _volume(sa.sent)
    yield "received", _volume(sa.received)
    if sa.last_used is not None:
        yield "last used", words.ago(sa.last_used, now)
    if sa.path_mtu is not None:
        yield "path MTU", f"{sa.path_mtu} octets"
    if sa.replaces is not None:
        yield "replaces", sa.replaces
    yield "rule", sa.rule


def _named(address: str, identity: str) -> str:
    """``10.0.0.1:500 as bob.lab``; an identity that is the address needs no second word."""
    return address if not identity or identity in address else f"{address} as {identity}"


def _life(made: datetime | None, expires: datetime | None, now: datetime) -> Iterator[tuple[str, Shown]]:
    if made is not None:
        yield "made", f"{words.clock(made, now)}, {words.ago(made, now)}"
    yield "expires", "never by time" if expires is None else f"{words.clock(expires, now)}, {words.ago(expires, now)}"


def _volume(volume: "Volume") -> str:
    return f"{words.count(volume.packets, 'packet')}, {words.octets(volume.octets)}"
