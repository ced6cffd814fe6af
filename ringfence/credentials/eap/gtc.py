# SPDX-License-Identifier: Apache-2.0
"""Generic Token Card (RFC 3748 §5.6): the authenticator shows a text, and the peer says its password as it is.

It is for those whose password is nowhere kept but as a hash of another kind; the IKE SA around it keeps it secret.
"""

import hmac

from ringfence.credentials.eap.errors import Denied
from ringfence.credentials.eap.method import PeerDialogue, Reply, ServerDialogue
from ringfence.crypto.mschap import nt_hash
from ringfence.secret import Secret

PROMPT = b"Password"


def answer(password: Secret) -> PeerDialogue:
    """The peer's side."""
    yield Reply(password.reveal(), done=True)


def ask(password: Secret | None) -> ServerDialogue:
    """The authenticator's side; ``password`` is None for somebody unknown, who is asked all the same."""
    given = yield PROMPT
    if password is None or not matches(given, password):
        raise Denied("the password is wrong, or there is no such user")
    return None


def matches(given: bytes, kept: Secret) -> bool:
    """Whether that is the password which is kept as it is, or as its hash."""
    if not kept.exact:
        return hmac.compare_digest(given, kept.reveal())
    try:
        return nt_hash(given.decode()) == kept
    except UnicodeDecodeError:
        return False
