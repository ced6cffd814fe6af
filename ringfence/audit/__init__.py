# SPDX-License-Identifier: Apache-2.0
"""Every event that an administrator may want to know of, once, as a value.

Engines make these; the host renders each for log, event list, metrics and screens. ``NAME`` is the word in JSON,
``WINDOWS_ID`` the number of the event that Windows writes in the same case (0 where it has none). ``str()`` is one
sentence for a person, ``fields()`` the same for a machine. No event holds a key.

Windows' numbers are those of its security log; where a policy comes from a file, the numbers for a policy in local
storage are used.
"""

from ringfence.audit.addresses import AddressAssigned, AddressWithdrawn
from ringfence.audit.event import Event, Plain
from ringfence.audit.negotiation import (
    FirstMessagesFlood,
    KeyingChanged,
    KeyingKept,
    MainModeEnded,
    MainModeEstablished,
    MainModeFailed,
    MessageExchanged,
    MessageIgnored,
    PeerDead,
    PeerSentElsewhere,
    QuickModeEnded,
    QuickModeEstablished,
    QuickModeFailed,
    SaMoved,
    keying_word,
)
from ringfence.audit.packets import FellBackToClear, PacketDropped
from ringfence.audit.policy import (
    EDIT_IDS,
    EDITS,
    NetworkChanged,
    PolicyApplied,
    PolicyConfirmed,
    PolicyEdited,
    PolicyOnProbation,
    PolicyRefused,
    PolicyRolledBack,
    PolicyWarning,
)
from ringfence.audit.service import KeyLogOpened, ServiceFault, ServiceStarted, ServiceStopped

__all__ = [
    "AddressAssigned",
    "AddressWithdrawn",
    "EDITS",
    "EDIT_IDS",
    "Event",
    "FellBackToClear",
    "FirstMessagesFlood",
    "KeyLogOpened",
    "KeyingChanged",
    "KeyingKept",
    "MainModeEnded",
    "MainModeEstablished",
    "MainModeFailed",
    "MessageExchanged",
    "MessageIgnored",
    "NetworkChanged",
    "PacketDropped",
    "PeerDead",
    "PeerSentElsewhere",
    "Plain",
    "PolicyApplied",
    "PolicyConfirmed",
    "PolicyEdited",
    "PolicyOnProbation",
    "PolicyRefused",
    "PolicyRolledBack",
    "PolicyWarning",
    "QuickModeEnded",
    "QuickModeEstablished",
    "QuickModeFailed",
    "SaMoved",
    "ServiceFault",
    "ServiceStarted",
    "ServiceStopped",
    "keying_word",
]
