# SPDX-License-Identifier: Apache-2.0
"""Why the service cannot run."""

from ringfence.errors import IpsecError


class ServiceError(IpsecError):
    """The root of these."""


class CannotRun(ServiceError):
    """Something that the service needs of this computer is missing."""


class AlreadyRunning(ServiceError):
    """Another Ringfence guards this network namespace."""
