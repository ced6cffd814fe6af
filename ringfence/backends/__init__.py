# SPDX-License-Identifier: Apache-2.0
"""What carries out a plan: the packet path of this host."""
