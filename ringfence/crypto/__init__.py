# SPDX-License-Identifier: Apache-2.0
"""Every primitive that IPsec uses; the only package that imports the crypto library."""
