# SPDX-License-Identifier: Apache-2.0
"""The command ``ringfence``: finds the noun, and turns every outcome into an exit code.

0 fine, 1 the answer is no, 2 wrong usage, 3 it cannot be done. No traceback reaches a person: what nobody foresaw is
written to a file, and the person is told where. A command imports what it needs when it runs, so that help and checks
start at once.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated

import typer

from ringfence import __version__
from ringfence.cli import (
    apply,
    boot,
    demo,
    domain,
    explain,
    gateway,
    key,
    lint,
    monitor,
    nouns,
    output,
    policy,
    reload,
    sa,
    status,
    whatif,
    why,
)
from ringfence.cli import run as run_service
from ringfence.control.errors import BadRequest, NotThere, Refused
from ringfence.editing.errors import BadSettings, EditRefused
from ringfence.errors import IpsecError
from ringfence.policy.errors import PolicyError

HELP = """IPsec for Linux with the policy model of Windows: permit, block or protect, packet by packet.

\b
  ringfence policy check policy.toml   is it right? what would it mean here?
  ringfence run policy.toml            guard this computer by it (as root)
  ringfence demo                       see it all happen; changes nothing here"""


class Exit(IntEnum):
    """Exit codes."""

    FINE = 0
    NO = 1
    USAGE = 2
    CANNOT = 3


app = typer.Typer(
    name="ringfence",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", short_help="Guard this computer by a policy.")(run_service.run)
app.command("boot", short_help="Shut what a policy requires until the service is up.")(boot.boot)
app.command("status", short_help="Show the whole on one page.")(status.status)
app.add_typer(sa.app, name="sa", short_help="List, show, delete security associations.")
app.add_typer(gateway.app, name="gateway", short_help="Send clients to another gateway.")
app.add_typer(policy.app, name="policy", short_help="Show the running policy, check, compare, edit.")
nouns.add_nouns(app)
app.add_typer(domain.app, name="domain", short_help="Say whether a domain's policy can be followed.")
app.command("explain", short_help="Say what happens to a packet, and why.")(explain.explain)
app.command("why", short_help="Say why there is no security with a peer.")(why.why)
app.command("whatif", short_help="Say what a policy would do to traffic seen.")(whatif.whatif)
app.command("lint", short_help="Say what in a document needs a second look.")(lint.lint)
app.add_typer(key.app, name="key", short_help="Show public keys in the forms that peers want.")
app.command("monitor", short_help="Show events as they happen.")(monitor.monitor)
app.command("plan", short_help="Say what applying a policy would change.")(apply.plan)
app.command("apply", short_help="Follow another policy, perhaps on probation.")(apply.apply)
app.command("confirm", short_help="Let a policy on probation stay.")(apply.confirm)
app.command("reload", short_help="Read the policy document again.")(reload.reload)
app.command(
    "demo",
    short_help="See it all happen, in a network of its own.",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(demo.demo)


def _version(asked: bool) -> None:
    if asked:
        output.say(f"ringfence {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    as_json = "--json" in arguments
    try:
        code = app(list(arguments), prog_name="ringfence", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else Exit.FINE
    except IpsecError as error:
        output.problem(error, as_json=as_json)
        return exit_code(error)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return _usage(error, as_json)
        return _fault(error, as_json)


def exit_code(error: IpsecError) -> int:
    """The code for an error."""
    if isinstance(error, BadRequest | BadSettings):
        return Exit.USAGE
    return Exit.NO if isinstance(error, NotThere | Refused | PolicyError | EditRefused) else Exit.CANNOT


def _usage(error: Exception, as_json: bool) -> int:
    """A wrong command line, as typer (or the click below it) raises it."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "ringfence"
    message = str(error.format_message()) if hasattr(error, "format_message") else str(error)
    if not message or type(error).__name__ == "NoArgsIsHelpError":
        output.say(context.get_help() if context is not None else HELP, err=True)
        return Exit.USAGE
    output.problem(IpsecError(message, place=command, cure=f"{command} --help  shows how."), as_json=as_json)
    return Exit.USAGE


def _fault(error: Exception, as_json: bool) -> int:
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", prefix="ringfence-fault-", suffix=".txt", delete=False) as file:
        file.write(f"ringfence {__version__}, Python {sys.version}\n")
        traceback.print_exception(error, file=file)
    told = IpsecError(
        f"This is a fault of ringfence itself ({type(error).__name__}).",
        cure=f"Please report it with the file {file.name}, which says where it happened.",
    )
    output.problem(told, as_json=as_json)
    return Exit.CANNOT


def run() -> None:
    """The console script ``ringfence``."""
    sys.exit(main(sys.argv[1:]))
