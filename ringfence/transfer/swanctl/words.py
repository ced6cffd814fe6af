# SPDX-License-Identifier: Apache-2.0
"""What settings of swanctl.conf come to here, where they do not become part of a rule."""

OURS = "Ringfence settles it by itself"
"""Of what makes no difference to what is protected, and how."""

AGGRESSIVE = (
    "it shows who both sides are, and a key to guessers; if the other side can do nothing else, say "
    "main-mode.aggressive = true"
)
ASKED = "when peers are asked whether they are there is said for the whole computer: [global] dead-peer"

NO = ("no", "false", "0", "disabled")
"""What strongSwan takes for no."""

CONNECTION = {
    **dict.fromkeys((
        "fragmentation", "childless", "send_certreq", "send_cert", "keyingtries",
        "unique", "rand_time", "pull", "dscp", "ocsp",
    ), OURS),
    "dpd_delay": ASKED, "dpd_timeout": ASKED,
    "encap": "ESP goes in UDP only where there is NAT",
    "aggressive": AGGRESSIVE,
}  # fmt: skip
"""Setting -> why it is not carried over, though the rule is."""

CONNECTION_MATTERS = {
    "local_port": "IKE has the ports 500 and 4500 here",
    "remote_port": "IKE has the ports 500 and 4500 here",
    "if_id_in": "traffic is told apart by its addresses, not by XFRM interfaces",
    "if_id_out": "traffic is told apart by its addresses, not by XFRM interfaces",
    "mediation": "nobody mediates here",
    "mediated_by": "nobody mediates here",
    "mediation_peer": "nobody mediates here",
    "ppk_id": "a postquantum key is not carried over: say ppk in the rule",
    "ppk_required": "a postquantum key is not carried over: say ppk in the rule",
}
"""Likewise of settings without which the rule may be another one."""

CHILD = {
    **dict.fromkeys((
        "rand_time", "rand_bytes", "rand_packets", "hw_offload", "priority", "reqid", "close_action", "dpd_action",
        "hostaccess", "policies_fwd_out", "per_cpu_sas",
    ), OURS),
    "updown": "no program is run when SAs come and go",
    "inactivity": "how long SAs may idle is said for the whole computer: [global] idle-time",
    "ipcomp": "packets are not compressed",
    "sha256_96": "HMAC-SHA-256 has 128 bits here, as the standard says",
    "mark_in": "traffic is told apart by its addresses, not by marks",
    "mark_out": "traffic is told apart by its addresses, not by marks",
    "mark_in_sa": "traffic is told apart by its addresses, not by marks",
    "set_mark_in": "packets are not marked",
    "set_mark_out": "packets are not marked",
    "if_id_in": "traffic is told apart by its addresses, not by XFRM interfaces",
    "if_id_out": "traffic is told apart by its addresses, not by XFRM interfaces",
    "label": "traffic has no labels here",
    "label_mode": "traffic has no labels here",
    "policies": "what the rule says is what the kernel has",
}  # fmt: skip

DEFAULTS = {
    "encap": ("no",), "aggressive": ("no",), "ipcomp": ("no",), "sha256_96": ("no",), "mark_in": ("0/0x00000000",),
    "mark_out": ("0/0x00000000",), "inactivity": ("0", "0s"), "if_id_in": ("0",), "if_id_out": ("0",),
    "local_port": ("500",), "remote_port": ("500",), "policies": ("yes",), "mediation": ("no",),
    "ppk_required": ("no",), "dpd_delay": ("0", "0s"), "dpd_timeout": ("0", "0s"),
}  # fmt: skip
"""Values that change nothing."""

AUTHENTICATION = {
    "round": OURS,
    "pubkeys": "keys without certificates are not known here",
    "cacerts": "a file is named, and not the authority in it",
    "certs": "certificates are chosen by their authority",
    "cert_policy": "certificate policies are not asked about",
    "revocation": "whether certificates were revoked is said for all of them: [global] crl-check",
    "groups": "certificates have no groups here",
    "eap_id": "users are not carried over",
    "xauth_id": "users are not carried over",
    "aaa_id": "users are not carried over",
}
SECRETS = {
    "eap": "users are not carried over", "xauth": "users are not carried over", "ntlm": "users are not carried over",
    "ppk": "a postquantum key is not carried over: say ppk in the rule", "private": "certificates have their own store",
    "rsa": "certificates have their own store", "ecdsa": "certificates have their own store",
    "pkcs8": "certificates have their own store", "pkcs12": "certificates have their own store",
    "token": "certificates have their own store",
}  # fmt: skip
SECTIONS = {
    "authorities": "authorities belong into the store of certificates; a rule names them by their names",
}
