# SPDX-License-Identifier: Apache-2.0
"""What the API asks, answered out of what runs: engines' values in, messages out."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ringfence import __version__
from ringfence.audit import PolicyEdited
from ringfence.backends.base import BackendStatistics, ChildTraffic, SoftTraffic
from ringfence.control.draining import Drained, Draining
from ringfence.control.edits import Edited, RecordedEdit
from ringfence.control.entries import end, entries, protocol_name
from ringfence.control.errors import NotThere, Refused
from ringfence.control.explaining import explained, explained_at_boot
from ringfence.control.messages import (
    Application,
    Applied,
    Confirmed,
    DataPath,
    Deleted,
    EventRecord,
    Explanation,
    MainModeSa,
    Network,
    Planned,
    PolicyState,
    PolicyView,
    QuickModeSa,
    Refusal,
    Reloaded,
    Sas,
    SoftSa,
    Status,
    Traffic,
    Volume,
)
from ringfence.control.storing import DynamicChange, DynamicDocument, set_aside_views, store_views
from ringfence.control.troubles import WhyAnswer
from ringfence.control.users import harmless, user_said
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Action
from ringfence.ike.info import IkeSaInfo, keying_by
from ringfence.net.address import format_address
from ringfence.net.flow import FlowKey
from ringfence.policy import words
from ringfence.policy.boot import NO_BOOT
from ringfence.policy.bootwords import summary
from ringfence.policy.networks import Situation
from ringfence.policy.plan import Plan
from ringfence.policy.write import effective
from ringfence.service.draining import drained
from ringfence.service.events import EventLog, Recorded
from ringfence.service.host import peer_of
from ringfence.service.now import protected_by, without_sa
from ringfence.service.peers import PeerTable, Soft
from ringfence.service.reload import PolicyKeeper, Running
from ringfence.service.staging import Stage
from ringfence.service.troubles import TroubleTable
from ringfence.service.why import Policy, trouble_with

BY_HAND = "deleted by hand"


class Sessions(Protocol):
    """The IKE engine, as questions see it."""

    def ike_sas(self) -> tuple[IkeSaInfo, ...]:
        """All main modes."""

    def child_sas(self) -> tuple[ChildSa, ...]:
        """All quick modes."""


class Counting(Protocol):
    """The backend, as questions see it."""

    name: str

    def statistics(self) -> BackendStatistics:
        """Totals so far."""


class Ending(Protocol):
    """The host, as orders see it."""

    def delete_child(self, child_id: int, why: str) -> None:
        """End the SAs of a quick mode."""

    def delete_ike(self, ike_id: int, why: str) -> None:
        """End a main mode SA."""

    def drain(self, to: bytes | None) -> None:
        """Send clients to another gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stays the same while the service runs."""

    started_at: datetime
    pid: int
    device: str
    key_log: Path | None
    today: Callable[[], datetime]
    date_of: Callable[[float], datetime]
    """The date of a moment on the engines' clock."""


