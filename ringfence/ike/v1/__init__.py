# SPDX-License-Identifier: Apache-2.0
"""IKEv1: RFC 2407, 2408 and 2409."""
