# SPDX-License-Identifier: Apache-2.0
"""The kinds of objects that a document may have, each with the word that the command line has for it.

Which settings an object may have is not said here: the document's own decoders know.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Form(Enum):
    """How the objects of a kind are written."""

    LISTED = auto()
    """``[[key]]``, each with a ``name``."""
    NAMED = auto()
    """``[key."name"]``."""
    SINGLE = auto()
    """``[key]``, of which there is one."""
    POLICIES = auto()
    """``[policy."name"]``; where there is only one also ``[policy]``, with a ``name`` or without."""
    WITHIN = auto()
    """``[[rule]]`` of an IPsec policy."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of objects."""

    word: str
    """On the command line."""
    key: str
    """In the document; where others refer to one, the setting has this name, too."""
    form: Form
    title: str
    """For people: ``connection security rule``."""
    plural: str = ""
    """Empty: the title with an s."""

    @property
    def titles(self) -> str:
        """Of several."""
        return self.plural or f"{self.title}s"


POLICY = Noun("policy", "policy", Form.POLICIES, "IPsec policy", "IPsec policies")
RULE = Noun("rule", "rule", Form.WITHIN, "policy rule", "rules of IPsec policies")
CONSEC = Noun("consec", "rule", Form.LISTED, "connection security rule")
FILTER = Noun("filter", "filter", Form.LISTED, "filter")
FILTER_LIST = Noun("filterlist", "filter-list", Form.NAMED, "filter list")
FILTER_ACTION = Noun("filteraction", "filter-action", Form.NAMED, "filter action")

MAIN_MODE = Noun("mainmode", "main-mode", Form.LISTED, "main mode rule")
AUTH_SET = Noun("authset", "auth-set", Form.NAMED, "authentication set")
MAIN_MODE_CRYPTO = Noun("mainmodecrypto", "main-mode-crypto", Form.NAMED, "main mode crypto set")
QUICK_MODE_CRYPTO = Noun("quickmodecrypto", "quick-mode-crypto", Form.NAMED, "quick mode crypto set")
PACKET_FILTER = Noun("packetfilter", "packet-filter", Form.LISTED, "packet filter")
GLOBAL = Noun("global", "global", Form.SINGLE, "global settings", "global settings")
PROFILE = Noun("profile", "profile", Form.SINGLE, "network profiles", "network profiles")
BOOT = Noun("bootmode", "boot", Form.SINGLE, "boot settings", "boot settings")

NOUNS = (
    POLICY, RULE, FILTER_LIST, FILTER_ACTION, CONSEC, MAIN_MODE, AUTH_SET, MAIN_MODE_CRYPTO, QUICK_MODE_CRYPTO, FILTER,
    PACKET_FILTER, GLOBAL, PROFILE, BOOT,
)  # fmt: skip
