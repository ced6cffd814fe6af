# SPDX-License-Identifier: Apache-2.0
"""Public keys without certificates, as strongSwan is told of them: files in folders of its own."""

from ringfence.policy.errors import BadWord
from ringfence.policy.rawkeys import FINGERPRINT, PublicKeys, is_inline
from ringfence.transfer.swanctl.shapes import quoted


def public_key(auth: PublicKeys) -> tuple[str, str]:
    """The setting of the remote side, and what has to be done by hand; raises BadWord for what strongSwan cannot."""
    if len(auth.keys) != 1:
        raise BadWord("a connection of strongSwan has one other side, and so one public key")
    name, text = auth.keys[0]
    if name:
        raise BadWord("whose key it is, strongSwan is told by the connection's id", cure="Say identity.remote.")
    if text.startswith(FINGERPRINT):
        raise BadWord("strongSwan has to know the key itself, not its fingerprint")
    own = f"the private key ({auth.own}) belongs into /etc/swanctl/private"
    if is_inline(text):
        file = "peer.pub"
        what = f"{own}, the key {text} as a file into /etc/swanctl/pubkey/{file} (ringfence key show --pem)"
        return f"pubkeys = {file}", what
    return f"pubkeys = {quoted(text)}", f"{own}, the public one ({text}) into /etc/swanctl/pubkey"
