# SPDX-License-Identifier: Apache-2.0
"""The TOML of profiles, and of what says where a statement holds."""

from collections import Counter
from collections.abc import Iterator

from ringfence.place import NOWHERE
from ringfence.policy.networks import Known, Profiles
from ringfence.policy.scope import Profile, Scope, link_word
from ringfence.policy.texts import Pair, Section, Setting, toml_list, toml_text


def scope_pairs(scope: Scope) -> Iterator[Pair]:
    """The settings ``profiles`` and ``interfaces``; all of them where a statement names none."""
    yield "profiles", toml_list(one.value for one in scope.profiles or Profile), not scope.profiles
    if scope.interfaces:
        yield "interfaces", toml_list(map(link_word, scope.interfaces)), False


def profile_sections(profiles: Profiles) -> Iterator[Section]:
    """The tables ``[profile]``, ``[profile.domain]`` and their like."""
    if profiles.default is not Profile.PUBLIC:
        place = profiles.places.get("default", NOWHERE)
        default = Setting("default", toml_text(profiles.default.value), False, place)
        yield Section("[profile]", (default,), profiles.place)
    number = Counter(one.profile for one in profiles.known)
    for one in profiles.known:
        head = f"profile.{one.profile.value}"
        settings = tuple(
            Setting(name, text, False, one.places.get(f"{one.profile.value}.{name}", NOWHERE))
            for name, text in _known(one)
        )
        yield Section(f"[[{head}]]" if number[one.profile] > 1 else f"[{head}]", settings, one.place)


def _known(one: Known) -> Iterator[tuple[str, str]]:
    if one.networks:
        yield "networks", toml_list(map(str, one.networks))
    if one.gateways:
        yield "gateways", toml_list(map(str, one.gateways))
    if one.interfaces:
        yield "interfaces", toml_list(map(link_word, one.interfaces))
    if one.suffixes:
        yield "dns-suffixes", toml_list(one.suffixes)
