"""Whose address a request has behind proxies, and that nobody else can say so."""

import asyncio
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI, Request

from reading_worklist.access.proxies import (
    ForwardedHeader,
    ProxyTrust,
    TrustedProxies,
    caller,
    hops_of_forwarded,
    hops_of_x_forwarded_for,
)
from reading_worklist.services import client_address

OURS = (ip_network("10.0.0.0/24"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        # What the client wrote himself stands to the left of what our proxies added.
        ("10.0.0.1", "127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "127.0.0.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.9, 10.0.0.3, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        # A stranger who calls directly is believed nothing.
        ("203.0.113.7", "127.0.0.1", "203.0.113.7"),
        ("203.0.113.7", "10.0.0.1", "203.0.113.7"),
        # A caller on a proxy itself.
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        # With ports, without brackets, mapped.
        ("10.0.0.1", "203.0.113.7:5123", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:5123", "2001:db8::7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        # What is no address ends the list where it stands.
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("testclient", "203.0.113.7", "testclient"),
    ],
)
def test_addresses_count_from_the_right_across_our_proxies(
    peer: str, header: str, client: str
) -> None:
    assert caller(peer, hops_of_x_forwarded_for(header), OURS)[0] == client


@pytest.mark.parametrize(
    ("header", "client", "scheme"),
    [
        ("for=203.0.113.7;proto=https", "203.0.113.7", "https"),
        ('for="[2001:db8::7]:4711";by=_p;proto=HTTPS', "2001:db8::7", "https"),
        (
            "for=127.0.0.1, For=203.0.113.7;Proto=http, for=10.0.0.2;proto=https",
            "203.0.113.7",
            "http",
        ),
        ('for="127.0.0.1, for=203.0.113.7", for=203.0.113.8', "203.0.113.8", None),
        ("for=203.0.113.7, for=_hidden", "10.0.0.1", None),
        ('for=203.0.113.7, for="broken', "10.0.0.1", None),
        ("for=203.0.113.7, ;;=;", "10.0.0.1", None),
        ("proto=javascript;for=203.0.113.7", "203.0.113.7", None),
    ],
)
def test_forwarded_is_read_as_its_standard_says(
    header: str, client: str, scheme: str | None
) -> None:
    assert caller("10.0.0.1", hops_of_forwarded(header), OURS) == (client, scheme)


async def told(trust: ProxyTrust, peer: str, headers: list[tuple[str, str]]) -> tuple[str, str]:
    app = FastAPI()

    @app.get("/who")
    def who(request: Request) -> list[str]:
        return [client_address(request), request.url.scheme]

    transport = httpx.ASGITransport(TrustedProxies(app, trust=trust), client=(peer, 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://rdc") as client:
        address, scheme = (await client.get("/who", headers=headers)).json()
    return address, scheme


@pytest.mark.parametrize(
    ("trust", "peer", "headers", "expected"),
    [
        (
            ProxyTrust(OURS),
            "10.0.0.1",
            [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")],
            ("203.0.113.7", "https"),
        ),
        # Lines of a header are one list; and the other header is a stranger's word.
        (
            ProxyTrust(OURS),
            "10.0.0.1",
            [
                ("X-Forwarded-For", "127.0.0.1"),
                ("Forwarded", "for=127.0.0.1;proto=https"),
                ("X-Forwarded-For", "203.0.113.7"),
            ],
            ("203.0.113.7", "http"),
        ),
        (
            ProxyTrust(OURS, ForwardedHeader.FORWARDED),
            "10.0.0.1",
            [
                ("X-Forwarded-For", "127.0.0.1"),
                ("X-Forwarded-Proto", "http"),
                ("Forwarded", "for=203.0.113.7;proto=https"),
            ],
            ("203.0.113.7", "https"),
        ),
        (
            ProxyTrust(OURS),
            "203.0.113.7",
            [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "https")],
            ("203.0.113.7", "http"),
        ),
        # Nobody is trusted: neither is who calls from this machine.
        (
            ProxyTrust(),
            "127.0.0.1",
            [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")],
            ("127.0.0.1", "http"),
        ),
    ],
)
def test_the_application_sees_the_client(
    trust: ProxyTrust,
    peer: str,
    headers: list[tuple[str, str]],
    expected: tuple[str, str],
) -> None:
    assert asyncio.run(told(trust, peer, headers)) == expected
