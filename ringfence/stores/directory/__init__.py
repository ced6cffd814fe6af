# SPDX-License-Identifier: Apache-2.0
"""IPsec policies in Active Directory, as Windows has them: five kinds of object in ``CN=IP Security,CN=System``."""
