# SPDX-License-Identifier: Apache-2.0
"""Second authentication for the PAD: how the user of who begins proves himself behind the computers (RFC 4739).

Windows has it in AuthIP alone, by Kerberos, NTLM or certificate. In IKEv2 a certificate serves as it is, and EAP where
the user has a name and a password. Where a policy wants a second proof, and nothing of it can be had here, nobody comes
in at all: the first alone is not what it says.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from ringfence.databases import pad
from ringfence.policy.certificates import Wallet, of_user, served_second
from ringfence.policy.eap import eap_way
from ringfence.policy.model import KeyModule
from ringfence.policy.terms import Anonymous, CrlCheck, Eap, SecondAuth


class Second(NamedTuple):
    """What a PAD entry has of it."""

    ways: tuple[pad.Auth, ...]
    optional: bool

    @property
    def impossible(self) -> bool:
        """Whether it is wanted and there is no way."""
        return not self.ways and not self.optional


NONE = Second((), optional=True)


def compiled(said: tuple[SecondAuth, ...], wallet: Wallet, check: CrlCheck) -> Second:
    """What there is here of ``said``, which is for IKEv2."""
    if not said:
        return NONE
    optional = any(isinstance(one, Anonymous) for one in said)
    return Second(tuple(_ways(said, wallet, check)), optional)


def _ways(said: Iterable[SecondAuth], wallet: Wallet, check: CrlCheck) -> Iterable[pad.Auth]:
    for one in said:
        if not served_second(one, wallet.authorities, (KeyModule.IKEV2,)):
            continue
        if isinstance(one, Eap):
            certificate = None if one.certificate is None else wallet.way(one.certificate, check)
            found = eap_way(one, wallet.eap, certificate)
            if found is not None:
                yield replace(found, gateway=None)
        elif of_user(one):
            yield wallet.way(one, check)
