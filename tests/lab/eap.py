# SPDX-License-Identifier: Apache-2.0
"""Two sides of a conversation, and what comes of it."""

from dataclasses import dataclass, field
from datetime import timedelta

from lab.authority import NOW, authority
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, Users
from ringfence.ike.effects import Answer, Converse, Conversed
from ringfence.secret import Secret

ROOT = authority()
USERS = {"alice": Secret(b"correct horse"), "bob": Secret(b"battery staple")}


@dataclass
class Side:
    """One of them."""

    keeper: LocalKeeper
    way: EapAuth
    server: bool
    heard: list[bytes] = field(default_factory=list)

    def go_on(self, packet: bytes, *, begins: bool) -> Answer:
        self.heard.append(packet)
        return self.keeper.answer(Converse(self.way, packet, 7, self.server, begins))


def keeper(*issued):
    made = LocalKeeper(lambda: NOW + timedelta(seconds=1))
    made.hold({OwnCertificate("", (one.der,)).id: PrivateKey(one.key) for one in issued})
    return made


def of(*issued, root=ROOT):
    own = tuple(OwnCertificate(one.subject, (one.der,)) for one in issued)
    return CertificateAuth("CN=Lab CA, O=Lab", KeyKind.P256, (root.der,), own)


def client(*methods, name="alice", password=b"correct horse", certificate=None, root=ROOT):
    user = EapUser(name, None if password is None else Secret(password))
    held = () if certificate is None else (certificate,)
    return Side(keeper(*held), EapAuth(methods, user=user, users_of=of(*held, root=root)), server=False)


def server(*methods, users=USERS, certificate=None):
    held = () if certificate is None else (certificate,)
    return Side(keeper(*held), EapAuth(methods, directory=Users("users", users), users_of=of(*held)), server=True)


def converse(peer: Side, gateway: Side) -> tuple[Answer, Answer]:
    """What it comes to, on either side."""
    said = gateway.go_on(b"", begins=True)
    begins = True
    while True:
        reply = peer.go_on(said.packet, begins=begins) if isinstance(said, Conversed) else None
        begins = False
        if not isinstance(reply, Conversed) or reply.ended:
            return reply, said
        said = gateway.go_on(reply.packet, begins=False)


PASSWORDS = (EapMethod.MSCHAPV2, EapMethod.GTC, EapMethod.MD5)
