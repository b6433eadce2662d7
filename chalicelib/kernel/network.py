"""Where on the network something comes from, as far as it can be counted."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_SITE_BITS = 64  # whoever has one address of IPv6 has all that share these


def place(address: str) -> str:
    """What counts as one place: an address of IPv4, and of IPv6 the network that it is in.

    Every line has a /64 of its own and may use any of its 2^64 addresses. An address of IPv4 is
    the same place however it is written; what is no address is one place, its own.
    """
    found = _parsed(address.strip())
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _SITE_BITS), strict=False))
    return address if found is None else str(found)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
