# SPDX-License-Identifier: Apache-2.0
"""Group Policy: ``registry.pol`` files, and the firewall and connection security rules that stand in them."""
