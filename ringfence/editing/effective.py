# SPDX-License-Identifier: Apache-2.0
"""An object with every setting, said or not, and where each value comes from."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace

from ringfence.editing.draft import Draft, Item
from ringfence.editing.nouns import POLICY, RULE, Form
from ringfence.place import NOWHERE
from ringfence.policy.document import parse_documents
from ringfence.policy.errors import PolicyError
from ringfence.policy.lower import filter_actions
from ringfence.policy.model import Policy
from ringfence.policy.terms import Kerberos
from ringfence.policy.texts import Section, Setting, effective_text, toml_auth
from ringfence.policy.windows import IpsecPolicy, Response
from ringfence.policy.write import every_section, implied_text
from ringfence.policy.write_ipsec import inherited


def effective_sections(draft: Draft, item: Item) -> list[Section]:
    """The object, with the rules of an IPsec policy; raises PolicyError when its document is not correct."""
    policy, source = parse_documents(draft.sources), draft.source()
    if item.noun.form is Form.SINGLE:
        heads = (f"[{item.noun.key}]", f"[{item.noun.key}.")
        return [one for one in every_section(policy) if f"[{one.head.lstrip('[')}".startswith(heads)]
    own = [item, *(one for one in draft.items(RULE) if item.noun is POLICY and one.of == item.name)]
    places = {source.place_of(one.steps) for one in own}
    return [_with_auth(section, policy) for section in every_section(policy) if section.place in places]


def effective_text_of(draft: Draft, item: Item) -> str:
    """The same as text; the rules of the default policy that an IPsec policy is based on stand there as comments."""
    parts = [effective_text(one) for one in effective_sections(draft, item)]
    if item.noun is POLICY:
        policies = parse_documents(draft.sources).ipsec_policies
        found = (one for one in policies if one.place == draft.source().place_of(item.steps))
        parts += [implied_text(why, section) for one in found for why, section in inherited(one)]
    return "\n\n".join(parts)


def effective_value(draft: Draft, item: Item, names: Sequence[str]) -> object | None:
    """The value of a setting that nobody says; None where there is none, or where the document is not correct."""
    try:
        sections = effective_sections(draft, item)
    except PolicyError:
        return None
    key = ".".join(names)
    settings = [one for section in sections[:1] for one in section.settings]
    text = next((one.text for one in settings if one.name == key), "")
    return tomllib.loads(f"value = {text}")["value"] if text else None


def _with_auth(section: Section, policy: Policy) -> Section:
    """A rule of an IPsec policy that does not say how both sides prove who they are has it from the policy."""
    for ipsec in policy.ipsec_policies:
        rule = next((one for one in ipsec.own_rules if one.place == section.place), None)
        if rule is None or rule.auth or filter_actions(policy)[rule.filter_action].response is not Response.NEGOTIATE:
            continue
        return replace(section, settings=(*section.settings, _auth_of(ipsec)))
    return section


def _auth_of(ipsec: IpsecPolicy) -> Setting:
    places = ipsec.places
    place = next((places[key] for key in ("auth", "auth.psk-file", "auth.certificate") if key in places), NOWHERE)
    text = toml_auth(ipsec.auth or (Kerberos(),))
    return Setting("auth", text, True, place, f'policy "{ipsec.title}"' if place else "")
