# SPDX-License-Identifier: Apache-2.0
"""ipsec.conf and ipsec.secrets of Libreswan and strongSwan, read."""
