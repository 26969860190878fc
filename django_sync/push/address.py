"""Where wake-ups may go: pure checks of URLs and of the addresses that they resolve to.

Users name the URLs, so each may be an attempt to reach what only this server can reach (SSRF). The
networks are those of IANA's registries of special-purpose addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Unsafe", "Url", "parsed", "why_not"]

URL_LENGTH = 2048
_CHARACTERS = re.compile(r"[!#-\[\]-~]+")
"""The characters of a URL: visible ASCII without quotes and backslashes."""
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NEVER: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this host"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a carrier (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's metadata service"),
    ("169.254.0.0/16", "link-local, and metadata services"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "special purpose"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "special purpose"),
    ("192.52.193.0/24", "special purpose"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "special purpose"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "this host"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("::/96", "IPv4-compatible"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64"),
    ("100::/64", "discarded"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "special purpose"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "special purpose"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
_NETWORKS = [(ipaddress.ip_network(network), why) for network, why in NEVER]
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class Unsafe(Exception):
    """A wake-up may not go there; the message says why."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in the parts that a request is made from."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """As RFC 6454 writes it: with the port only if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    @property
    def authority(self) -> str:
        """The value of the ``Host`` header."""
        return self.origin.partition("://")[2]


def parsed(url: object, *, ports: Collection[int], private: bool) -> Url:
    """A URL that a wake-up may go to, as far as can be checked without looking its host up.

    ``private`` allows plain HTTP, any port and any address. Raises ``Unsafe``.
    """
    if not isinstance(url, str) or len(url) > URL_LENGTH or not _CHARACTERS.fullmatch(url):
        raise Unsafe(f"It is not a URL of at most {URL_LENGTH} ASCII characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Unsafe(f"It is not a URL: {error}.") from None
    if parts.scheme not in ("https", "http"):
        raise Unsafe("It is not an https URL.")
    if parts.scheme == "http" and not private:
        raise Unsafe("It is not an https URL.")
    if "@" in parts.netloc:
        raise Unsafe("It names a user.")
    port = {"https": 443, "http": 80}[parts.scheme] if port is None else port
    if port not in ports and not private:
        raise Unsafe(f"Its port is not one of {', '.join(map(str, sorted(ports)))}.")
    host = (parts.hostname or "").lower()
    address = _literal(host)
    if address is None and not _NAME.fullmatch(host):
        raise Unsafe("It names no host.")
    if address is not None and not private and (why := why_not(address)):
        raise Unsafe(f"Its address is not public: {why}.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, host, port, target)


def _literal(host: str) -> Address | None:
    """The IP address that a host is; unusual notations are looked up as names."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def why_not(address: Address) -> str | None:
    """Why nothing may be sent to an address; ``None`` if it is public."""
    for network, why in _NETWORKS:
        if address.version == network.version and address in network:
            return why
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return "not global unicast"
    return None
