# SPDX-License-Identifier: Apache-2.0
"""``netsh ipsec dynamic``: rules that Windows forgets when its service stops, and settings of the service itself.

A dynamic rule becomes a connection security rule where it negotiates, and filters where it permits or blocks; they
stand beside the assigned policy, as on Windows. Here they stay.
"""

from dataclasses import dataclass, field, replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.ipfilter import format_filter, mirror
from ringfence.policy.methods import weak
from ringfence.policy.model import Filter, Keyword, Kind, Need, Reading, Rule, Secure, Verb
from ringfence.policy.terms import Auth, CrlCheck, Kerberos, MainMode
from ringfence.policy.windows import DefaultExempt, IpFilter, Response
from ringfence.transfer.consec import kind_of
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.boot import read_exemptions, read_mode
from ringfence.transfer.netsh.filters import read_filter
from ringfence.transfer.netsh.methods import LONGEST_S, ipsec_main_modes, ipsec_offers
from ringfence.transfer.netsh.script import Line
from ringfence.transfer.netsh.session import WEAK_CURE, Session, ipsec_auth
from ringfence.transfer.netsh.static import AUTH, CONNECTIONS, RESPONSES

ENDS = ("srcaddr", "dstaddr")
MORE = ("protocol", "srcport", "dstport", "mirrored", "conntype")
MASKS = ("srcmask", "dstmask", "tunneldstaddress")
ACTIONS = ("actioninbound", "actionoutbound")
TAGS = {
    "add mmpolicy": ("name", "qmpermm", "mmlifetime", "softsaexpirationtime", "mmsecmethods"),
    "set mmpolicy": ("name", "qmpermm", "mmlifetime", "softsaexpirationtime", "mmsecmethods"),
    "add qmpolicy": ("name", "soft", "pfsgroup", "qmsecmethods"),
    "set qmpolicy": ("name", "soft", "pfsgroup", "qmsecmethods"),
    "add rule": (*ENDS, "mmpolicy", "qmpolicy", *MORE, *ACTIONS, *MASKS, *AUTH),
    "set rule": (*ENDS, *MORE, *MASKS, "mmpolicy", "qmpolicy", *ACTIONS, *AUTH),
    "delete rule": (*ENDS, *MORE, *MASKS),
    "delete mmpolicy": ("name",),
    "delete qmpolicy": ("name",),
    "delete all": (),
    "set config": ("property", "value"),
}
GROUPS: dict[str, DhGroup | bool] = {
    "grp1": DhGroup.MODP_768,
    "grp2": DhGroup.MODP_1024,
    "grp3": DhGroup.MODP_2048,
    "grpmm": True,
    "nopfs": False,
}
STAYS = "on Windows it is gone when the service stops; here it stays"
LOGGING = "what is logged is no part of a policy here: ringfence monitor shows events"
LEFT_OUT = {
    "ipsecdiagnostics": LOGGING, "ikelogging": LOGGING, "ipsecloginterval": LOGGING,
}  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A dynamic rule that is being made."""

    line: Line
    filter: IpFilter
    said: dict[str, str]
    auth: tuple[Auth, ...] = ()


@dataclass(slots=True)
class QuickMode:
    """A quick mode policy."""

    methods: tuple[SecurityMethod, ...] = ()
    soft: bool = False
    pfs: DhGroup | bool = False


@dataclass(slots=True)
class Dynamic:
    """The running store."""

    session: Session
    main_modes: dict[str, MainMode] = field(default_factory=dict)
    quick_modes: dict[str, QuickMode] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    exempt: DefaultExempt = DefaultExempt.IKE
    exempt_line: Line | None = None
    crl_check: CrlCheck | None = None
    boot: BootSettings = NO_BOOT

    def run(self, command: str, said: Arguments) -> None:
        """Carry out ``command``, a key of ``TAGS``; raises Refused."""
        verb, noun = command.split()
        if noun == "config":
            self._config(said)
        elif noun == "all":
            self.main_modes, self.quick_modes, self.drafts = {}, {}, []
        elif noun == "rule":
            self._rule(verb, said)
        elif verb == "delete":
            found: dict[str, MainMode] | dict[str, QuickMode] = (
                self.main_modes if noun == "mmpolicy" else self.quick_modes
            )
            if said.need("name").lower() == "all":
                found.clear()
            found.pop(said.need("name").lower(), None)
        elif noun == "mmpolicy":
            self._main_mode(said)
        else:
            self._quick_mode(said)

    def _config(self, said: Arguments) -> None:
        name, value = said.need("property").lower(), said.need("value").lower()
        if name == "ipsecexempt" and value in ("0", "1", "2", "3"):
            self.exempt, self.exempt_line = DefaultExempt(int(value)), self.session.line
        elif name == "strongcrlcheck" and value in ("0", "1", "2"):
            self.crl_check = list(CrlCheck)[int(value)]
        elif name == "bootmode":
            self.boot = replace(self.boot, mode=read_mode(value))
        elif name == "bootexemptions":
            self.boot = replace(self.boot, exempt=read_exemptions(value))
        else:
            raise Refused(LEFT_OUT.get(name, f'"{name} = {value}" is no setting that netsh knows'))

    def _main_mode(self, said: Arguments) -> None:
        name = said.need("name").lower()
        old = self.main_modes.get(name, MainMode())
        if said.number("mmlifetime", 0) * 60 > LONGEST_S:
            self.session.note(f"keys live {LONGEST_S} seconds at most: mmlifetime is in minutes")
        seconds = min(max(said.number("mmlifetime", old.lifetime_s // 60), 1) * 60, LONGEST_S)
        limits, methods = Limits(seconds), old.methods
        if said.get("mmsecmethods"):
            methods = self.session.methods(ipsec_main_modes(said.get("mmsecmethods"), limits))
        if "softsaexpirationtime" in said:
            self.session.leave_out("how long a fallback to clear lasts is not set here: five minutes")
        methods = tuple(replace(one, limits=limits) for one in methods)
        self.main_modes[name] = MainMode(methods, seconds, said.number("qmpermm", old.sessions))

    def _quick_mode(self, said: Arguments) -> None:
        name = said.need("name").lower()
        old = self.quick_modes.get(name, QuickMode())
        methods = old.methods
        if said.get("qmsecmethods"):
            methods = self.session.methods(ipsec_offers(said.get("qmsecmethods")))
        pfs = said.choice("pfsgroup", GROUPS, old.pfs)
        self.quick_modes[name] = QuickMode(methods, said.flag("soft", default=old.soft), pfs)

    def _rule(self, verb: str, said: Arguments) -> None:
        if said.get("tunneldstaddress") and verb != "delete":
            raise Refused("tunnels of dynamic rules are not brought along", "Make it a static one, or a [[rule]].")
        item = read_filter(said)
        same = [one for one in self.drafts if one.filter == item]
        if verb == "delete":
            self.drafts = [one for one in self.drafts if one.filter != item]
            return
        auth = ipsec_auth(self.session, said, "dynamic " + format_filter(item))
        if verb == "set":
            for one in same:
                one.said |= dict(said.said)
                one.auth = auth or one.auth
            if not same:
                raise Refused("there is no such rule", "It has to be added before.")
            return
        if same:
            raise Refused("there is such a rule already, and netsh refuses it")
        self.drafts.append(Draft(self.session.line, item, dict(said.said), auth))

    def statements(self) -> tuple[list[Rule], list[Filter]]:
        """What the rules mean; what cannot be carried over goes to the session."""
        rules, filters = list[Rule](), list[Filter]()
        for draft in self.drafts:
            self.session.line = draft.line
            try:
                self._statement(draft, rules, filters)
            except Refused as refused:
                self.session.leave_out(refused.why, refused.cure)
            else:
                self.session.note(STAYS)
        return rules, filters

    def _statement(self, draft: Draft, rules: list[Rule], filters: list[Filter]) -> None:
        said = Arguments((), ())
        said.add(draft.said)
        inward, outward = (said.choice(tag, RESPONSES, Response.NEGOTIATE) for tag in ACTIONS)
        scope = said.choice("conntype", CONNECTIONS, CONNECTIONS["all"]).scope
        if Response.NEGOTIATE in (inward, outward):
            if inward is not outward:
                raise Refused("it negotiates in one direction only")
            rules.append(replace(self._negotiating(draft), scope=scope))
            return
        item = draft.filter if draft.filter.destination is not Keyword.ME else mirror(draft.filter)
        if inward is outward:
            verb = Verb.PERMIT if inward is Response.PERMIT else Verb.BLOCK
            inwards = item is not draft.filter and not item.mirrored
            traffic = draft.filter.traffic if inwards else item.traffic
            filters.append(Filter(
                _name(draft), verb, (traffic,), (item.source,), (item.destination,),
                direction=Reading.IN if inwards else Reading.OUT, mirrored=item.mirrored, scope=scope,
            ))  # fmt: skip
            return
        raise Refused("it permits one direction and blocks the other", "Write a [[filter]] for each direction.")

    def _negotiating(self, draft: Draft) -> Rule:
        quick = self.quick_modes.get(draft.said.get("qmpolicy", "").lower())
        if quick is None:
            raise Refused("it negotiates, and its qmpolicy is not known")
        if not draft.filter.mirrored:
            raise Refused("it negotiates, and its filter is for one direction only", "Say mirrored=yes.")
        item = draft.filter if draft.filter.destination is not Keyword.ME else mirror(draft.filter)
        mode = self.main_modes.get(draft.said.get("mmpolicy", "").lower())
        group = quick.pfs if isinstance(quick.pfs, DhGroup) else None
        names = weak([*quick.methods, group, *(mode.methods if mode is not None else ())])
        if names:
            self.session.note(f"{', '.join(names)} can be broken today", WEAK_CURE)
        out = Need.REQUEST if quick.soft else Need.REQUIRE
        rule = Rule(
            _name(draft), Kind.CUSTOM, (item.source,), (item.destination,),
            either_end=Keyword.ME not in (item.source, item.destination), traffic=(item.traffic,),
            secure=Secure(Need.REQUIRE, out), auth=draft.auth or (Kerberos(),), protect=quick.methods, pfs=quick.pfs,
            main_mode=mode, legacy=bool(names),
        )  # fmt: skip
        return replace(rule, kind=kind_of(rule))


def _name(draft: Draft) -> str:
    return f"dynamic {format_filter(draft.filter)}"[:100]
