# SPDX-License-Identifier: Apache-2.0
"""``ringfence demo``: two hosts in a network of their own, and IPsec between them."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the capture, the keys and the picture.", file_okay=False)
    ] = Path("demo-output"),
) -> None:
    """See it all happen: clear traffic, a policy, a negotiation, protected traffic, an attacker.

    The hosts live in a network of their own; nothing on this computer changes.
    """
    from ringfence.demo.story import demo as show

    raise typer.Exit(show(output))
