# SPDX-License-Identifier: Apache-2.0
"""The peers of a policy: rules that authenticate alike share one PAD entry, and so main mode SAs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.databases.admission import Admission
from ringfence.databases.identity import Identity
from ringfence.databases.pad import USUAL, DeadPeer, Ends, NullAuth, Pad, PadEntry, Ppk, PresharedKey, ThroughNat
from ringfence.databases.pad import Auth as PadAuth
from ringfence.databases.pool import Asks, Pool
from ringfence.databases.spd import Origin
from ringfence.databases.tcp import Tcp
from ringfence.net.address import AddressRange
from ringfence.net.ranges import RangeIndex
from ringfence.policy import second, xauth
from ringfence.policy.certificates import EMPTY, Wallet, served
from ringfence.policy.eap import eap_way
from ringfence.policy.keying import versions
from ringfence.policy.methods import in_ikev2
from ringfence.policy.model import KeyModule, Rule
from ringfence.policy.psk import encoded
from ringfence.policy.rawkeys import public_way
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    Certificate,
    CrlCheck,
    Eap,
    MainMode,
    PpkFile,
    PskEncoding,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
)
from ringfence.secret import Secret

NO_POOLS: Mapping[str, Pool] = {}


@dataclass(frozen=True, slots=True)
class Manner:
    """Everything that has to be equal for two rules to share a main mode."""

    auth: tuple[Auth, ...]
    main_mode: MainMode
    local_identity: Identity | None
    remote_identity: Identity | None
    admissions: tuple[Admission, ...]
    nat_traversal: bool
    initiate: bool
    keying: tuple[int, ...]
    """Versions of IKE."""
    own_auth: tuple[Auth, ...]
    sha1: bool
    """Whether signatures by RSA with SHA-1 are taken and given (IKEv2)."""
    mobike: bool = True
    ppk: PpkFile | None = None
    tcp: Tcp | None = None
    second: tuple[SecondAuth, ...] = ()
    """Of who begins by IKEv2."""
    users: tuple[Admission, ...] = ()
    pool: str = ""
    asks: Asks | None = None
    others: tuple[AddressRange, ...] = ()
    send_to: bytes | None = None
    resumption: bool = False

    @property
    def word(self) -> str:
        """A name that people understand."""
        peer = f" as {self.remote_identity}" if self.remote_identity else ""
        return f"{' or '.join(map(str, self.auth))}{peer}"


class _Places:
    """Pairs of addresses of which none lies in an earlier one."""

    def __init__(self) -> None:
        self.list: list[Ends] = []
        self._index = RangeIndex[Ends]()

    def add(self, places: Iterable[Ends]) -> None:
        new = [one for one in places if not any(each.cover(one) for _, each in self._index.covering(one.remote))]
        for one in new:
            self._index.add(one.remote, one)
        self.list += new


class Peers:
    """Collects the PAD."""

    def __init__(
        self,
        keys: Mapping[str, Secret],
        through_nat: ThroughNat = ThroughNat.BOTH,
        dead_peer: DeadPeer | None = USUAL,
        *,
        fragmentation: bool = True,
        wallet: Wallet = EMPTY,
        crl_check: CrlCheck = CrlCheck.NONE,
        pools: Mapping[str, Pool] = NO_POOLS,
        psk_encoding: PskEncoding = PskEncoding.UTF8,
    ) -> None:
        """``keys`` as their files have them; those that both sides prove go into main mode as ``psk_encoding``."""
        self._keys, self._said = encoded(keys, psk_encoding), keys
        self._pools = pools
        self._wallet, self._crl_check = wallet, crl_check
        self._through_nat = through_nat
        self._dead_peer = dead_peer
        self._fragmentation = fragmentation
        self._names: dict[Manner, str] = {}
        self._entries: dict[str, tuple[Manner, Origin, _Places]] = {}
        self._tunnels = set[str]()
        """Those of rules with tunnels."""

    def add(
        self,
        rule: Rule,
        auth: tuple[Auth, ...],
        admissions: tuple[Admission, ...],
        origin: Origin,
        users: tuple[Admission, ...] = (),
    ) -> tuple[str, list[str]]:
        """The name of the entry that serves ``rule`` by ``auth``, and those key files that there is no key for.

        Without any key among ``auth`` it is one for questions only, which nobody can authenticate by.
        """
        mode = rule.main_mode or MainMode()
        manner = Manner(
            auth, mode, rule.local_identity, rule.remote_identity, admissions, rule.nat_traversal, rule.initiate,
            versions(rule, auth), rule.own_auth, signs_weakly(rule), rule.mobike, rule.ppk, rule.tcp,
            rule.second_auth if {*rule.keying} == {KeyModule.IKEV2} else (), users, *_of_gateways(rule),
            rule.resumption,
        )  # fmt: skip
        missing = [
            one.file for one in (*auth, *rule.own_auth) if isinstance(one, PskFile) and one.file not in self._keys
        ]
        missing += [] if rule.ppk is None or rule.ppk.file in self._keys else [rule.ppk.file]
        name = self._names.get(manner)
        if name is None:
            name = self._free(manner.word)
            self._names[manner] = name
            self._entries[name] = (manner, origin, _Places())
        if rule.gateways is not None:
            self._tunnels.add(name)
        return name, missing

    def widen(self, name: str, ends: Iterable[Ends]) -> None:
        """It is the entry between these addresses, too."""
        self._entries[name][2].add(ends)

    def pad(self, own: tuple[bytes, ...] = ()) -> Pad:
        """The entries; those for the fewest addresses are asked first. ``own``: where this host may negotiate from."""
        entries = [
            PadEntry(
                name=name,
                ends=tuple(places.list),
                auth=() if behind.impossible else tuple(self._ways(manner.auth)),
                second=behind.ways,
                second_optional=behind.optional,
                users=manner.users,
                proposals=in_ikev2(methods) if 2 in manner.keying else methods,
                origin=origin,
                local_identity=manner.local_identity,
                remote_identity=manner.remote_identity,
                admissions=manner.admissions,
                nat_traversal=manner.nat_traversal,
                through_nat=self._through_nat,
                dead_peer=self._dead_peer,
                fragmentation=self._fragmentation,
                xauth=xauth.compiled(manner.main_mode.xauth, self._wallet.eap),
                aggressive=manner.main_mode.aggressive,
                master_key_pfs=manner.main_mode.pfs,
                quick_mode_limit=1 if manner.main_mode.pfs else manner.main_mode.sessions,
                initiate=manner.initiate,
                keying=manner.keying,
                mobike=manner.mobike and name in self._tunnels and 2 in manner.keying,
                ppk=self._ppk(manner.ppk),
                childless=manner.main_mode.childless,
                reauthenticate_s=manner.main_mode.reauthenticate_s,
                tcp=manner.tcp,
                pool=self._pools.get(manner.pool),
                asks=manner.asks,
                others=manner.others,
                send_to=manner.send_to,
                resumption=manner.resumption,
                local_auth=tuple(self._ways(manner.own_auth)),
                sha1=manner.sha1,
            )
            for name, (manner, origin, places) in self._entries.items()
            for methods in (manner.main_mode.methods,)
            for behind in (second.compiled(manner.second, self._wallet, self._crl_check),)
        ]
        return Pad(tuple(sorted(entries, key=lambda entry: _widest(entry))), own)

    def _ppk(self, ppk: PpkFile | None) -> Ppk | None:
        if ppk is None or ppk.file not in self._keys:
            return None
        return Ppk(ppk.id, self._said[ppk.file], ppk.required)

    def _ways(self, ways: Iterable[Auth]) -> Iterator[PadAuth]:
        """What there is here of ``ways``, in their order."""
        for one in ways:
            if isinstance(one, PskFile) and one.file in self._keys:
                yield PresharedKey(self._keys[one.file], one.file)
            elif isinstance(one, Certificate) and served(one, self._wallet.authorities):
                yield self._wallet.way(one, self._crl_check)
            elif isinstance(one, PublicKeys):
                if (known := public_way(one, self._wallet.public, self._wallet.keys)) is not None:
                    yield known
            elif isinstance(one, Anonymous):
                yield NullAuth()
            elif isinstance(one, Eap) and served(one, self._wallet.authorities):
                certificate = None if one.certificate is None else self._wallet.way(one.certificate, self._crl_check)
                if (found := eap_way(one, self._wallet.eap, certificate)) is not None:
                    yield found

    def _free(self, word: str) -> str:
        number = 1
        name = word
        while name in self._entries:
            number += 1
            name = f"{word} #{number}"
        return name


def _of_gateways(rule: Rule) -> tuple[str, Asks | None, tuple[AddressRange, ...], bytes | None]:
    ends = rule.gateways
    return ("", None, (), None) if ends is None else (ends.pool, ends.asks, ends.others, ends.send_to)


def signs_weakly(rule: Rule) -> bool:
    """Whether its peers may sign by RSA with SHA-1, as those of IKEv2 do that do not know RFC 7427."""
    ways = *rule.auth, *rule.own_auth
    by_rsa = any(isinstance(one, Certificate) and one.signing is Signing.RSA for one in ways)
    return rule.legacy and by_rsa and 2 in versions(rule, rule.auth)


def _share(addresses: AddressRange) -> float:
    """Which part of its family a range is."""
    return addresses.size / float(1 << 8 * len(addresses.first))


def _widest(entry: PadEntry) -> float:
    """The largest part of its family; all of it where there are no addresses yet."""
    return max((_share(one.remote) for one in entry.ends), default=1.0)
