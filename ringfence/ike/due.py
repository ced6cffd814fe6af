# SPDX-License-Identifier: Apache-2.0
"""What deadlines of the engine are about; each is kept by this and the number of an IKE SA or a contract."""

from enum import Enum, auto

from ringfence.ike.timers import Timers


class Due(Enum):
    """What a deadline is about."""

    SESSION = auto()
    """An exchange waits."""
    RENEW_IKE = auto()
    EXPIRE_IKE = auto()
    RETIRE_IKE = auto()
    REAUTHENTICATE = auto()
    """Both sides have to prove again who they are."""
    UNPROVED = auto()
    """They have not done so in time."""
    NEXT_KEYING = auto()
    WISHES = auto()
    """Wishes have waited under an IKE SA for a moment."""
    RENEW = auto()
    EXPIRE = auto()
    SWITCH = auto()
    RETIRE = auto()
    STANDING = auto()


OF_IKE_SAS = (
    Due.SESSION, Due.RENEW_IKE, Due.EXPIRE_IKE, Due.RETIRE_IKE, Due.REAUTHENTICATE, Due.UNPROVED, Due.NEXT_KEYING
)  # fmt: skip
"""Those that an IKE SA alone has."""

Clock = Timers[tuple[Due, int]]
