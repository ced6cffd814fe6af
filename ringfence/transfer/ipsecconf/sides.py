# SPDX-License-Identifier: Apache-2.0
"""Which side of a connection is this computer: left or right.

ipsec.conf is written for both sides alike, and each program looks at its own addresses. A text has none, so the words
decide: ``%defaultroute`` is this computer; of one address and ``%any`` the address is, but for strongSwan, where left
is this computer whatever it says. Two addresses say nothing: then left is taken, and a note says so. Whoever knows
better says it: an address, ``left`` or ``right``.
"""

from ringfence.net.address import parse_address
from ringfence.policy.errors import BadWord
from ringfence.transfer.ipsecconf.syntax import Files, Section

OWN = ("%defaultroute",)
ANYBODY = ("%any", "%any4", "%any6", "%opportunistic", "%opportunisticgroup", "%group", "0.0.0.0", "::")  # noqa: S104
STRONGSWAN = {
    "leftauth", "rightauth", "leftauth2", "rightauth2", "closeaction", "charondebug", "leftfirewall", "rightfirewall",
    "lefthostaccess", "eap_identity", "rightsourceip", "margintime", "installpolicy", "strictcrlpolicy",
}  # fmt: skip
LIBRESWAN = {
    "ikev2", "phase2alg", "phase2", "salifetime", "leftsubnets", "rightsubnets", "leftnexthop", "rightnexthop",
    "protostack",
    "virtual_private", "leftrsasigkey", "rightrsasigkey", "ikev1_policy", "narrowing", "encapsulation",
}  # fmt: skip


def check(me: str) -> str:
    """What was said of this computer's side; raises BadWord."""
    word = me.strip().lower()
    if word in ("", "left", "right"):
        return word
    try:
        parse_address(word)
    except ValueError as error:
        raise BadWord(f'"{me}", which is neither an address nor "left" or "right"') from error
    return word


def is_strongswan(files: Files) -> bool:
    """Whether the file is for strongSwan rather than for Libreswan, as far as its words tell."""
    words = {key for section in files.sections for key in section.values}
    return len(words & STRONGSWAN) > len(words & LIBRESWAN)


def own_side(conn: Section, me: str, *, strongswan: bool) -> tuple[str, str]:
    """``left`` or ``right``, and what has to be said of it; ``me`` is what ``check`` gave."""
    if me in ("left", "right"):
        return me, ""
    left, right = (conn.text(side, "%any").lower() for side in ("left", "right"))
    if me:
        return _by_address(left, right, me)
    for side, text in (("left", left), ("right", right)):
        if text in OWN:
            return side, ""
    anybody = (left in ANYBODY, right in ANYBODY)
    if anybody == (False, True):
        return "left", ""
    if anybody == (True, False):
        return ("left", "") if strongswan else ("right", "right is taken to be this computer, since left is anybody")
    if anybody == (True, True):
        return "left", "left is taken to be this computer"
    return "left", "left is taken to be this computer"


def _by_address(left: str, right: str, me: str) -> tuple[str, str]:
    own = parse_address(me)
    for side, text in (("left", left), ("right", right)):
        try:
            if parse_address(text) == own:
                return side, ""
        except ValueError:
            continue
    for side, text in (("left", left), ("right", right)):
        if text in OWN:
            return side, ""
    for side, text in (("right", left), ("left", right)):
        if text not in ANYBODY:
            return side, f"neither side is {me}, so {side} is taken to be this computer"
    return "left", f"neither side is {me}, so left is taken to be this computer"
