# SPDX-License-Identifier: Apache-2.0
"""What NAT means for a policy."""

from dataclasses import replace

import pytest

from ringfence.databases.pad import ThroughNat
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.through_nat import check_nat, passing
from ringfence.ike.v2.natt import Nat
from ringfence.testing.hosts import AH_SHA256, ESP_GCM, HostPolicy, method

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]


def test_ah_does_not_pass():
    nat = Nat(local=False, remote=True)
    both = Processing((method(AH_SHA256), method(ESP_GCM)))
    assert passing(both, nat).methods == (method(ESP_GCM),)
    assert passing(both, None) is both
    with pytest.raises(Refused, match="AH cannot pass"):
        passing(Processing((method(AH_SHA256),)), nat)
    with pytest.raises(Refused) as refused:
        passing(Processing((method(ESP_GCM, AH_SHA256),)), nat)
    assert refused.value.reason is Reason.NAT


def test_nat_where_the_policy_forbids_it():
    remote, twice = Nat(local=False, remote=True), Nat(local=True, remote=True)
    for through, nat in ((ThroughNat.NEVER, remote), (ThroughNat.SERVER, twice)):
        with pytest.raises(Aborted) as raised:
            check_nat(replace(ENTRY, through_nat=through), nat)
        assert raised.value.reason is Reason.NAT
    check_nat(replace(ENTRY, through_nat=ThroughNat.SERVER), remote)
    check_nat(replace(ENTRY, through_nat=ThroughNat.NEVER), Nat(local=True, remote=False))
    check_nat(ENTRY, None)
