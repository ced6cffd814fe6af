# SPDX-License-Identifier: Apache-2.0
"""``ringfence key show``: a public key in the forms that others want it in, out of a private key or a public one.

Nothing of a private key is ever printed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import JsonOption

if TYPE_CHECKING:
    from ringfence.control.questions import KeyAnswer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
ENDING = ".pub"


@app.callback()
def _key() -> None:
    """Keys without certificates."""


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A private key, or a public one.", show_default=False)],
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With the password of the private key.", show_default=False)
    ] = None,
    pem: Annotated[bool, typer.Option("--pem", help="The public key alone, in PEM, for a file.")] = False,
    json: JsonOption = False,
) -> None:
    """Print the public key of FILE in the forms that Ringfence, strongSwan, Libreswan, OpenIKED and OpenSSH take."""
    from ringfence.control.questions import KeyAnswer
    from ringfence.crypto import rawkeys
    from ringfence.crypto.signature import PublicKey
    from ringfence.stores.rawkeys import public_of

    info = public_of(file, password_file)
    answer = KeyAnswer(
        file=str(file),
        kind=PublicKey(info).kind.value,
        fingerprint=f"sha256:{rawkeys.fingerprint(info).hex()}",
        pem=rawkeys.as_pem(info),
        base64=rawkeys.as_base64(info),
        dns=rawkeys.as_dns(info),
        openssh=rawkeys.as_openssh(info),
    )
    if json:
        output.say_json(answer)
        return
    for line in [answer.pem.rstrip("\n")] if pem else _lines(answer):
        output.say(line)


def _lines(answer: "KeyAnswer") -> Iterator[str]:
    public = f"{Path(answer.file).stem}{ENDING}"
    yield f"key         {answer.kind}, {answer.fingerprint}"
    yield f"file        ringfence key show --pem {answer.file} > {public}"
    yield f'Ringfence   auth = {{ public-key = "{public}", key-file = "the other side\'s own key" }}'
    yield f"strongSwan  /etc/swanctl/pubkey/{public}, and in remote: auth = pubkey, pubkeys = {public}"
    yield "OpenIKED    /etc/iked/pubkeys/fqdn/NAME is that file"
    if answer.dns:
        yield f"Libreswan   rightrsasigkey={answer.dns}"
    if answer.openssh:
        yield f"OpenSSH     {answer.openssh}"
    yield f"in a word   {answer.base64}"
