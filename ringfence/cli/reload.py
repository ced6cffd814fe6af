# SPDX-License-Identifier: Apache-2.0
"""``ringfence reload``: have the running service read its document now."""

from ringfence.cli import output
from ringfence.cli.output import JsonOption, SocketOption


def reload(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Have the service read its policy document again at once. It does so by itself, too, when the document changes."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.reload()
    if json:
        output.say_json(answer)
        return
    output.say(answer.summary)
    for line in answer.lines:
        output.say("  " + line)
