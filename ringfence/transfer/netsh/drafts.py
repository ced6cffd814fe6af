# SPDX-License-Identifier: Apache-2.0
"""Objects of a store of IPsec policies while a script makes and changes them, each with the command that added it."""

from dataclasses import dataclass, field, replace

from ringfence.databases.proposal import IkeProposal, SecurityMethod
from ringfence.policy.model import MAIN_MODE_LIFETIME_S, Auth, Connection
from ringfence.policy.windows import FilterAction, FilterList, IpFilter
from ringfence.transfer.netsh.script import Line


@dataclass(slots=True)
class RuleDraft:
    """A rule that is being made."""

    line: Line
    name: str
    filter_list: str
    filter_action: str
    auth: tuple[Auth, ...] = ()
    tunnel: bytes | None = None
    connection: Connection = Connection.ALL
    enabled: bool = True
    description: str = ""


@dataclass(slots=True)
class DefaultRule:
    """The default response rule."""

    line: Line
    active: bool = False
    methods: tuple[SecurityMethod, ...] = ()
    pfs: bool = False
    auth: tuple[Auth, ...] = ()


@dataclass(slots=True)
class PolicyDraft:
    """A policy that is being made."""

    line: Line
    name: str
    default_rule: DefaultRule
    based_on: str = ""
    description: str = ""
    pfs: bool = False
    sessions: int = 0
    lifetime_s: int = MAIN_MODE_LIFETIME_S
    poll_s: int = 180 * 60
    methods: tuple[IkeProposal, ...] = ()
    rules: list[RuleDraft] = field(default_factory=list)


@dataclass(slots=True)
class ListDraft:
    """A filter list."""

    line: Line
    name: str
    description: str = ""
    filters: dict[IpFilter, str] = field(default_factory=dict)
    """Each filter without its description -> that description."""

    @property
    def value(self) -> FilterList:
        """The list as it is now."""
        found = tuple(replace(one, description=text) for one, text in self.filters.items())
        return FilterList(self.name, found, self.description)


@dataclass(slots=True)
class ActionDraft:
    """A filter action."""

    line: Line
    value: FilterAction
