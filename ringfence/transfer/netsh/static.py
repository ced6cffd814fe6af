# SPDX-License-Identifier: Apache-2.0
"""``netsh ipsec static``: a store of policies, filter lists and filter actions, as a script makes and changes it.

Commands are carried out in their order, so that what counts in the end is the state after the script; to delete what
is not there is no mistake. Names are the same in any case. What Windows has without anybody making it (the predefined
lists and actions, the default policies) may be named, too.
"""

from collections.abc import Callable
from dataclasses import replace

from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.net.address import parse_address
from ringfence.policy.defaults import DEFAULT_POLICIES, FILTER_ACTIONS, FILTER_LISTS
from ringfence.policy.methods import QUICK_MODE_DEFAULT, parse_method
from ringfence.policy.model import Connection
from ringfence.policy.windows import DYNAMIC, FilterAction, Response
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.drafts import ActionDraft, DefaultRule, ListDraft, PolicyDraft, RuleDraft
from ringfence.transfer.netsh.filters import read_filter
from ringfence.transfer.netsh.methods import LONGEST_S, WINDOWS_LIMITS, ipsec_main_modes, ipsec_offers
from ringfence.transfer.netsh.session import Session, ipsec_auth

AUTH = ("kerberos", "psk", "rootca")
POLICY = ("description", "mmpfs", "qmpermm", "mmlifetime", "activatedefaultrule", "pollinginterval", "assign")
ACTION = ("description", "qmpfs", "inpass", "soft", "action", "qmsecmethods")
FILTER = ("filterlist", "srcaddr", "dstaddr", "description", "protocol", "mirrored", "srcmask", "dstmask", "srcport",
          "dstport")  # fmt: skip
RULE_END = ("tunnel", "conntype", "activate")
TAGS = {
    "add policy": ("name", *POLICY, "mmsecmethods"),
    "set policy": ("name", "newname", *POLICY, "gponame", "mmsecmethods", "guid"),
    "delete policy": ("name",),
    "add filterlist": ("name", "description"),
    "set filterlist": ("name", "newname", "description", "guid"),
    "delete filterlist": ("name",),
    "add filter": FILTER,
    "delete filter": tuple(tag for tag in FILTER if tag != "description"),
    "add filteraction": ("name", *ACTION),
    "set filteraction": ("name", "newname", *ACTION, "guid"),
    "delete filteraction": ("name",),
    "add rule": ("name", "policy", "filterlist", "filteraction", *RULE_END, "description", *AUTH),
    "set rule": ("name", "policy", "newname", "description", "filterlist", "filteraction", *RULE_END, *AUTH, "id"),
    "delete rule": ("name", "policy", "id"),
    "set defaultrule": ("policy", "qmpfs", "activate", "qmsecmethods", *AUTH),
    "set store": ("location", "domain"),
    "delete all": (),
}
CONNECTIONS = {"all": Connection.ALL, "lan": Connection.LAN, "dialup": Connection.REMOTE_ACCESS}
RESPONSES = {one.value: one for one in Response}
LONGEST_NAME = 100
WEEK_MIN = 7 * 24 * 60
BY_NUMBER = "it names the rule by its number, which Windows counts anew"


