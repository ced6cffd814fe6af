# SPDX-License-Identifier: Apache-2.0
"""What settings of ipsec.conf come to here, where they do not become part of a rule."""

from ringfence.transfer.swanctl.words import AGGRESSIVE, ASKED, OURS

USERS = "users are not carried over"
HANDED = "addresses are not handed out in main mode here"
TCP = "TCP is not carried over: say tcp, and tcp-port, in the rule"
MARKS = "traffic is told apart by its addresses, not by marks or virtual interfaces"
SIDE = {
    **dict.fromkeys(("nexthop", "sendcert", "hostaccess", "allowany"), OURS),
    "cert": "certificates are chosen by their authority",
    "ckaid": "certificates are chosen by their authority",
    "updown": "no program is run when SAs come and go",
    "firewall": "no program is run when SAs come and go",
    "sourceip": "which address packets come from is settled by routes",
    "addresspool": HANDED, "modecfgserver": HANDED, "modecfgclient": HANDED, "dns": HANDED,
    "groups": "certificates have no groups here", "certpolicy": "certificate policies are not asked about",
    "ikeport": "IKE has the ports 500 and 4500 here", "vti": MARKS, "interface_ip": MARKS,
    "username": USERS,
}  # fmt: skip
"""Settings that begin with left or right, without that word."""

CONN = {
    **dict.fromkeys((
        "rekeymargin", "margintime", "rekeyfuzz", "keyingtries", "dpdaction",
        "retransmit_timeout",
        "retransmit_interval", "fragmentation", "ike_frag", "mobike", "rekey", "reauth", "closeaction",
        "hostaddrfamily",
        "clientaddrfamily", "connaddrfamily", "uniqueids", "initial_contact", "send_no_esp_tfc",
        "nat_keepalive", "narrowing",
        "priority", "reqid", "installpolicy", "marginbytes", "marginpackets", "modeconfig",
        "cisco_unity", "fake_strongswan", "send_vendorid", "sendca", "ikepad", "decap_dscp",
        "overlapip", "metric", "mtu", "nic_offload", "dumpdir", "accept_redirect_to",
    ), OURS),
    "aggressive": AGGRESSIVE,
    "aggrmode": AGGRESSIVE,
    "dpddelay": ASKED, "dpdtimeout": ASKED,
    "enable_tcp": TCP, "tcp_remoteport": TCP,
    "forceencaps": "ESP goes in UDP only where there is NAT",
    "encapsulation": "ESP goes in UDP only where there is NAT",
    "compress": "packets are not compressed", "inactivity": "it is said for the whole computer: [global] idle-time",
    "negotiationshunt": "traffic waits for its SAs", "failureshunt": "without SAs traffic does not pass",
    "sha2_truncbug": "HMAC-SHA-256 has 128 bits here, as the standard says",
    "mark": MARKS, "mark_in": MARKS, "mark_out": MARKS, "vti_interface": MARKS, "vti_routing": MARKS,
    "ipsec_interface": MARKS, "labeled_ipsec": "traffic has no labels here",
    "policy_label": "traffic has no labels here",
    "nflog_group": "packets are not logged by the kernel's tables",
    "modecfgpull": HANDED, "modecfgdns": HANDED, "modecfgdomains": HANDED, "modecfgbanner": HANDED,
    "remote_peer_type": HANDED, "xauthby": USERS, "xauthfail": USERS,
    "xauth": USERS, "xauth_identity": USERS, "eap_identity": USERS,
    "aaa_identity": USERS,
}  # fmt: skip
NOTHING = {
    "aggressive": ("no",), "aggrmode": ("no",), "forceencaps": ("no",), "encapsulation": ("auto",), "compress": ("no",),
    "sha2_truncbug": ("no",), "negotiationshunt": ("hold",), "failureshunt": ("none",), "xauth": ("client",),
    "dpddelay": ("0", "0s"), "dpdtimeout": ("0", "0s"),
    "enable_tcp": ("no",), "tcp_remoteport": ("4500",),
}  # fmt: skip
"""Values that change nothing."""
READ = {
    "left", "right", "type", "auto", "authby", "keyexchange", "ikev2", "ike", "esp", "ah", "phase2",
    "phase2alg", "auth",
    "pfs", "pfsgroup", "esn", "ikelifetime", "keylife", "lifetime", "salifetime", "lifebytes", "lifepackets",
    "replay_window", "tfc",
}  # fmt: skip
SIDE_READ = {"", "id", "subnet", "subnets", "protoport", "auth", "ca", "rsasigkey", "auth2"}