class Answers:
    """Serves ``control.server.Service``."""

    def __init__(
        self, facts: Facts, *, ike: Sessions, backend: Counting, host: Ending, keeper: PolicyKeeper, stage: Stage,
        events: EventLog, peers: PeerTable, troubles: TroubleTable,
    ) -> None:  # fmt: skip
        self._facts = facts
        self._ike = ike
        self._backend = backend
        self._host = host
        self._keeper = keeper
        self._stage = stage
        self._events = events
        self._peers = peers
        self._troubles = troubles

    def status(self) -> Status:
        """The whole on one page."""
        statistics, facts = self._backend.statistics(), self._facts
        return Status(
            version=__version__,
            pid=facts.pid,
            started_at=facts.started_at,
            policy=self._policy_state(),
            data_path=DataPath(backend=self._backend.name, device=facts.device),
            peers=self._peers.rows(facts.today(), self._soft_peers(statistics)),
            traffic=Traffic(
                sent_protected=Volume(packets=statistics.protected_packets_out, octets=statistics.protected_octets_out),
                sent_clear=Volume(packets=statistics.clear_packets_out, octets=statistics.clear_octets_out),
                received_protected=Volume(
                    packets=statistics.protected_packets_in, octets=statistics.protected_octets_in
                ),
            ),
            networks=[_network(one) for one in self._running().compiled.situations if one.name],
            dropped=dict(statistics.dropped),
            key_log=str(facts.key_log) if facts.key_log else None,
        )

    def sas(self) -> Sas:
        """All SAs."""
        statistics = self._backend.statistics()
        traffic, children = statistics.children, self._ike.child_sas()
        return Sas(
            main_modes=[self._main_mode(sa) for sa in self._ike.ike_sas()],
            quick_modes=[self._quick_mode(child, traffic.get(child.id, ChildTraffic())) for child in children],
            soft=[self._soft_sa(one) for one in statistics.soft],
        )

    async def delete_sa(self, name: str) -> Deleted:
        """End an SA, by id or SPI; raises NotThere."""
        sas = self.sas()
        for main in sas.main_modes:
            if name == main.id:
                self._host.delete_ike(int(main.id[1:]), BY_HAND)
                ended = [main.id, *main.quick_modes]
                with_it = f" with {', '.join(main.quick_modes)}" if main.quick_modes else ""
                return Deleted(ids=ended, text=f"Main mode SA {main.id} with {main.remote} was deleted{with_it}.")
        for quick in sas.quick_modes:
            if name == quick.id or name.lower() in (*quick.spi_in, *quick.spi_out):
                self._host.delete_child(int(quick.id[1:]), BY_HAND)
                return Deleted(ids=[quick.id], text=f"The SAs of {quick.id} with {quick.peer} were deleted.")
        raise NotThere(f"There is no SA {name}.", cure="ringfence sa list  shows those that are.")

    def drain(self, order: Draining) -> Drained:
        """Send clients to another gateway; raises BadRequest."""
        return drained(order, self._ike.ike_sas(), self._host.drain)

    def policy(self) -> PolicyView:
        """The running policy."""
        running = self._running()
        return PolicyView(
            document=running.loaded.document_name, applied_at=running.applied_at,
            settings=effective(running.loaded.policy, running.loaded.set_aside),
            entries=entries(running.compiled.spd, running.compiled.pad),
            boot=summary(running.compiled.boot) if running.compiled.boot != NO_BOOT else "",
            stores=store_views(running.loaded.stores), set_aside=set_aside_views(running.loaded.set_aside),
            elsewhere=[words.elsewhere(one) for one in running.compiled.elsewhere.nowhere()],
        )  # fmt: skip

    def explain(self, packet: str) -> Explanation:
        """What happens to a packet now; raises BadRequest."""
        answer, outward = explained(self._running().compiled, packet)
        if answer.verdict != Action.PROTECT.value:
            return answer
        entry = self._running().compiled.spd.outbound(outward)
        child, why = self._serving(outward), list[str]()
        if child is not None:
            now = protected_by(child, self._keying(child))
        else:
            now = without_sa(outward, entry, self._backend.statistics().soft, self._facts.date_of)
            why = self._last_try(format_address(peer_of(entry, outward)))
        lines = [answer.lines[0], f"{'now':<11}{now}", *answer.lines[1:], *why]
        return answer.model_copy(update={"sure": child is not None, "lines": lines})

    def explain_at_boot(self, packet: str) -> Explanation:
        """What would happen to it before the service is up; raises BadRequest."""
        return explained_at_boot(self._running().loaded.policy, packet)

    def why(self, peer: str) -> WhyAnswer:
        """Why there is no security with a peer, or was none; raises BadRequest, and NotThere for one never heard of."""
        compiled, peers = self._running().compiled, self._peers.rows(self._facts.today())
        return trouble_with(peer, Policy(compiled.spd, compiled.pad), peers, self._troubles)

    async def reload(self) -> Reloaded:
        """Read the document now."""
        change = await self._keeper.reload()
        return Reloaded(changed=bool(change), summary=_done(change), lines=list(change.lines()) if change else [])

    async def plan(self, document: Path) -> Planned:
        """What following a document would change."""
        change = await self._stage.plan(document)
        return Planned(changed=bool(change), summary=change.summary(), lines=list(change.lines()))

    async def apply(self, order: Application) -> Applied:
        """Follow another document."""
        change = await self._stage.apply(
            Path(order.document), sessions=tuple(order.sessions), confirm_within_s=order.confirm_within_s,
            force=order.force,
        )  # fmt: skip
        return Applied(
            changed=bool(change), summary=_done(change), lines=list(change.lines()) if change else [],
            confirm_by=self._stage.confirm_by,
        )  # fmt: skip

    def dynamic(self) -> DynamicDocument:
        """The rules that hold until the service stops."""
        rules = self._stage.dynamic
        return DynamicDocument(text=rules.text, revision=rules.revision)

    async def change_dynamic(self, change: DynamicChange) -> Reloaded:
        """Have others."""
        done = await self._stage.change_dynamic(
            change.text, change.revision, sessions=tuple(change.sessions), force=change.force
        )
        return Reloaded(changed=bool(done), summary=_done(done), lines=list(done.lines()) if done else [])

    def edited(self, edit: Edited, uid: int) -> RecordedEdit:
        """Record an edit; raises Refused when it is of a document that is not followed."""
        if edit.document not in self._policy_state().files:
            raise Refused("The service does not follow this document.", place=edit.document)
        who = user_said(edit.behalf, through="sudo") if edit.behalf is not None and uid == 0 else user_said(uid)
        self._events.add(PolicyEdited(
            document=harmless(edit.document), who=who, kind=harmless(edit.kind), name=harmless(edit.name),
            edit=edit.edit, change=harmless(edit.change),
        ))  # fmt: skip
        return RecordedEdit(number=self._events.last_number)

    def confirm(self) -> Confirmed:
        """Let a policy on probation stay."""
        return Confirmed(text=self._stage.confirm())

    def events(self, since: int) -> list[EventRecord]:
        """Kept events above ``since``."""
        self._events.flush()
        return [_record(one) for one in self._events.since(since)]

    async def follow(self, since: int) -> AsyncIterator[EventRecord]:
        """The same, and then each as it comes."""
        async for one in self._events.follow(since):
            yield _record(one)

    def _running(self) -> Running:
        if self._keeper.running is None:
            raise NotThere("There is no policy yet; the service is starting.")
        return self._keeper.running

    def _policy_state(self) -> PolicyState:
        running, refused = self._running(), self._keeper.refused
        return PolicyState(
            document=running.loaded.document_name,
            rules=[name for name, enabled in running.loaded.policy.titles.items() if enabled],
            applied_at=running.applied_at,
            confirm_by=self._stage.confirm_by,
            refused=Refusal(at=refused.at, detail=refused.detail) if refused else None,
            stores=store_views(running.loaded.stores),
            files=[str(path.resolve()) for path in running.loaded.files],
            roots=[str(path.resolve()) for path in running.loaded.roots],
        )

    def _serving(self, outward: FlowKey) -> ChildSa | None:
        return next((child for child in self._ike.child_sas() if child.carries(outward)), None)

    def _last_try(self, address: str) -> list[str]:
        """Why there is no SA with ``address``, if that is known."""
        known = (peer for peer in self._peers.rows(self._facts.today()) if peer.address == address)
        told = [f"{'last try':<11}{one.since.astimezone():%H:%M:%S}, {one.detail}" for one in known if one.detail]
        return [*told, f"{'do':<11}ringfence why {address}"] if told else []

    def _main_mode(self, sa: IkeSaInfo) -> MainModeSa:
        return MainModeSa(
            id=f"m{sa.id}",
            keying=keying_by(sa.path, sa.version),
            state=sa.state.value,
            local=str(sa.path.local),
            remote=str(sa.path.remote),
            local_identity=str(sa.local_identity or ""),
            remote_identity=str(sa.remote_identity or ""),
            proof=sa.proof,
            proposal=str(sa.proposal or ""),
            initiator=sa.initiator,
            initiator_cookie=sa.initiator_cookie.hex(),
            responder_cookie=sa.responder_cookie.hex(),
            rule=sa.rule,
            made_at=self._date(sa.made_at),
            expires_at=self._date(sa.expires_at),
            quick_modes=[f"q{child}" for child in sa.children],
            mobike=sa.mobike,
            begun_at=sa.begun_at,
        )

    def _quick_mode(self, child: ChildSa, traffic: ChildTraffic) -> QuickModeSa:
        selector = child.selector
        made = traffic.since
        return QuickModeSa(
            id=f"q{child.id}",
            main_mode=f"m{child.ike_id}" if child.ike_id else None,
            keying=self._keying(child),
            rule=self._rule(child.entry),
            local=end(selector.source, selector.source_ports, selector.protocol),
            remote=end(selector.destination, selector.destination_ports, selector.protocol),
            protocol=protocol_name(selector.protocol),
            peer=format_address(child.outbound[-1].destination),
            peer_identity=str(child.peer or ""),
            protection=" + ".join(_protection(child)),
            mode=child.mode.value,
            spi_in=[f"0x{sa.spi:08x}" for sa in child.inbound],
            spi_out=[f"0x{sa.spi:08x}" for sa in child.outbound],
            made_at=self._date(made),
            expires_at=self._date(None if made is None or child.hard.seconds is None else made + child.hard.seconds),
            received=Volume(packets=traffic.packets_in, octets=traffic.octets_in),
            sent=Volume(packets=traffic.packets_out, octets=traffic.octets_out),
            last_used=self._date(traffic.last_used),
            path_mtu=traffic.path_mtu,
            replaces=f"q{child.replaces}" if child.replaces is not None else None,
        )

    def _keying(self, child: ChildSa) -> str:
        """Contracts of IKEv1 outlive the IKE SA that they were made under, those of IKEv2 do not."""
        made_under = (keying_by(sa.path, sa.version) for sa in self._ike.ike_sas() if sa.id == child.ike_id)
        return next(made_under, "ikev1") if child.ike_id else ""

    def _soft_sa(self, soft: SoftTraffic) -> SoftSa:
        remote = format_address(soft.flow.destination)
        return SoftSa(
            rule=self._rule(soft.entry), local=format_address(soft.flow.source), remote=remote,
            since=self._facts.date_of(soft.since), tries_again_at=self._facts.date_of(soft.until),
            sent=Volume(packets=soft.packets_out, octets=soft.octets_out), last_used=self._date(soft.last_used),
            why=self._peers.detail(remote),
        )  # fmt: skip

    def _soft_peers(self, statistics: BackendStatistics) -> dict[str, Soft]:
        return {
            format_address(soft.flow.destination): (self._rule(soft.entry), self._facts.date_of(soft.since))
            for soft in statistics.soft
        }

    def _rule(self, name: str) -> str:
        running = self._keeper.running
        entry = running.compiled.spd.named(name) if running else None
        return entry.origin.rule if entry else name

    def _date(self, moment: float | None) -> datetime | None:
        return None if moment is None else self._facts.date_of(moment)


def _network(one: Situation) -> Network:
    return Network(
        interface=one.name, kind=one.kind.value, profile=one.profile.value, why=one.why,
        addresses=list(map(format_address, one.addresses)),
    )  # fmt: skip


def _done(change: Plan) -> str:
    return f"Applied: {change.summary()}." if change else "Nothing changed."


def _protection(child: ChildSa) -> Iterable[str]:
    for sa in child.outbound:
        names = "-".join(str(part) for part in (sa.cipher, sa.authenticator) if part is not None)
        yield f"{sa.protocol.name.lower()} {names}" + (" esn" if sa.esn else "")


def _record(one: Recorded) -> EventRecord:
    fields = one.event.fields()
    return EventRecord(
        number=one.number, at=one.at, event=one.event.NAME, windows_id=one.event.windows_id, text=str(one.event),
        fields={name: value for name, value in fields.items() if name not in ("event", "windows_id")},
    )  # fmt: skip
