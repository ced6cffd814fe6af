# SPDX-License-Identifier: Apache-2.0
"""The TOML of what holds before the service is up."""

from collections.abc import Iterator

from ringfence.databases.boot import AfterStop, BootMode
from ringfence.place import NOWHERE
from ringfence.policy.boot import BootSettings
from ringfence.policy.texts import Section, Setting, toml_text


def boot_sections(boot: BootSettings, *, bare: bool) -> Iterator[Section]:
    """Its table, with every setting; in a ``bare`` document, without a rule, no mode is the default."""
    exempt = ", ".join(toml_text(str(one)) for one in boot.exempt)
    usual = boot.mode is BootMode.STATEFUL and not (bare and boot.place)
    pairs = (
        ("mode", toml_text(boot.mode.value), usual),
        ("exempt", f"[{exempt}]", not boot.exempt),
        ("after-stop", toml_text(boot.after_stop.value), boot.after_stop is AfterStop.OPEN),
    )
    settings = (Setting(name, text, default, boot.places.get(name, NOWHERE)) for name, text, default in pairs)
    yield Section("[boot]", tuple(settings), boot.place)
