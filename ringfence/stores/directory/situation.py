# SPDX-License-Identifier: Apache-2.0
"""What a directory knows of this computer and of the GPOs that could be meant for it ([MS-GPOL] §3.2.5.1).

A handful of small searches: the computer's account and its groups, the site of its addresses, the domain and the OUs on
the way to the account, each GPO that is linked there with the object that names its policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from ringfence.stores.directory.acl import AUTHENTICATED, EVERYBODY, sid_text
from ringfence.stores.directory.connection import SD_FLAGS, Directory, Scope
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import Situation, links, pointer
from ringfence.stores.directory.objects import COMMA, Catalogue, Entry, below, key
from ringfence.wire import DecodeError

GPO = (
    "objectClass", "displayName", "flags", "versionNumber", "gPCMachineExtensionNames", "gPCWQLFilter",
    "nTSecurityDescriptor",
)  # fmt: skip
POINTS = ("objectClass", "ipsecOwnersReference", "ipsecName")
CONTAINER = ("objectClass", "gPLink", "gPOptions")
SPECIAL = {"\\": r"\5c", "*": r"\2a", "(": r"\28", ")": r"\29", "\0": r"\00"}


@dataclass(frozen=True, slots=True)
class Root:
    """What a server says of itself."""

    domain: str
    """The DN of the domain."""
    configuration: str
    """The DN below which sites are; empty where there are none."""
    has_acls: bool
    """Whether it keeps security descriptors, as Active Directory does."""


def root_of(directory: Directory, domain: str = "") -> Root:
    """What the server says, for the domain called so or its own; raises DirectoryFailed."""
    attributes = ("defaultNamingContext", "namingContexts", "configurationNamingContext", "supportedControl")
    found = directory.search("", Scope.BASE, attributes=attributes)
    said = found[0] if found else Entry.of("", {})
    base = domain or said.text("defaultNamingContext") or said.text("namingContexts")
    if not base:
        raise DirectoryFailed("the server does not say which domain it has", cure='Say domain = "DC=corp,DC=example".')
    return Root(base, said.text("configurationNamingContext"), SD_FLAGS in said.texts("supportedControl"))


def situation_of(directory: Directory, root: Root, computer: str, addresses: Iterable[str] = ()) -> Situation:
    """All that decides for the computer with this account and these addresses; raises DirectoryFailed."""
    account = _account(directory, root, computer)
    path = [*_site(directory, root, addresses), *_containers(directory, root, account)]
    objects = list[Entry]()
    for dn in dict.fromkeys(link.gpo for at in path for link in links(at)):
        objects += directory.search(dn, Scope.BASE, attributes=GPO, security=root.has_acls)
        objects += directory.search(pointer(dn), Scope.BASE, attributes=POINTS)
    return Situation(tuple(path), Catalogue(objects), _sids(directory, account), root.has_acls)


def parent(dn: str) -> str:
    """The DN of what an object is in."""
    return COMMA.split(dn, maxsplit=1)[1] if COMMA.search(dn) else ""


def site_of(subnets: Iterable[Entry], addresses: Iterable[str]) -> str:
    """The DN of the site with the smallest network that one of ``addresses`` is in; empty for none."""
    best, found = -1, ""
    mine = [ip_address(one) for one in addresses]
    for subnet in subnets:
        try:
            network = ip_network(subnet.text("cn") or subnet.name, strict=False)
        except ValueError:
            continue
        if network.prefixlen > best and any(one in network for one in mine):
            best, found = network.prefixlen, subnet.text("siteObject")
    return found


def _account(directory: Directory, root: Root, computer: str) -> Entry:
    name = "".join(SPECIAL.get(c, c) for c in computer)
    found = directory.search(root.domain, Scope.BELOW, f"(sAMAccountName={name})", ("objectSid", "sAMAccountName"))
    if len(found) != 1:
        what = f"there are {len(found)} accounts" if found else "there is no account"
        cure = 'Join it to the domain, or say computer = "NAME$" as the domain has it.'
        raise DirectoryFailed(f"{what} called {computer} below {root.domain}", cure=cure)
    return found[0]


def _containers(directory: Directory, root: Root, account: Entry) -> list[Entry]:
    """The domain and the OUs on the way to the account, downward."""
    found, dn = list[Entry](), parent(account.dn)
    while below(dn, root.domain):
        entries = directory.search(dn, Scope.BASE, attributes=CONTAINER)
        kinds = {one.lower() for entry in entries for one in entry.texts("objectClass")}
        if kinds & {"organizationalunit", "domaindns"}:
            found.append(Entry(dn, entries[0].values))
        if key(dn) == key(root.domain):
            break
        dn = parent(dn)
    return found[::-1]


def _site(directory: Directory, root: Root, addresses: Iterable[str]) -> list[Entry]:
    if not root.configuration:
        return []
    where = f"CN=Subnets,CN=Sites,{root.configuration}"
    subnets = directory.search(where, Scope.ONE, "(objectClass=subnet)", ("cn", "siteObject"))
    site = site_of(subnets, addresses)
    return directory.search(site, Scope.BASE, attributes=CONTAINER) if site else []


def _sids(directory: Directory, account: Entry) -> frozenset[str]:
    """The account's own and those of its groups, nested ones among them."""
    found = {EVERYBODY, AUTHENTICATED}
    own = account.octets("objectSid")
    groups = directory.search(account.dn, Scope.BASE, attributes=("tokenGroups",)) if own is not None else []
    octets = [own] if own is not None else []
    octets += [one for entry in groups for one in entry.values.get("tokengroups", ())]
    try:
        return frozenset(found | {sid_text(one) for one in octets})
    except DecodeError as error:
        raise DirectoryFailed(f"the groups of {account.dn} cannot be read: {error}") from error
