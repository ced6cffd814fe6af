# SPDX-License-Identifier: Apache-2.0
"""The store that has what Group Policy objects say of connection security."""
