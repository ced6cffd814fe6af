# SPDX-License-Identifier: Apache-2.0
"""Scripts with the NetSecurity cmdlets of PowerShell, read and written."""
