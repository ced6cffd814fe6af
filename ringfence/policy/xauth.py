# SPDX-License-Identifier: Apache-2.0
"""XAUTH in a document: who lets users in behind IKEv1's main mode, and as whom this computer lets itself in.

``main-mode.xauth = { user = "alice", password-file = "alice.password" }`` is a client's; a gateway says
``main-mode.xauth = { users-file = "users.toml" }``, the same kind of list that EAP has. A second authentication by EAP
does the same, and names the same files.
"""

from collections.abc import Iterator, Mapping

from ringfence.databases import pad
from ringfence.databases.eap import EapUser
from ringfence.place import Place
from ringfence.policy.eap import EapFiles
from ringfence.policy.model import Policy
from ringfence.policy.terms import Eap, MainMode, SecondAuth, Xauth


def compiled(one: Xauth | None, files: EapFiles) -> pad.Xauth | None:
    """What a PAD entry has of it."""
    if one is None:
        return None
    user = EapUser(one.user, files.secrets.get(one.password_file)) if one.user else None
    return pad.Xauth(user, files.users.get(one.users_file) if one.users_file else None)


Said = tuple[str, Xauth, Mapping[str, Place], Place]


def said(policy: Policy) -> Iterator[Said]:
    """All that a policy says of it: what it is, what it says, and where."""
    for subject, mode, places, place in _modes(policy):
        if mode is not None and mode.xauth is not None:
            yield subject, mode.xauth, places, place
    if policy.beneath is not None:
        yield from said(policy.beneath)


def _modes(policy: Policy) -> Iterator[tuple[str, MainMode | None, Mapping[str, Place], Place]]:
    for rule in policy.rules:
        yield f'rule "{rule.name}"', rule.main_mode, rule.places, rule.place
    for main in policy.main_modes:
        yield f'main mode rule "{main.name}"', main.main_mode, main.places, main.place
    for each in policy.main_mode_cryptos:
        yield f'main mode settings "{each.name}"', each.mode, each.places, each.place
    yield "global", policy.settings.main_mode, policy.settings.places, policy.settings.place


def second_eap(policy: Policy) -> Iterator[tuple[str, Eap, Mapping[str, Place], Place]]:
    """All that a policy says of EAP as second authentication: what it is, what it says, and where."""
    places: list[tuple[str, tuple[SecondAuth, ...], Mapping[str, Place], Place]] = [
        *((f'rule "{one.name}"', one.second_auth, one.places, one.place) for one in policy.rules),
        *((f'auth set "{one.name}"', one.second, one.places, one.place) for one in policy.auth_sets),
        ("global", policy.settings.second_auth, policy.settings.places, policy.settings.place),
    ]
    for subject, ways, there, place in places:
        yield from ((subject, one, there, place) for one in ways if isinstance(one, Eap))
    if policy.beneath is not None:
        yield from second_eap(policy.beneath)
