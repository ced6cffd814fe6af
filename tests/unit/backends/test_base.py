# SPDX-License-Identifier: Apache-2.0
"""Every backend has the shape of the port."""

import inspect

import pytest

from ringfence.backends.base import Backend, BackendError
from ringfence.backends.memory import MemoryBackend
from ringfence.backends.userspace import UserspaceBackend

METHODS = [name for name, _ in inspect.getmembers(Backend, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("cls", [MemoryBackend, UserspaceBackend])
@pytest.mark.parametrize("method", METHODS)
def test_shape(cls: type, method: str) -> None:
    wanted, found = inspect.signature(getattr(Backend, method)), inspect.signature(getattr(cls, method))
    assert list(wanted.parameters) == list(found.parameters)
    assert inspect.iscoroutinefunction(getattr(Backend, method)) == inspect.iscoroutinefunction(getattr(cls, method))


def test_errors_name_a_cure() -> None:
    assert str(BackendError("no device", cure="Load tun.")) == "no device\nLoad tun."
