# SPDX-License-Identifier: Apache-2.0
"""strongSwan's swanctl.conf, read and written."""
