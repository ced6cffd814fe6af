# SPDX-License-Identifier: Apache-2.0
"""Scripts of Windows' netsh: IPsec policies (``netsh ipsec``) and connection security rules (``netsh advfirewall``)."""
