"""What counts as one place on the network."""

import pytest

from chalicelib.kernel.network import place


@pytest.mark.parametrize(
    "same",
    [
        ("2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002::"),
        ("203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109", " 203.0.113.9"),
        ("::1", "::2"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_one_place_however_it_is_written(same: tuple[str, ...]) -> None:
    """R21: a line has 2^64 addresses of IPv6, and one of IPv4 in two spellings."""
    assert len({place(one) for one in same}) == 1


def test_places_that_are_not_the_same() -> None:
    """R21: a neighbour is not counted along; what is no address counts as itself."""
    others = (
        *("2001:db8:1:2::1", "2001:db8:1:3::1", "203.0.113.9", "203.0.113.10", "::1"),
        *("unknown", "203.0.113", "[2001:db8:1:2::1]", ""),
    )
    assert len({place(one) for one in others}) == len(others)
