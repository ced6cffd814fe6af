# SPDX-License-Identifier: Apache-2.0
"""What the API says: one class per answer. Its words are the command line's words and the console's.

Names are those of the user's world: Windows' for policies and modes, the RFCs' for SAs. Octet counts are integers,
times are UTC with their zone, SPIs are texts such as ``0x5f3a11c0``. No class here has a place for a key.
"""

from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """What all answers share: fixed values, strict fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Problem(Message):
    """What went wrong, where, and what to do about it."""

    what: str
    """The problem in one sentence or a few lines."""
    place: str = ""
    """File and line, rule or peer; empty when it needs no saying."""
    cure: str = ""
    """What to do; empty when nothing general can be said."""


class Failure(Message):
    """The body of every answer that is not a success."""

    error: Problem


class Refusal(Message):
    """A changed document that was not applied; the policy before it still runs."""

    at: datetime
    detail: str
    """The whole text of the error."""


class Application(Message):
    """An order to follow another document."""

    document: str = Field(min_length=1, max_length=4096)
    """Its file, with the whole path."""
    confirm_within_s: float | None = Field(default=None, gt=0, le=86400)
    """Seconds after which the policy before comes back unless this one is confirmed."""
    force: bool = False
    """Apply it even if it ends one of ``sessions``."""
    sessions: list[str] = Field(default=[], max_length=1000)
    """Connections that the asker depends on, such as ``out tcp 10.0.0.5:22 -> 10.1.1.7:51234``."""


class Planned(Message):
    """What applying a document would change."""

    changed: bool
    summary: str
    lines: list[str]
    """The change, entry by entry."""


class Applied(Message):
    """What applying a document did."""

    changed: bool
    summary: str
    lines: list[str]
    confirm_by: datetime | None = None
    """Set when the policy before comes back unless this one is confirmed until then."""


class Confirmed(Message):
    """A policy on probation stays."""

    text: str


class StoreView(Message):
    """One of the stores that the policy is put together from."""

    name: str
    """``persistent``, ``directory``, ``dynamic`` or ``local``."""
    document: str
    """What it was read from."""
    rules: int
    """How many statements it has."""
    note: str = ""
    """What is out of the ordinary, such as that this is a copy."""
    refused: str = ""
    """Why what it has now is not in force; what it had before may be."""


class SetAsideView(Message):
    """Something that a store says and that does not hold."""

    what: str
    """Such as ``rule "lab is isolated"``."""
    place: str
    """File and line."""
    store: str
    why: str
    winner: str = ""
    """File and line of what holds instead, or forbids it."""


class PolicyState(Message):
    """The policy that runs."""

    document: str
    """The file that it was read from."""
    rules: list[str]
    """Names of its rules, in the order in which they are asked."""
    applied_at: datetime
    confirm_by: datetime | None = None
    """Set while the policy is on probation: without confirmation until then, the one before comes back."""
    refused: Refusal | None = None
    """Set while the document differs from what runs because it is not correct."""
    stores: list[StoreView] = []
    """All that it is put together from, the highest first."""
    files: list[str] = []
    """Documents and key files that it was read from, with the whole path; ``roots`` include all others, ours last."""
    roots: list[str] = []


class DataPath(Message):
    """How packets are caught and carried."""

    backend: str
    """``userspace``: through a TUN device in this process."""
    device: str
    detail: str = ""
    """A few words on why it is this backend."""


class PeerState(Enum):
    """How this host gets on with another."""

    PROTECTED = "protected"
    CLEAR = "clear"
    """It fell back to clear, as its rule allows."""
    NEGOTIATING = "negotiating"
    FAILING = "failing"


class Peer(Message):
    """Another computer that the policy protects traffic with."""

    address: str
    state: PeerState
    identity: str = ""
    """Who it proved to be; empty before it did."""
    rule: str = ""
    since: datetime
    keying: str = ""
    """The protocol that it proved itself by: ``ikev1``, ``ikev2``, ``ikev2-tcp``; empty before it did."""
    detail: str = ""
    """Why it fails or talks in clear, or speaks another protocol than the rule prefers, in one sentence."""


class Volume(Message):
    """Packets and octets one way."""

    packets: int = 0
    octets: int = 0


class Traffic(Message):
    """What passed since the start."""

    sent_protected: Volume
    sent_clear: Volume
    """What the packet path itself sent in clear: fallback, and permitted flows to places that some rule protects."""
    received_protected: Volume


class Network(Message):
    """The network that an interface is in, as the policy tells networks apart."""

    interface: str
    kind: str
    """``lan``, ``wireless`` or ``remote-access``."""
    profile: str
    """``domain``, ``private`` or ``public``."""
    why: str
    """Such as ``gateway 192.168.7.1``."""
    addresses: list[str]


class Status(Message):
    """The whole on one page."""

    version: str
    pid: int
    started_at: datetime
    policy: PolicyState
    data_path: DataPath
    peers: list[Peer]
    traffic: Traffic
    networks: list[Network] = []
    """Where the policy has statements for some networks or interfaces only."""
    dropped: dict[str, int]
    """Packets dropped since the start, by reason."""
    key_log: str | None = None
    """Where keys are being written for a packet analyser; whoever reads it can read the protected traffic."""


class MainModeSa(Message):
    """A main mode SA: the agreement that quick modes are made under (RFC 2409; RFC 4301 calls it IKE SA)."""

    id: str
    """``m`` and a number."""
    keying: str
    """The protocol: ``ikev1``, ``ikev2``, or ``ikev2-tcp`` through a TCP connection."""
    state: str
    local: str
    """Our address and port."""
    remote: str
    local_identity: str
    remote_identity: str
    proof: str = ""
    """By what the other side has proved that: ``certificate CN=Lab CA: CN=bob,O=Lab``; empty until then."""
    proposal: str
    """Such as ``aes256-sha256-ecp256``."""
    initiator: bool
    """Whether we began it."""
    initiator_cookie: str
    responder_cookie: str
    rule: str = ""
    made_at: datetime | None = None
    """None while it is being made."""
    expires_at: datetime | None = None
    """None: no limit in time."""
    quick_modes: list[str] = []
    """Ids of the quick mode SAs made under it."""
    mobike: bool = Field(default=False, description="Whether it may go over to other addresses (RFC 4555).")
    begun_at: str = Field(default="", description="Where the other side proved who it is, if that is elsewhere.")


class QuickModeSa(Message):
    """What one quick mode agreed on: the SAs of both directions (RFC 4301: child SAs)."""

    id: str
    """``q`` and a number."""
    main_mode: str | None
    """Id of the main mode SA that it was made under; None for manual keys."""
    keying: str = ""
    """The protocol that made it: ``ikev1``, ``ikev2``, ``ikev2-tcp``; empty for manual keys."""
    rule: str
    local: str
    """Our traffic: addresses, and ports where not all are meant."""
    remote: str
    protocol: str
    """The protocol above IP; ``any`` for all."""
    peer: str
    """Address that the protected packets go to."""
    peer_identity: str
    protection: str
    """Such as ``esp aes256-gcm``."""
    mode: str
    """``transport`` or ``tunnel``."""
    spi_in: list[str]
    """SPIs that the peer sends with, innermost first."""
    spi_out: list[str]
    made_at: datetime | None = None
    expires_at: datetime | None = None
    received: Volume
    sent: Volume
    last_used: datetime | None = None
    path_mtu: int | None = None
    """Learnt for this path, in octets; None while unknown."""
    replaces: str | None = None
    """Id of the SA that it was rekeyed from."""


class SoftSa(Message):
    """Traffic in clear although its rule would rather have it protected, because no SA could be had (fallback)."""

    rule: str
    local: str
    remote: str
    since: datetime
    tries_again_at: datetime
    """When SAs are tried for again, if there is traffic then; without, it ends some time later."""
    sent: Volume
    last_used: datetime | None = None
    why: str = ""
    """Why there is no SA, in one sentence."""


class Sas(Message):
    """All SAs."""

    main_modes: list[MainModeSa]
    quick_modes: list[QuickModeSa]
    soft: list[SoftSa] = []
    """Who talks in clear for want of one."""


class Deleted(Message):
    """What a deletion took away."""

    ids: list[str]
    text: str


class Entry(Message):
    """One entry of the policy as it is carried out; the first that matches a packet decides."""

    name: str
    action: str
    """``permit``, ``block`` or ``protect``."""
    direction: str
    """``both``, ``in`` or ``out``."""
    local: str
    remote: str
    protocol: str
    rule: str
    """The rule that it comes from."""
    origin: str
    """The rule and its place, such as ``rule "lab" policy.toml:3``."""
    built_in: bool = False
    """Whether every policy has it: what must stay in clear for networks and IPsec itself to work."""
    secure: str = ""
    """What filters ask of its SAs, such as ``encrypted, with *.corp.example``; empty for nothing."""
    mode: str = ""
    methods: list[str] = []
    """Acceptable protections, best first."""
    main_mode: list[str] = []
    """Acceptable proposals for main mode, best first."""
    pfs: str = ""
    """Group of a second key exchange in quick mode; empty for none."""
    clear_in: bool = False
    """Whether clear packets may come in, too."""
    clear_out: bool = False
    """Whether packets may leave in clear when there can be no SA."""
    tunnel: str = ""
    """Our and the peer's end of the tunnel."""
    auth: list[str] = []
    """How the peer authenticates, best first."""


