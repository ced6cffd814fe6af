# SPDX-License-Identifier: Apache-2.0
"""The demonstration: two hosts, one contract."""
