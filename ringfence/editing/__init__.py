# SPDX-License-Identifier: Apache-2.0
"""Changes to a policy document that leave everything else in it as it was, octet for octet."""
