# SPDX-License-Identifier: Apache-2.0
"""Small policies for tests of protocols: two hosts, one rule, one pre-shared key."""

from dataclasses import dataclass, replace

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.admission import Admission
from ringfence.databases.identity import Identity
from ringfence.databases.pad import USUAL, Auth, Childless, DeadPeer, Ends, Pad, PadEntry, Ppk, PresharedKey, ThroughNat
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.databases.tcp import Tcp
from ringfence.net.address import AddressRange, parse_address
from ringfence.net.flow import ICMP, FlowKey
from ringfence.secret import Secret

AES_128 = Cipher(Encryption.AES_CBC, 128)
AES_256 = Cipher(Encryption.AES_CBC, 256)
SHA1 = Authenticator(Integrity.HMAC_SHA1_96)
SHA256 = Authenticator(Integrity.HMAC_SHA256_128)

FAST_MAIN = IkeProposal(AES_256, Hash.SHA256, DhGroup.CURVE25519)
"""With the group that costs least."""
ESP_GCM = Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 256))
ESP_CBC = Transform(Protocol.ESP, AES_128, SHA1)
AH_SHA256 = Transform(Protocol.AH, None, SHA256)

ENTRY = "lab"
PEER = "peers"
ANYWHERE = "0.0.0.0/0"
"""As the remote end of a tunnel: whoever authenticates."""


def method(*transforms: Transform, seconds: int | None = 3600, octets: int | None = None) -> SecurityMethod:
    """A security method."""
    return SecurityMethod(transforms, Limits(seconds=seconds, octets=octets))


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What one host wants of one peer; ``compiled`` makes databases of it."""

    local: str
    remote: str
    main: tuple[IkeProposal, ...] = (FAST_MAIN,)
    methods: tuple[SecurityMethod, ...] = (method(ESP_GCM),)
    key: bytes = b"a key of no value"
    mode: Mode = Mode.TRANSPORT
    local_net: str = ""
    """Behind the tunnel; in transport mode the host itself."""
    remote_net: str = ""
    pfs: DhGroup | None = None
    pfs_further: tuple[DhGroup, ...] = ()
    protocol: int | None = None
    auth: tuple[Auth, ...] = ()
    """Empty for the key."""
    local_identity: Identity | None = None
    remote_identity: Identity | None = None
    admissions: tuple[Admission, ...] = ()
    through_nat: ThroughNat = ThroughNat.BOTH
    master_key_pfs: bool = False
    quick_mode_limit: int = 0
    initiate: bool = True
    fragmentation: bool = True
    aggressive: bool = False
    dead_peer: DeadPeer | None = USUAL
    keying: tuple[int, ...] = (1,)
    ppk: Ppk | None = None
    reauthenticate_s: int | None = None
    childless: Childless = Childless.NEVER
    others: tuple[str, ...] = ()
    """Gateways that the remote one may send it to."""
    send_to: str = ""
    tcp: Tcp | None = None
    mobike: bool = False
    own: tuple[str, ...] = ()
    """All addresses of the host, for those that may move."""
    roams: str = ""
    """Where the peer may be; empty for ``remote`` alone. Its tunnel then ends wherever it is."""
    nat_traversal: bool = True
    resumption: bool = False

    def with_(self, **changes: object) -> "HostPolicy":
        """The same but for some fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def selector(self) -> Selector:
        """What it protects."""
        return Selector.between(self.local_net or self.local, self.remote_net or self.remote, self.protocol)

    @property
    def _anywhere(self) -> bool:
        """Whether the other end of the tunnel is wherever the peer is."""
        return bool(self.roams) or self.remote == ANYWHERE

    def compiled(self) -> tuple[Spd, Pad]:
        """Its SPD and PAD, of one entry each."""
        tunnel, others = self.mode is Mode.TUNNEL, tuple(map(AddressRange.parse, self.others))
        processing = Processing(
            methods=self.methods,
            mode=self.mode,
            tunnel_local=parse_address(self.local) if tunnel else None,
            tunnel_remote=parse_address(self.remote) if tunnel and not self._anywhere else None,
            others=others,
            pfs=self.pfs,
            pfs_further=self.pfs_further,
        )
        entry = SpdEntry(ENTRY, self.selector, Action.PROTECT, Origin("lab"), processing=processing, peer=PEER)
        peer = PadEntry(
            name=PEER,
            ends=tuple(map(Ends, (AddressRange.parse(self.roams or self.remote), *others))),
            auth=self.auth or (PresharedKey(Secret(self.key)),),
            proposals=self.main,
            origin=Origin("lab"),
            local_identity=self.local_identity,
            remote_identity=self.remote_identity,
            admissions=self.admissions,
            through_nat=self.through_nat,
            master_key_pfs=self.master_key_pfs,
            quick_mode_limit=self.quick_mode_limit,
            initiate=self.initiate,
            fragmentation=self.fragmentation,
            aggressive=self.aggressive,
            dead_peer=self.dead_peer,
            keying=self.keying,
            ppk=self.ppk,
            reauthenticate_s=self.reauthenticate_s,
            childless=self.childless,
            others=others,
            resumption=self.resumption,
            send_to=parse_address(self.send_to) if self.send_to else None,
            tcp=self.tcp,
            mobike=self.mobike,
            nat_traversal=self.nat_traversal,
        )
        return Spd((entry,)), Pad((peer,), tuple(map(parse_address, self.own)))

    def flow(self) -> FlowKey:
        """A ping that it protects."""
        selector = self.selector
        return FlowKey(selector.source.first, selector.destination.first, self.protocol or ICMP, None, None)

    def mirrored(self) -> "HostPolicy":
        """The same policy at the other end."""
        return replace(
            self,
            local=self.remote,
            remote=self.local,
            local_net=self.remote_net,
            remote_net=self.local_net,
            local_identity=self.remote_identity,
            remote_identity=self.local_identity,
        )
