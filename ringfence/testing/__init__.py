# SPDX-License-Identifier: Apache-2.0
"""Parts for tests of protocols, shipped and documented."""
