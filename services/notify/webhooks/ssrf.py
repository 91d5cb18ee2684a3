"""Keeps webhooks from being turned against our own network: which addresses may be connected to.

A name is judged by what it resolves to, each time, and the connection goes to the address that was judged: a
name that changes its mind in between (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_CARRYING_IPV4 = (ip_network("64:ff9b::/96"), ip_network("::/96"))
# What IANA's registries of special addresses have and Python's tables, or those of some versions, have not.
_SPECIAL_IPV4 = ("192.0.0.0/24", "192.88.99.0/24")
_SPECIAL_IPV6 = ("::/3", "4000::/2", "8000::/1", "2001::/23", "3fff::/20")  # only 2000::/3 is for the public
_SPECIAL = tuple(ip_network(text) for text in (*_SPECIAL_IPV4, *_SPECIAL_IPV6))
_OURS_BY_NAME = (".localhost", ".local", ".internal", ".svc", ".lan", ".home.arpa")
PORTS = frozenset({443, 8443})
_UNUSUAL = "it should start with https:// and have port 443 or 8443"


class ForbiddenError(ValueError):
    """A URL or an address that is not to be connected to; the text says why, in words for its owner."""


class UnresolvedError(OSError):
    """A name without an address, for now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` as it is written there, lower-case, without brackets."""

    host: str
    port: int
    secure: bool

    @property
    def ordinary(self) -> bool:
        """Whether anybody's may look like that; what does not is only for networks that are allowed."""
        return self.secure and self.port in PORTS


def target_of(url: str, allowed: Sequence[Network] = ()) -> Target:
    """Judge `url` by how it looks and return where it leads. Raises ForbiddenError.

    Plain http, other ports and internal names are only for what is `allowed`, which its addresses tell.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        raise ForbiddenError("it is no URL, or its port no number below 65536") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenError("it should start with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenError("it must not carry a user or a password")
    if parts.fragment or not url.isascii() or not url.isprintable() or set(" \\") & set(url):
        raise ForbiddenError("it must not have a fragment, and no spaces, backslashes or unprintable letters")
    target = Target(parts.hostname.rstrip("."), port, parts.scheme == "https")
    if not _can_be_asked_for(target.host):
        raise ForbiddenError("it should name a host, each part of it 1 to 63 letters long")
    _look_at(target, allowed)
    return target


def _can_be_asked_for(host: str) -> bool:
    """Whether a resolver takes `host`; for an empty or an overlong part it raises what is no OSError."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _look_at(target: Target, allowed: Sequence[Network]) -> None:
    address = _literal(target.host)
    if address is not None:
        judge(address, allowed, target)
    elif not allowed and ("." not in target.host or target.host.endswith(_OURS_BY_NAME)):
        raise ForbiddenError("it names a host of an internal network")
    if not allowed and not target.ordinary:
        raise ForbiddenError(_UNUSUAL)


def _literal(host: str) -> Address | None:
    """Return the address that `host` spells, in any of the ways that resolvers accept, or None."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))  # 2130706433, 0x7f.1, 0177.0.0.1
    except OSError:
        return None


def judge(address: Address, allowed: Sequence[Network], target: Target) -> None:
    """Raise ForbiddenError unless `address` is `allowed`, or public and `target` an ordinary one."""
    real = _within(address)
    if any(real in network for network in allowed):
        return
    if not target.ordinary:
        raise ForbiddenError(_UNUSUAL)
    if not _public(real):
        raise ForbiddenError("it leads to an address that is not public")


def _public(address: Address) -> bool:
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not (special or address.is_multicast or address.is_reserved)


def _within(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one only wraps, else `address`."""
    if isinstance(address, IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
    if wrapped:
        return wrapped
    if any(address in network for network in _CARRYING_IPV4) and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def judge_now(target: Target, allowed: Sequence[Network] = ()) -> None:
    """Judge what `target` resolves to while it is configured. Raises ForbiddenError.

    A name without an address, for now, passes: every connection asks again.
    """
    with suppress(OSError):
        for entry in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
            judge(ip_address(str(entry[4][0]).partition("%")[0]), allowed, target)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of `host`, as the system's resolver has them. Raises UnresolvedError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnresolvedError(f"{host} has no address") from error
    return [str(entry[4][0]) for entry in found]


async def safe_address(target: Target, allowed: Sequence[Network] = (), ask: Resolve = resolve) -> str:
    """Return the address to connect to, judged just now. Raises ForbiddenError or UnresolvedError.

    One forbidden address among several forbids them all: it is there on purpose or by a mistake to mend.
    """
    addresses = await ask(target.host, target.port)
    if not addresses:
        raise UnresolvedError(f"{target.host} has no address")
    for text in addresses:
        judge(ip_address(text.partition("%")[0]), allowed, target)
    return addresses[0]