class PolicyView(Message):
    """The running policy."""

    document: str
    applied_at: datetime
    settings: str
    """The policy as a document with every setting; a comment behind each says where its value comes from."""
    entries: list[Entry]
    default: str = "permit"
    """What happens to packets that no entry matches."""
    boot: str = ""
    """What ``[boot]`` says, in a line; empty if there is none."""
    stores: list[StoreView] = []
    """All that it is put together from, the highest first."""
    set_aside: list[SetAsideView] = []
    """What stores say and what does not hold."""
    elsewhere: list[str] = []
    """Rules and filters that hold in none of this computer's present networks, and where they would."""


class Reloaded(Message):
    """What a reload did."""

    changed: bool
    summary: str
    lines: list[str]
    """The change, entry by entry."""


class Explanation(Message):
    """What happens to a packet, and because of what."""

    verdict: str
    """``permit``, ``block`` or ``protect``; what a packet of this kind meets now."""
    sure: bool
    """False when it would be protected but there is no SA yet, or where a packet filter drops it on some interfaces."""
    lines: list[str]
    """The reasons, as sentences."""


class EventRecord(Message):
    """Something that happened, once."""

    number: int
    """Counts up by one; a gap means that events were missed."""
    at: datetime
    event: str
    """Its name, such as ``quick-mode-established``."""
    windows_id: int
    """The number that Windows gives the same event; 0 where it has none."""
    text: str
    """One sentence."""
    fields: dict[str, str | int | bool | None]
    """What the sentence says, piece by piece."""
