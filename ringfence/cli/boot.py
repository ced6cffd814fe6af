# SPDX-License-Identifier: Apache-2.0
"""``ringfence boot``: what holds until the service is up, before there is a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import Cell, JsonOption
from ringfence.cli.run import StateOption, StoreOption, named_stores

if TYPE_CHECKING:
    from ringfence.control.questions import BootAnswer
    from ringfence.service.boot import Booted

SAYS = {
    "document": "holds until the service is up",
    "kept": "The policy that was carried out last holds until the service is up.",
    "shut": "Until the service is up nothing passes but DHCP and neighbour discovery.",
    "nothing": "There is no policy and never was: everything is permitted.",
    "service": "The service is up: nothing was changed.",
}


def boot(
    policy: Annotated[
        Path | None, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)
    ] = None,
    store: StoreOption = None,
    state: StateOption = None,
    show: Annotated[bool, typer.Option("--print", help="Show the rules of nftables, and change nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Shut, before there is a network, what POLICY requires; what else passes is said by its [boot].

    It holds until the service is up, which takes over without a gap. If POLICY is not correct, what was carried out
    last holds, or nothing passes at all, and the exit code is 1.
    """
    from ringfence.backends.base import BackendError
    from ringfence.service.boot import boot as bring
    from ringfence.service.boot import state_folder
    from ringfence.service.settings import RUNTIME_DIRECTORY

    stores = named_stores(policy, store or [])
    found = _shown(stores) if show else bring(stores, state or state_folder(), RUNTIME_DIRECTORY)
    if json:
        output.say_json(_answer(found, show=show))
    elif show:
        output.say(found.ruleset.rstrip())
    else:
        _say(found)
    if found.problem is not None:
        output.problem(found.problem, as_json=json)
        raise typer.Exit(3 if isinstance(found.problem, BackendError) else 1)


def _shown(stores: dict[str, Path]) -> "Booted":
    from ringfence.policy.bootspd import boot_spd
    from ringfence.service.boot import Booted, Source, load, ruleset

    loaded, failure = load(stores)
    if failure is not None:
        raise failure
    meant = boot_spd(loaded.policy)
    return Booted(Source.DOCUMENT, meant, loaded.document_name, ruleset(loaded.policy))


def _answer(found: "Booted", *, show: bool) -> "BootAnswer":
    from ringfence.control.questions import BootAnswer
    from ringfence.policy.bootwords import shut_by

    return BootAnswer(
        holds=found.source.value,
        document=found.document,
        mode="" if found.boot is None else found.boot.mode.value,
        shut=[] if found.boot is None else list(shut_by(found.boot)),
        problem="" if found.problem is None else str(found.problem),
        ruleset=found.ruleset if show else "",
    )


def _say(found: "Booted") -> None:
    from ringfence.policy.bootwords import MODES, shut_by

    if found.boot is None:
        output.say(SAYS[found.source.value])
        return
    output.say(Cell(found.document, "head"), f" {SAYS[found.source.value]}")
    output.pairs(
        [
            *(("shut", one) for one in shut_by(found.boot)),
            ("mode", f"{found.boot.mode.value}: {MODES[found.boot.mode]}"),
        ]
    )
