# SPDX-License-Identifier: Apache-2.0
"""The connections of ipsec.conf, each seen from this computer's side."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import SecurityMethod, Transform
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, Auth, Certificate, KeyModule
from ringfence.policy.rawkeys import PublicKeys
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.ipsecconf import words as known
from ringfence.transfer.ipsecconf.sides import own_side
from ringfence.transfer.ipsecconf.syntax import Section
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.algorithms import DH
from ringfence.transfer.swanctl.building import DROP, PASS, TRANSPORT, TUNNEL, Draft
from ringfence.transfer.swanctl.crypto import limits_of, main_mode, parse_time, quick_mode, within
from ringfence.transfer.swanctl.keys import Secret, parse_identity
from ringfence.transfer.swanctl.proof import is_address, preshared, raw_keys
from ringfence.transfer.swanctl.selectors import Selector, parse_addresses, parse_ports, parse_protocol, parse_selectors
from ringfence.transfer.swanctl.words import OURS

TYPES = {"tunnel": TUNNEL, "transport": TRANSPORT, "passthrough": PASS, "pass": PASS, "drop": DROP, "reject": DROP}
PRESHARED, CERTIFICATE = "psk", "certificate"
NO_KEY = ("%cert", "%none")
WAYS = {
    "secret": PRESHARED, "psk": PRESHARED, "": CERTIFICATE, "pubkey": CERTIFICATE, "rsasig": CERTIFICATE,
    "rsa": CERTIFICATE, "ecdsa": CERTIFICATE, "ecdsasig": CERTIFICATE, "rsa_sha2": CERTIFICATE, "rsa_sha1": CERTIFICATE,
}  # fmt: skip
VERSIONS = {
    "ikev1": (KeyModule.IKEV1,), "ikev2": (KeyModule.IKEV2,), "no": (KeyModule.IKEV1,), "never": (KeyModule.IKEV1,),
    "yes": (KeyModule.IKEV2,), "insist": (KeyModule.IKEV2,), "propose": (KeyModule.IKEV2,),
}  # fmt: skip
CA_CURE = 'Say the authority\'s name in the file: rightca="CN=...", or write the rule by hand.'
ROUTE = ("route", "ondemand")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the connections of one file."""

    secrets: tuple[Secret, ...]
    keys: KeyFiles
    report: Report
    me: str
    strongswan: bool

    def read(self, conn: Section) -> Iterator[Draft]:
        """What a connection says; nothing where it is only for others, or cannot be carried over, which is told."""
        words = f"conn {conn.name}"
        try:
            yield self._conn(conn, words)
        except BadWord as error:
            self.report.leave(conn.line, words, error.why.removeprefix("but "), error.cure)

    def _conn(self, conn: Section, words: str) -> Draft:
        mode = TYPES.get(conn.text("type", "tunnel").lower())
        if mode is None:
            raise BadWord(f"its type is {conn.text('type')}, and here SAs have transport or tunnel mode")
        side, why = own_side(conn, self.me, strongswan=self.strongswan)
        other = "right" if side == "left" else "left"
        if why:
            self.report.note(conn.line_of(side), words, why, "Say --me with an address, left or right.")
        draft = Draft(
            conn.name, conn.line, words, mode,
            local_addrs=self._addresses(conn, side), remote_addrs=self._addresses(conn, other),
            local_ts=self._selectors(conn, side, mode), remote_ts=self._selectors(conn, other, mode),
        )  # fmt: skip
        if mode not in (PASS, DROP):
            draft = self._negotiated(conn, draft, side, other)
        self._settings(conn, words)
        return draft

    def _addresses(self, conn: Section, side: str) -> tuple[Address, ...]:
        text = conn.text(side, "%any")
        try:
            return parse_addresses(text)
        except BadWord as error:
            raise BadWord(f'its {side} is "{text}", {error.why}', cure=error.cure) from error

    def _selectors(self, conn: Section, side: str, mode: str) -> tuple[Selector, ...]:
        several = conn.text(f"{side}subnets").strip("{} ")
        text = conn.text(f"{side}subnet") or several or "dynamic"
        if text.startswith(("vhost:", "vnet:")):
            raise BadWord(f"its {side}subnet is {text}, which is settled while it is negotiated there")
        key = f"{side}subnets" if several and not conn.text(f"{side}subnet") else f"{side}subnet"
        try:
            found = parse_selectors(text)
        except BadWord as error:
            raise BadWord(f'its {key} is "{text}", {error.why}', cure=error.cure) from error
        if mode == TRANSPORT and not self.strongswan and text != "dynamic":
            self.report.note(conn.line_of(key), f"{key}={text}", "transport mode lies between the two computers")
            found = (Selector(None),)
        return self._with_ports(conn, side, found)

    def _with_ports(self, conn: Section, side: str, found: tuple[Selector, ...]) -> tuple[Selector, ...]:
        text = conn.text(f"{side}protoport")
        if not text:
            return found
        protocol, _, port = text.partition("/")
        try:
            number = parse_protocol(protocol)
            ports = parse_ports(port, number)
        except BadWord as error:
            raise BadWord(f'its {side}protoport is "{text}", {error.why}', cure=error.cure) from error
        return tuple(replace(one, protocol=number, ports=ports) for one in found)

    # -- terms

    def _negotiated(self, conn: Section, draft: Draft, side: str, other: str) -> Draft:
        draft = replace(draft, keying=self._keying(conn), initiate=self._initiate(conn, draft.words))
        auth, local, remote = self._proof(conn, draft, side, other)
        only_first = draft.keying == (KeyModule.IKEV1,)
        protect, pfs = self._quick_mode(conn, draft, only_first=only_first)
        lifetimes = [key for key in ("lifetime", "keylife", "salifetime") if conn.text(key)]
        window = self._number(conn, "replay_window")
        place = (conn.line_of("replay_window"), f"{draft.words}, replay-window")
        if window and window > 0:
            window = within(window, 32, 4096, self.report, place)
        return replace(
            draft,
            auth=(auth,),
            local_identity=None if local is None or is_address(local, draft.local_addrs) else local,
            remote_identity=None if remote is None or is_address(remote, draft.remote_addrs) else remote,
            main_mode=main_mode(
                _list(conn.text("ike")), self._time(conn, "ikelifetime"), self.report,
                (conn.line_of("ike", "ikelifetime"), draft.words), only_first=only_first,
                group=None if self.strongswan else DhGroup.MODP_2048,
            ),
            protect=protect,
            pfs=pfs,
            lifetime=limits_of(
                self._time(conn, lifetimes[0]) if lifetimes else None, self._number(conn, "lifebytes"),
                self._number(conn, "lifepackets"), self.report, (conn.line, draft.words),
            ),
            replay_window=64 if window is None else window,
            tfc_octets=self._number(conn, "tfc") or 0,
        )  # fmt: skip

    def _keying(self, conn: Section) -> tuple[KeyModule, ...]:
        said = conn.text("keyexchange").lower()
        return VERSIONS.get(said, VERSIONS.get(conn.text("ikev2").lower(), ()))

    def _initiate(self, conn: Section, words: str) -> bool:
        auto = conn.text("auto").lower()
        if auto in ROUTE:
            return True
        if auto in ("add", "keep"):
            return False
        when = "as soon as it is loaded" if auto in ("start", "up") else "when somebody says so"
        why = f"it is negotiated there {when}, and traffic passes in clear before; here traffic waits for it"
        self.report.note(conn.line_of("auto"), f"{words}, auto={auto or 'ignore'}", why)
        return True

    def _proof(
        self, conn: Section, draft: Draft, side: str, other: str
    ) -> tuple[Auth, Identity | None, Identity | None]:
        said = conn.text("authby").lower()
        ways = [conn.text(f"{one}auth", said).lower() for one in (side, other)]
        for one in (side, other):
            if conn.text(f"{one}auth2"):
                raise BadWord(f"its {one} side proves itself in 2 rounds, and here in one")
        kinds = []
        for way in ways:
            kind = {WAYS.get(part.strip().partition("-")[0]) for part in (way or "rsasig").split(",")}
            if None in kind or len(kind) != 1:
                raise BadWord(f"it proves by {way}, which is not known here")
            kinds += [one for one in kind if one is not None]
        if kinds[0] != kinds[1]:
            raise BadWord(f"its sides prove by different ways ({ways[0]} and {ways[1]}), and here both prove alike")
        if any("yes" in conn.text(f"{one}xauth{role}") for one in (side, other) for role in ("client", "server")):
            raise BadWord("its users prove themselves by XAuth, which is not spoken here")
        preshares = kinds[0] == PRESHARED
        local = self._identity(conn, side, own=True, certificate=not preshares)
        remote = self._identity(conn, other, own=False, certificate=not preshares)
        if preshares:
            return preshared(self.secrets, self.keys, self.report, draft, (local, remote)), local, remote
        return self._certificate(conn, side, other, draft), local, remote

    def _certificate(self, conn: Section, side: str, other: str, draft: Draft) -> Certificate | PublicKeys:
        keys = [key for key in (f"{one}rsasigkey" for one in (other, side)) if conn.text(key, "%cert") not in NO_KEY]
        if keys:
            if keys[0].startswith(side):
                raise BadWord(f"it says {keys[0]}, but not the other side's key")
            return raw_keys(self.report, draft, conn.line_of(keys[0]), conn.text(keys[0]))
        authority = conn.text(f"{other}ca")
        if authority == "%same":
            authority = conn.text(f"{side}ca")
        if not authority or authority == "%any" or "=" not in authority:
            raise BadWord("it proves by certificates, and does not say whose", cure=CA_CURE)
        return Certificate(authority)

    def _identity(self, conn: Section, side: str, *, own: bool, certificate: bool) -> Identity | None:
        key, text = f"{side}id", conn.text(f"{side}id")
        if text in ("%fromcert", "%none"):
            return None
        try:
            identity = parse_identity(text.removeprefix("%") if text != "%any" else text)
        except BadWord as error:
            if own and certificate and "=" in text:
                self.report.note(conn.line_of(key), f"{key}={text}", "a certificate says it itself")
                return None
            raise BadWord(f'its {key} is "{text}", {error.why}', cure="Write the rule by hand.") from error
        if identity is None and text and not own:
            self.report.note(conn.line_of(key), f"{key}={text}", "the other side has to be known by its address here")
        return identity

    def _quick_mode(
        self, conn: Section, draft: Draft, *, only_first: bool
    ) -> tuple[tuple[SecurityMethod, ...], DhGroup | bool | None]:
        protocol = "ah" if "ah" in (conn.text("phase2"), conn.text("auth")) or conn.text("ah") else "esp"
        keys = [key for key in (protocol, "phase2alg", "esp") if conn.text(key)]
        words = _list(conn.text(keys[0])) if keys else []
        place = (conn.line_of(*keys), draft.words)
        protect, group = quick_mode(words, protocol, self.report, place, only_first=only_first)
        if words and words != ["default"] and not protect:
            raise BadWord("none of its proposals can be carried over")
        if not protect:
            why = "Ringfence's own methods take the place of the program's default ones"
            self.report.note(conn.line, draft.words, why)
        if conn.text("esn") == "yes":
            protect = tuple(_with_esn(one) for one in protect)
        return protect, self._pfs(conn, draft.words, group)

    def _pfs(self, conn: Section, words: str, group: DhGroup | None) -> DhGroup | bool | None:
        """Libreswan has one for quick mode unless told otherwise; strongSwan where a proposal names a group."""
        if self.strongswan:
            return group
        if conn.text("pfs", "yes").lower() in ("no", "false", "0"):
            return False
        said = conn.text("pfsgroup").lower()
        if said and said in DH:
            return DH[said]
        if said:
            self.report.leave(conn.line_of("pfsgroup"), f"{words}, pfsgroup={said}", "there is no such group here")
        return group or True

    def _time(self, conn: Section, key: str) -> int | None:
        text = conn.text(key)
        try:
            return parse_time(text) if text else None
        except BadWord as error:
            self.report.leave(conn.line_of(key), f"{key}={text}", f"it is {error.why}", error.cure)
            return None

    def _number(self, conn: Section, key: str) -> int | None:
        text = conn.text(key)
        if not text or text == "%mtu":
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            self.report.leave(conn.line_of(key), f"{key}={text}", "it is no number")
            return None
        return int(text)

    def _settings(self, conn: Section, words: str) -> None:
        """Say what becomes of the settings that are no part of a rule."""
        for key, value in conn.values.items():
            side = next((one for one in ("left", "right") if key.startswith(one)), "")
            rest = key.removeprefix(side)
            if (
                key in known.READ
                or (side and rest in known.SIDE_READ)
                or value.text in ("", *known.NOTHING.get(key, ()))
            ):
                continue
            why = known.SIDE.get(rest) if side else known.CONN.get(key)
            said = f"{words}, {key}={value.text}"
            if why == OURS:
                self.report.note(value.line, said, why)
            else:
                self.report.leave(value.line, said, why or "there is no such setting here")


def _with_esn(method: SecurityMethod) -> SecurityMethod:
    made = [Transform(one.protocol, one.cipher, one.authenticator, esn=True) for one in method.transforms]
    return replace(method, transforms=tuple(made))


def _list(text: str) -> list[str]:
    return [one.strip().removesuffix("!") for one in text.split(",") if one.strip()]
