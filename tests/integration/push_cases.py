"""What was tried against the way out and against the signature; each row is a test, and a line of
``docs/evidence/outbound.md``."""

from __future__ import annotations

from typing import Any

from django_sync.protocol.signing import sign

# Where a wake-up was to be led: what is tried, the URL, and what its name resolves to (nothing:
# it is refused before it is looked up).
URLS: list[tuple[str, str, tuple[str, ...]]] = [
    ("plain HTTP", "http://push.example/", ()),
    ("another scheme", "ftp://push.example/", ()),
    ("a file", "file:///etc/passwd", ()),
    ("gopher, to speak to Redis", "gopher://push.example:6379/_FLUSHALL", ()),
    ("no scheme", "//push.example/", ()),
    ("a port of another service", "https://push.example:6379/", ()),
    ("port 80", "https://push.example:80/", ()),
    ("port 0", "https://push.example:0/", ()),
    ("a port beyond all", "https://push.example:65536/", ()),
    ("a user", "https://ada@push.example/", ()),
    ("a user that looks like the host", "https://push.example@127.0.0.1/", ()),
    ("a user and a password", "https://a:b@push.example/", ()),
    ("a backslash before the host", "https://push.example\\@127.0.0.1/", ()),
    ("a line break, for a second request", "https://push.example/\r\nHost: other", ()),
    ("a blank", "https://push.example /", ()),
    ("a tab within the scheme", "ht\ttps://127.0.0.1/", ()),
    ("a NUL", "https://push.example\0.internal/", ()),
    ("a name of other letters", "https://pu\u0455h.example/", ()),
    ("digits of a full width", "https://\uff11\uff12\uff17.0.0.1/", ()),
    ("a host in percents", "https://%31%32%37.0.0.1/", ()),
    ("no host", "https:///path", ()),
    ("a dot alone", "https://./", ()),
    ("a label of 64 letters", f"https://{'a' * 64}.example/", ()),
    ("2,049 characters", "https://push.example/" + "a" * 2028, ()),
    ("loopback", "https://127.0.0.1/", ()),
    ("all of 127/8", "https://127.8.9.10/", ()),
    ("loopback as a number", "https://2130706433/", ("127.0.0.1",)),
    ("loopback in hex", "https://0x7f000001/", ("127.0.0.1",)),
    ("loopback in octal", "https://0177.0.0.1/", ("127.0.0.1",)),
    ("loopback, short", "https://127.1/", ("127.0.0.1",)),
    ("this host", "https://0.0.0.0/", ()),
    ("its own name", "https://localhost/", ("127.0.0.1", "::1")),
    ("IPv6 loopback", "https://[::1]/", ()),
    ("IPv6 unspecified", "https://[::]/", ()),
    ("with a zone", "https://[fe80::1%25eth0]/", ()),
    ("metadata of AWS, GCP, Azure", "https://169.254.169.254/latest/meta-data/", ()),
    ("metadata of AWS by IPv6", "https://[fd00:ec2::254]/", ()),
    ("metadata of Alibaba", "https://100.100.100.200/", ()),
    ("metadata of Oracle", "https://192.0.0.192/", ()),
    ("Azure's wire server", "https://168.63.129.16/", ()),
    ("metadata by name", "https://metadata.google.internal/", ("169.254.169.254",)),
    ("private, 10/8", "https://10.0.0.1/", ()),
    ("private, 172.16/12", "https://172.31.255.255/", ()),
    ("private, 192.168/16", "https://192.168.1.1/", ()),
    ("CGNAT", "https://100.64.0.1/", ()),
    ("multicast", "https://224.0.0.1/", ()),
    ("broadcast", "https://255.255.255.255/", ()),
    ("IPv4-mapped", "https://[::ffff:127.0.0.1]/", ()),
    ("IPv4-mapped, in hex", "https://[::ffff:7f00:1]/", ()),
    ("IPv4-compatible", "https://[::127.0.0.1]/", ()),
    ("6to4 of 127.0.0.1", "https://[2002:7f00:1::]/", ()),
    ("NAT64 of 169.254.169.254", "https://[64:ff9b::a9fe:a9fe]/", ()),
    ("NAT64 of one's own network", "https://[64:ff9b:1::7f00:1]/", ()),
    ("Teredo", "https://[2001:0:4136:e378::1]/", ()),
    ("IPv6 private", "https://[fc00::1]/", ()),
    ("IPv6 link-local", "https://[fe80::1]/", ()),
    ("IPv6 site-local", "https://[fec0::1]/", ()),
    ("IPv6 multicast", "https://[ff02::1]/", ()),
    ("IPv6 that nobody has been given", "https://[4000::1]/", ()),
    ("a name of a private address", "https://intern.example/", ("10.1.2.3",)),
    (
        "a name of a public and a private one",
        "https://both.example/",
        ("93.184.215.14", "10.1.2.3"),
    ),
    ("the private one first", "https://both.example/", ("10.1.2.3", "93.184.215.14")),
    ("a name that is mapped", "https://mapped.example/", ("::ffff:10.0.0.1",)),
    ("a name with a zone", "https://zone.example/", ("fe80::1%2",)),
]

SECRET = "sixteen letters and more"
NOW = 1_800_000_000
BODY = b'{"type":"sync"}'
GOOD: dict[str, Any] = {"timestamp": str(NOW), "signature": sign(SECRET, NOW, BODY)}
# What a receiver was made to take for a webhook of ours: what is tried, headers, body, its clock.
FORGERIES: list[tuple[str, dict[str, Any], bytes, int]] = [
    ("no headers", {"timestamp": None, "signature": None}, BODY, NOW),
    ("no signature", GOOD | {"signature": None}, BODY, NOW),
    ("an empty signature", GOOD | {"signature": ""}, BODY, NOW),
    ("another body", GOOD, b'{"type":"Sync"}', NOW),
    ("a blank more", GOOD, BODY + b" ", NOW),
    ("another secret", GOOD | {"signature": sign(SECRET + "!", NOW, BODY)}, BODY, NOW),
    ("another time under the old signature", GOOD | {"timestamp": str(NOW + 1)}, BODY, NOW),
    (
        "a digit moved from the time into the body",
        GOOD | {"timestamp": str(NOW)[:-1]},
        b"0" + BODY,
        NOW,
    ),
    ("the signature in capitals", GOOD | {"signature": GOOD["signature"].upper()}, BODY, NOW),
    ("the first half of it", GOOD | {"signature": GOOD["signature"][:32]}, BODY, NOW),
    ("a signature that is no ASCII", GOOD | {"signature": "é" * 64}, BODY, NOW),
    ("a replay after 301 seconds", GOOD, BODY, NOW + 301),
    ("one from 301 seconds ahead", GOOD, BODY, NOW - 301),
    ("a time that is no number", GOOD | {"timestamp": "now"}, BODY, NOW),
    ("a time with a sign", GOOD | {"timestamp": f"+{NOW}"}, BODY, NOW),
    ("a time of five thousand digits", GOOD | {"timestamp": "9" * 5000}, BODY, NOW),
]