class Static:
    """The store."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.policies: dict[str, PolicyDraft] = {}
        """By their names in small letters, as all here."""
        self.lists: dict[str, ListDraft] = {}
        self.actions: dict[str, ActionDraft] = {}
        self.assigned = ""
        self._do: dict[str, Callable[[Arguments], None]] = {
            "add policy": self._add_policy, "set policy": self._set_policy, "delete policy": self._delete_policy,
            "add filterlist": self._add_list, "set filterlist": self._set_list, "delete filterlist": self._delete_list,
            "add filter": self._add_filter, "delete filter": self._delete_filter,
            "add filteraction": self._add_action, "set filteraction": self._set_action,
            "delete filteraction": self._delete_action, "add rule": self._add_rule, "set rule": self._set_rule,
            "delete rule": self._delete_rule, "set defaultrule": self._set_default_rule, "set store": self._set_store,
            "delete all": lambda _: self._delete_all(),
        }  # fmt: skip

    def run(self, command: str, said: Arguments) -> None:
        """Carry out ``command``, a key of ``TAGS``; raises Refused."""
        self._do[command](said)

    def _add_policy(self, said: Arguments) -> None:
        name = name_of(said.need("name"))
        if name.lower() in self.policies:
            raise Refused("there is a policy of that name already, and netsh refuses it")
        draft = PolicyDraft(self._session.line, name, DefaultRule(self._session.line))
        self._change_policy(draft, said)
        self.policies[name.lower()] = draft

    def _set_policy(self, said: Arguments) -> None:
        if "guid" in said:
            raise Refused("it names the policy by a number that only that Windows knows", "Name it by name=.")
        draft = self._policy(said.need("name"))
        self._change_policy(draft, said)
        if "gponame" in said:
            self._session.note("the policy would go to a group policy object; here it is this computer's own")
        if new := said.get("newname"):
            del self.policies[draft.name.lower()]
            self.assigned = new.lower() if self.assigned == draft.name.lower() else self.assigned
            draft.name = new
            self.policies[new.lower()] = draft

    def _policy(self, name: str) -> PolicyDraft:
        if found := self.policies.get(name.lower()):
            return found
        for default in DEFAULT_POLICIES:
            if default.lower() == name.lower():
                made = PolicyDraft(self._session.line, default, DefaultRule(self._session.line), default)
                self.policies[name.lower()] = made
                return made
        raise Refused(f'there is no policy "{name}"', "It has to be added before.")

    def _change_policy(self, draft: PolicyDraft, said: Arguments) -> None:
        draft.description = said.get("description", draft.description)
        draft.pfs = said.flag("mmpfs", default=draft.pfs)
        draft.sessions = said.number("qmpermm", draft.sessions)
        draft.lifetime_s = self._lifetime(draft, said)
        minutes = said.number("pollinginterval", draft.poll_s // 60)
        draft.poll_s = min(max(minutes, 1), WEEK_MIN) * 60
        draft.default_rule.active = said.flag("activatedefaultrule", default=draft.default_rule.active)
        limits = Limits(seconds=draft.lifetime_s)
        if said.get("mmsecmethods"):
            draft.methods = self._session.methods(ipsec_main_modes(said.get("mmsecmethods"), limits))
        else:
            draft.methods = tuple(replace(one, limits=limits) for one in draft.methods)
        if "assign" in said:
            assigned = said.flag("assign")
            if assigned or self.assigned == draft.name.lower():
                self.assigned = draft.name.lower() if assigned else ""

    def _lifetime(self, draft: PolicyDraft, said: Arguments) -> int:
        seconds = said.number("mmlifetime", draft.lifetime_s // 60) * 60
        if seconds > LONGEST_S:
            self._session.note(f"keys live {LONGEST_S} seconds at most: mmlifetime is in minutes")
        return min(max(seconds, 60), LONGEST_S)

    def _delete_policy(self, said: Arguments) -> None:
        name = said.need("name").lower()
        if name == "all":
            self.policies.clear()
            self.assigned = ""
        elif self.policies.pop(name, None) is not None:
            self.assigned = "" if self.assigned == name else self.assigned

    def _add_list(self, said: Arguments) -> None:
        name = _list_name(said.need("name"))
        if name.lower() in self.lists:
            raise Refused("there is a filter list of that name already, and netsh refuses it")
        self.lists[name.lower()] = ListDraft(self._session.line, name, said.get("description"))

    def _set_list(self, said: Arguments) -> None:
        name = said.need("name")
        draft = self.lists.get(name.lower())
        if draft is None:
            raise Refused(f'there is no filter list "{name}"', "It has to be added before.")
        draft.description = said.get("description", draft.description)
        draft.name = _list_name(said.get("newname") or draft.name)
        del self.lists[name.lower()]
        self.lists[draft.name.lower()] = draft
        for rule in self._rules():
            if rule.filter_list.lower() == name.lower():
                rule.filter_list = draft.name

    def _rules(self) -> list[RuleDraft]:
        return [rule for policy in self.policies.values() for rule in policy.rules]

    def _delete_list(self, said: Arguments) -> None:
        name = said.need("name").lower()
        used = {rule.filter_list.lower() for rule in self._rules()}
        if name in used:
            raise Refused("a rule uses it, and netsh refuses to delete it")
        for one in list(self.lists) if name == "all" else [name]:
            if one not in used:
                self.lists.pop(one, None)

    def _add_filter(self, said: Arguments) -> None:
        name = _list_name(said.need("filterlist"))
        made = read_filter(said)
        draft = self.lists.setdefault(name.lower(), ListDraft(self._session.line, name))
        draft.filters.setdefault(replace(made, description=""), made.description)

    def _delete_filter(self, said: Arguments) -> None:
        draft = self.lists.get(said.need("filterlist").lower())
        gone = replace(read_filter(said), description="")
        if draft is not None:
            draft.filters.pop(gone, None)

    def _add_action(self, said: Arguments) -> None:
        name = name_of(said.need("name"))
        if name.lower() in self.actions:
            raise Refused("there is a filter action of that name already, and netsh refuses it")
        self.actions[name.lower()] = ActionDraft(self._session.line, self._action(FilterAction(name), said))

    def _set_action(self, said: Arguments) -> None:
        name = said.need("name")
        draft = self.actions.get(name.lower())
        if draft is None:
            raise Refused(f'there is no filter action "{name}"', "It has to be added before.")
        old = draft.value
        draft.value = self._action(replace(old, name=name_of(said.get("newname") or old.name)), said)
        del self.actions[old.name.lower()]
        self.actions[draft.value.name.lower()] = draft
        for rule in self._rules():
            if rule.filter_action.lower() == old.name.lower():
                rule.filter_action = draft.value.name

    def _action(self, old: FilterAction, said: Arguments) -> FilterAction:
        response = said.choice("action", RESPONSES, old.response)
        description = said.get("description", old.description)
        if response is not Response.NEGOTIATE:
            return FilterAction(old.name, response, description=description)
        methods = old.methods
        if said.get("qmsecmethods"):
            methods = self._session.methods(ipsec_offers(said.get("qmsecmethods")))
        elif not methods:
            methods = self.default_methods()
        return replace(
            old,
            response=response,
            description=description,
            methods=methods,
            pfs=said.flag("qmpfs", default=old.pfs is True),
            accept_unsecured=said.flag("inpass", default=old.accept_unsecured),
            fallback_to_clear=said.flag("soft", default=old.fallback_to_clear),
        )

    def default_methods(self) -> tuple[SecurityMethod, ...]:
        """Those of a filter action that names none."""
        why = "it names no security methods; Windows would offer 3DES and DES, here today's are offered"
        self._session.note(why, 'If the other side has nothing better: qmsecmethods="ESP[3DES,SHA1]".')
        return tuple(parse_method(word, WINDOWS_LIMITS) for word in QUICK_MODE_DEFAULT)

    def _delete_action(self, said: Arguments) -> None:
        name = said.need("name").lower()
        used = {rule.filter_action.lower() for rule in self._rules()}
        if name in used:
            raise Refused("a rule uses it, and netsh refuses to delete it")
        for one in list(self.actions) if name == "all" else [name]:
            if one not in used:
                self.actions.pop(one, None)

    def _add_rule(self, said: Arguments) -> None:
        policy = self._policy(said.need("policy"))
        name = said.get("name")
        if name and any(rule.name.lower() == name.lower() for rule in policy.rules):
            raise Refused("the policy has a rule of that name already, and netsh refuses it")
        draft = RuleDraft(self._session.line, name, "", "")
        self._change_rule(draft, said)
        if not draft.filter_list or not draft.filter_action:
            raise Refused("netsh needs filterlist= and filteraction= here")
        policy.rules.append(draft)

    def _change_rule(self, draft: RuleDraft, said: Arguments) -> None:
        filter_list, filter_action, tunnel = draft.filter_list, draft.filter_action, draft.tunnel
        if "filterlist" in said:
            filter_list = self.list_name(said.need("filterlist"))
        if "filteraction" in said:
            filter_action = self._action_name(said.need("filteraction"))
        if "tunnel" in said:
            tunnel = _tunnel(said.get("tunnel"))
        auth = ipsec_auth(self._session, said, draft.name or filter_list)
        draft.connection = said.choice("conntype", CONNECTIONS, draft.connection)
        draft.enabled = said.flag("activate", default=draft.enabled)
        draft.description = said.get("description", draft.description)
        draft.filter_list, draft.filter_action, draft.tunnel = filter_list, filter_action, tunnel
        draft.auth = auth or draft.auth

    def list_name(self, name: str) -> str:
        """A filter list's name as it was given; raises Refused when there is none."""
        names = [one.name for one in self.lists.values()] + [*FILTER_LISTS]
        return _named(name, names, "filter list")

    def _action_name(self, name: str) -> str:
        names = [one.value.name for one in self.actions.values()] + [*FILTER_ACTIONS]
        return _named(name, names, "filter action")

    def _set_rule(self, said: Arguments) -> None:
        draft = self._rule(said)
        self._change_rule(draft, said)
        draft.name = said.get("newname") or draft.name

    def _rule(self, said: Arguments) -> RuleDraft:
        policy = self._policy(said.need("policy"))
        if "id" in said:
            raise Refused(BY_NUMBER, "Name it by name=.")
        name = said.need("name")
        found = next((rule for rule in policy.rules if rule.name.lower() == name.lower()), None)
        if found is None:
            raise Refused(f'the policy "{policy.name}" has no rule "{name}"', "It has to be added before.")
        return found

    def _delete_rule(self, said: Arguments) -> None:
        policy = self.policies.get(said.need("policy").lower())
        if said.get("name").lower() == "all" and policy is not None:
            policy.rules.clear()
        elif policy is not None and any(rule.name.lower() == said.get("name").lower() for rule in policy.rules):
            policy.rules.remove(self._rule(said))
        elif "id" in said:
            raise Refused(BY_NUMBER, "Name it by name=.")

    def _set_default_rule(self, said: Arguments) -> None:
        rule = self._policy(said.need("policy")).default_rule
        rule.active = said.flag("activate", default=rule.active)
        rule.pfs = said.flag("qmpfs", default=rule.pfs)
        if said.get("qmsecmethods"):
            rule.methods = self._session.methods(ipsec_offers(said.get("qmsecmethods")))
        rule.auth = ipsec_auth(self._session, said, "default response") or rule.auth
        rule.line = self._session.line

    def _set_store(self, said: Arguments) -> None:
        if said.get("location").lower() not in ("", "local"):
            why = f'what follows is for the store "{said.get("location")}" of Windows; here it is this computer\'s own'
            self._session.note(why)

    def _delete_all(self) -> None:
        self.policies.clear()
        self.lists.clear()
        self.actions.clear()
        self.assigned = ""


def name_of(text: str) -> str:
    """A name that a document may have; raises Refused."""
    if not text.strip() or len(text) > LONGEST_NAME:
        raise Refused(f"a name has 1 to {LONGEST_NAME} characters here")
    return text


def _list_name(text: str) -> str:
    if text == DYNAMIC:
        raise Refused("that is the name of what the default response rule is about")
    return name_of(text)


def _named(name: str, known: list[str], what: str) -> str:
    found = next((one for one in known if one.lower() == name.lower()), None)
    if found is None:
        raise Refused(f'there is no {what} "{name}"', "It has to be added before.")
    return found


def _tunnel(text: str) -> bytes | None:
    if text.lower() in ("", "no", "none", "0.0.0.0"):  # noqa: S104 - Windows' word for none
        return None
    try:
        return parse_address(text)
    except ValueError as error:
        why = f'the end of a tunnel has to be an address here, and "{text}" is none'
        raise Refused(why, "Write the address that the name stands for.") from error
