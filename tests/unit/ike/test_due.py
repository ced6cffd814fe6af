# SPDX-License-Identifier: Apache-2.0
"""What deadlines are about."""

from ringfence.ike.due import OF_IKE_SAS, Due


def test_which_belong_to_an_ike_sa_alone():
    assert {Due.REAUTHENTICATE, Due.UNPROVED, Due.EXPIRE_IKE, Due.SESSION} <= set(OF_IKE_SAS)
    assert not {Due.RENEW, Due.EXPIRE, Due.SWITCH, Due.RETIRE, Due.STANDING, Due.WISHES} & set(OF_IKE_SAS)
