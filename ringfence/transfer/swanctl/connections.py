# SPDX-License-Identifier: Apache-2.0
"""The connections of swanctl.conf, each with its children and what each side has to prove."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from ringfence.databases.identity import Identity
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.net.address import AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, Auth, Certificate, KeyModule
from ringfence.policy.rawkeys import PublicKeys
from ringfence.policy.scope import EVERYWHERE, Device, Scope
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl import words as known
from ringfence.transfer.swanctl.building import DROP, PASS, TRANSPORT, TUNNEL, Draft
from ringfence.transfer.swanctl.crypto import limits_of, main_mode, parse_time, quick_mode, within
from ringfence.transfer.swanctl.keys import Secret, parse_identity
from ringfence.transfer.swanctl.pools import Pools, asks_of
from ringfence.transfer.swanctl.proof import is_address, preshared, raw_keys
from ringfence.transfer.swanctl.selectors import Selector, parse_addresses, parse_selectors
from ringfence.transfer.swanctl.syntax import Section

VERSIONS = {"": (), "0": (), "1": (KeyModule.IKEV1,), "2": (KeyModule.IKEV2,)}
YES = ("yes", "true", "1", "enabled")
READ = {
    "vips",
    "pools",
    "version",
    "local_addrs",
    "remote_addrs",
    "proposals",
    "rekey_time",
    "reauth_time",
    "over_time",
    "mobike",
}
CHILD_READ = {
    "ah_proposals", "esp_proposals", "local_ts", "remote_ts", "rekey_time", "life_time", "rekey_bytes", "life_bytes",
    "rekey_packets", "life_packets", "mode", "start_action", "interface", "copy_df", "copy_ecn", "copy_dscp",
    "tfc_padding", "replay_window",
}  # fmt: skip
CA_CURE = 'Say the authority\'s name in the file: remote { ca_id = "CN=..." }, or write the rule by hand.'


class Proof(TypedDict):
    """How both sides prove who they are."""

    auth: tuple[Auth, ...]
    local_identity: Identity | None
    remote_identity: Identity | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the connections of one file."""

    secrets: tuple[Secret, ...]
    keys: KeyFiles
    report: Report
    me: AddressRange | None = None
    """This computer's address, where the file may be the other side's."""
    pools: Pools = field(default_factory=lambda: Pools({}, {}))

    def connections(self, top: Section) -> Iterator[Draft]:
        """All of them; what cannot be carried over is told."""
        for connection in top.within("connections").sections.values():
            words = f"connection {connection.name}"
            try:
                yield from self._connection(connection, words)
            except BadWord as error:
                self.report.leave(connection.line, words, error.why.removeprefix("but "), error.cure)

    def _connection(self, section: Section, words: str) -> Iterator[Draft]:
        children = section.within("children").sections
        if not children:
            raise BadWord("it has no children, so it protects nothing")
        shunts = all(child.text("mode") in (PASS, DROP) for child in children.values())
        local, remote = self._addresses(section, "local"), self._addresses(section, "remote")
        turned = self._turned(local, remote)
        if turned:
            local, remote = remote, local
            self.report.note(section.line, words, f"{self.me} is its remote side, so it is read from there")
        base = Draft(section.name, section.line, words, local_addrs=local, remote_addrs=remote)
        if not shunts:
            base = self._terms(section, base, turned=turned)
            self._settings(section, words, known.CONNECTION | known.CONNECTION_MATTERS, READ)
        for child in children.values():
            said = f"{words}, child {child.name}"
            name = section.name if len(children) == 1 or child.name == section.name else f"{section.name}/{child.name}"
            try:
                yield self._child(child, replace(base, name=name, line=child.line, words=said), turned=turned)
            except BadWord as error:
                self.report.leave(child.line, said, error.why.removeprefix("but "), error.cure)

    def _addresses(self, section: Section, side: str) -> tuple[Address, ...]:
        key = f"{side}_addrs"
        try:
            return parse_addresses(section.text(key))
        except BadWord as error:
            raise BadWord(f'its {key} is "{section.text(key)}", {error.why}', cure=error.cure) from error

    def _turned(self, local: tuple[Address, ...], remote: tuple[Address, ...]) -> bool:
        """Whether this computer is the other side of what the file says."""
        if self.me is None:
            return False
        inside = [
            any(isinstance(one, AddressRange) and one.covers(self.me) for one in ends) for ends in (local, remote)
        ]
        return inside == [False, True]

    def _terms(self, section: Section, base: Draft, *, turned: bool) -> Draft:
        version = section.text("version")
        if version not in VERSIONS:
            raise BadWord(f"its version is {version}, and IKE has 1 and 2")
        keying = VERSIONS[version]
        draft = replace(
            base,
            keying=keying,
            main_mode=main_mode(
                _list(section.text("proposals")), self._main_mode_life(section), self.report,
                (section.line_of("proposals"), base.words), only_first=keying == (KeyModule.IKEV1,),
            ),
        )  # fmt: skip
        proof = self._proof(section, draft, turned=turned)
        if turned and (section.text("vips") or section.text("pools")):
            raise BadWord("it gives or gets addresses, and the other side of that stands in another file")
        pool = self.pools.named(section.text("pools"), section.line_of("pools"), base.words, self.report)
        moves = section.text("mobike") not in known.NO
        return replace(draft, **proof, asks=asks_of(section.text("vips")), pool=pool, mobike=moves)

    def _main_mode_life(self, section: Section) -> int | None:
        """What is offered in IKEv1: the time to the next main mode, and the time that this may take."""
        times = {key: self._time(section, key) for key in ("rekey_time", "reauth_time", "over_time")}
        if times["rekey_time"] == 0 and not times["reauth_time"]:
            self.report.note(section.line_of("rekey_time"), "rekey_time = 0", "main mode always ends here")
            return None
        said = [one for one in (times["rekey_time"], times["reauth_time"]) if one]
        if not said:
            return None
        over = times["over_time"]
        return min(said) + (max(said) // 10 if over is None else over)

    def _time(self, section: Section, key: str) -> int | None:
        text = section.text(key)
        try:
            return parse_time(text) if text else None
        except BadWord as error:
            self.report.leave(section.line_of(key), f"{key} = {text}", f"it is {error.why}", error.cure)
            return None

    # -- authentication

    def _proof(self, section: Section, draft: Draft, *, turned: bool) -> Proof:
        names = ("remote", "local") if turned else ("local", "remote")
        here, there = (self._round(section, name) for name in names)
        ways = [one.text("auth", "pubkey") for one in (here, there)]
        for way in ways:
            base = way.partition("-")[0]
            if base in ("eap", "xauth"):
                cure = "Write it by hand: docs/howto/users.md has examples." if base == "eap" else ""
                raise BadWord(f"it proves by {way}, and users are not carried over", cure=cure)
        if ways[0].partition("-")[0] != ways[1].partition("-")[0]:
            raise BadWord(f"its sides prove by different ways ({ways[0]} and {ways[1]}), and here both prove alike")
        local, remote = self._identity(here, "local"), self._identity(there, "remote")
        if ways[0] == "psk":
            auth: Auth = preshared(self.secrets, self.keys, self.report, draft, (local, remote))
        elif there.text("pubkeys"):
            auth = self._public_key(here, there, draft)
        else:
            auth, remote = self._certificate(there, ways[1], remote)
        for one in (here, there):
            skip = {"auth", "id", "ca_id"} | {Certificate: {"cacerts"}, PublicKeys: {"pubkeys"}}.get(type(auth), set())
            self._settings(one, f"{draft.words}, {one.name}", known.AUTHENTICATION, skip)
        ends = [
            None if found is None or is_address(found, ends) else found
            for found, ends in ((local, draft.local_addrs), (remote, draft.remote_addrs))
        ]
        return {"auth": (auth,), "local_identity": ends[0], "remote_identity": ends[1]}

    def _round(self, section: Section, side: str) -> Section:
        found = [one for name, one in section.sections.items() if name.startswith(side) and name != "children"]
        if len(found) > 1:
            raise BadWord(f"its {side} side proves itself in {len(found)} rounds, and here in one")
        return found[0] if found else Section(side, section.line)

    def _identity(self, section: Section, side: str) -> Identity | None:
        text = section.text("id")
        try:
            identity = parse_identity(text)
        except BadWord as error:
            if "=" in text and section.text("auth", "pubkey").startswith("pubkey") and side == "local":
                self.report.note(section.line_of("id"), f"id = {text}", "a certificate says it itself")
                return None
            if "=" in text and section.text("auth", "pubkey").startswith("pubkey"):
                raise BadWord(f'its {side} id is "{text}", {error.why}', cure="Write the rule by hand.") from error
            raise BadWord(f'its {side} id is "{text}", {error.why}', cure=error.cure) from error
        if identity is None and text and side == "remote":
            self.report.note(
                section.line_of("id"), f"id = {text}", "the other side has to be known by its address here"
            )
        return identity

    def _public_key(self, here: Section, there: Section, draft: Draft) -> PublicKeys:
        files = [one.strip() for one in there.text("pubkeys").split(",")]
        if len(files) > 1:
            raise BadWord(f"its remote side has one of {len(files)} public keys, and here each has its own name")
        if here.text("certs"):
            raise BadWord(
                "its sides prove by different ways (a certificate and a public key), and here both prove alike"
            )
        return raw_keys(self.report, draft, there.line_of("pubkeys"), files[0])

    def _certificate(self, there: Section, way: str, remote: Identity | None) -> tuple[Auth, Identity | None]:
        if way != "pubkey":
            self.report.leave(
                there.line_of("auth"), f"auth = {way}", "how strong a signature has to be is not said here"
            )
        authority = there.text("ca_id")
        if not authority or "*" in authority:
            files = there.text("cacerts")
            what = f"the authority's name stands in a file ({files})" if files else "it does not say whose certificates"
            raise BadWord(f"it proves by certificates, and {what}", cure=CA_CURE)
        return Certificate(authority), remote

    # -- children

    def _child(self, section: Section, base: Draft, *, turned: bool) -> Draft:
        mode = section.text("mode", TUNNEL)
        if mode not in (TUNNEL, TRANSPORT, PASS, DROP):
            raise BadWord(f"its mode is {mode}, and here SAs have transport or tunnel mode")
        sides = ("remote_ts", "local_ts") if turned else ("local_ts", "remote_ts")
        local_ts, remote_ts = (self._selectors(section, key) for key in sides)
        draft = replace(base, mode=mode, local_ts=local_ts, remote_ts=remote_ts, scope=_scope(section))
        if mode in (PASS, DROP):
            self._settings(section, base.words, known.CHILD, CHILD_READ)
            return draft
        only_first = base.keying == (KeyModule.IKEV1,)
        protocol = "ah" if section.text("ah_proposals") else "esp"
        key = f"{protocol}_proposals"
        if protocol == "ah" and section.text("esp_proposals"):
            self.report.leave(section.line_of("esp_proposals"), f"{base.words}, esp_proposals", "it has AH already")
        protect, pfs = quick_mode(
            _list(section.text(key)), protocol, self.report, (section.line_of(key), base.words), only_first=only_first
        )
        if section.text(key) not in ("", "default") and not protect:
            raise BadWord("none of its proposals can be carried over")
        if not protect:
            self.report.note(
                section.line, base.words, "Ringfence's own methods take the place of strongSwan's default ones"
            )
        seconds, octets, packets = (self._life(section, unit) for unit in ("time", "bytes", "packets"))
        self._settings(section, base.words, known.CHILD, CHILD_READ)
        return replace(
            draft,
            protect=protect,
            pfs=pfs,
            lifetime=limits_of(seconds, octets, packets, self.report, (section.line, base.words)),
            tunnel=_tunnel(section) if mode == TUNNEL else draft.tunnel,
            replay_window=self._replay_window(section, base.words),
            tfc_octets=self._padding(section, base.words),
            initiate=self._initiate(section, base.words, turned=turned),
        )

    def _selectors(self, section: Section, key: str) -> tuple[Selector, ...]:
        try:
            return parse_selectors(section.text(key, "dynamic"))
        except BadWord as error:
            raise BadWord(f'its {key} is "{section.text(key)}", {error.why}', cure=error.cure) from error

    def _life(self, section: Section, unit: str) -> int | None:
        """The hard limit of an SA, by default a tenth more than where a new one is made."""
        values: list[int | None] = []
        for key in (f"life_{unit}", f"rekey_{unit}"):
            text = section.text(key)
            if unit == "time":
                values.append(self._time(section, key))
            else:
                values.append(int(text) if text.isascii() and text.isdigit() else None)
                if text and values[-1] is None:
                    self.report.leave(section.line_of(key), f"{key} = {text}", "it is no number")
        life, rekey = values
        return life if life or rekey is None else rekey + rekey // 10

    def _replay_window(self, section: Section, words: str) -> int:
        text = section.text("replay_window", "32")
        if not text.isascii() or not text.isdigit():
            self.report.leave(section.line_of("replay_window"), f"{words}, replay_window = {text}", "it is no number")
            return 64
        if "replay_window" not in section.values:
            return 64
        if int(text) == 0:
            return 0
        return within(int(text), 32, 4096, self.report, (section.line_of("replay_window"), f"{words}, replay_window"))

    def _padding(self, section: Section, words: str) -> int:
        text = section.text("tfc_padding", "0")
        if text.isascii() and text.isdigit() and int(text) <= 65535:
            return int(text)
        why = "packets are padded up to a number of octets here, and not to the MTU"
        self.report.leave(section.line_of("tfc_padding"), f"{words}, tfc_padding = {text}", why)
        return 0

    def _initiate(self, section: Section, words: str, *, turned: bool) -> bool:
        action = section.text("start_action")
        if turned or action in ("trap", "route", "trap|start", "start|trap"):
            return True
        if action == "none":
            return False
        when = "as soon as it is loaded" if action else "when somebody says so"
        why = f"it is negotiated there {when}, and traffic passes in clear before; here traffic waits for it"
        self.report.note(section.line_of("start_action"), f"{words}, start_action = {action or 'none'}", why)
        return True

    def _settings(self, section: Section, words: str, table: Mapping[str, str], read: set[str]) -> None:
        """Say what becomes of the settings that are no part of a rule."""
        for key, value in section.values.items():
            if key in read or not value.text or value.text in known.DEFAULTS.get(key, ()):
                continue
            why = table.get(key, "there is no such setting here")
            said = f"{words}, {key} = {value.text}"
            if why == known.OURS:
                self.report.note(value.line, said, why)
            else:
                self.report.leave(value.line, said, why)


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _scope(section: Section) -> Scope:
    name = section.text("interface")
    return Scope(interfaces=(Device(name),)) if name else EVERYWHERE


def _tunnel(section: Section) -> TunnelOptions:
    default = TunnelOptions()
    df = section.text("copy_df", "yes") in YES
    return TunnelOptions(
        df=default.df if df else DfPolicy.CLEAR,
        ecn=section.text("copy_ecn", "yes") in YES,
        copy_dscp=section.text("copy_dscp", "out") in (*YES, "out"),
    )
