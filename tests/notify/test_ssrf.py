"""A webhook never reaches our own network, however its address is spelled."""

from contextlib import suppress
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.webhooks.ssrf import (
    ForbiddenError,
    UnresolvedError,
    judge_now,
    resolve,
    safe_address,
    target_of,
)

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x",
        "ftp://hooks.example.org/x",
        "https:///x",
        "//hooks.example.org/x",
        "https://user:secret@hooks.example.org/",
        "https://hooks.example.org:22/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org/#x",
        "https://hooks.example.org\\@127.0.0.1/",
        "https://hooks.example.org/a b",
        "https://ｌocalhost/",
        "https://localhost/",
        "https://localhost./",
        "https://notify.svc/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://router/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:db8::1]/",
        "https://[fec0::1]/",
        "https://[64:ff9b:1::808:808]/",
        "https://[64:ff9b:1:7f00:0:100:808:808]/",
        "https://[5f00::1]/",
        "https://[4000::1]/",
        "https://[2001:20::1]/",
        "https://[3fff::1]/",
        "https://192.0.0.9/",
        "https://192.88.99.1/",
        "https://[no-address/",
        "https://hooks..example.org/",
        "https://.example.org/",
        f"https://{'a' * 64}.example.org/",
    ],
)
def test_an_address_that_is_not_public_is_refused_however_it_is_spelled(url: str) -> None:
    with pytest.raises(ForbiddenError) as raised:
        target_of(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/x?y=1",
        "https://hooks.example.org:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://[::ffff:8.8.8.8]/",
    ],
)
def test_a_public_address_is_taken(url: str) -> None:
    assert target_of(url).secure


def test_only_what_is_explicitly_allowed_may_be_local() -> None:
    assert target_of("http://127.0.0.1:8099/hook", LOOPBACK).port == 8099
    for url in ("http://10.0.0.1:8099/hook", "http://8.8.8.8/", "https://8.8.8.8:22/"):
        with pytest.raises(ForbiddenError):
            target_of(url, LOOPBACK)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:192.168.0.1"], ["fe80::1%eth0"]]
)
async def test_a_name_is_judged_by_what_it_resolves_to_now(addresses: list[str]) -> None:
    async def rebound(host: str, port: int) -> list[str]:
        return addresses

    with pytest.raises(ForbiddenError):
        await safe_address(target_of("https://hooks.example.org/"), (), rebound)


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_judged() -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    target = target_of("https://hooks.example.org/")
    assert await safe_address(target, (), rebinding) == "8.8.8.8"
    with pytest.raises(ForbiddenError):
        await safe_address(target, (), rebinding)


async def test_a_name_without_an_address_is_no_offence() -> None:
    async def nothing(host: str, port: int) -> list[str]:
        return []

    with pytest.raises(UnresolvedError):
        await safe_address(target_of("https://hooks.example.org/"), (), nothing)
    with pytest.raises(UnresolvedError):
        await resolve("does-not-exist.invalid", 443)
    judge_now(target_of("https://does-not-exist.invalid/"))


def test_a_name_that_leads_home_is_refused_when_it_is_configured() -> None:
    with pytest.raises(ForbiddenError):
        judge_now(target_of("http://localhost:80/", LOOPBACK), ())
    judge_now(target_of("http://127.0.0.1:80/", LOOPBACK), LOOPBACK)


@given(address=st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_no_address_makes_it_raise_anything_else(address: object) -> None:
    text = str(address)
    with suppress(ForbiddenError):
        target_of(f"https://[{text}]/" if ":" in text else f"https://{text}/")


NEARLY = st.text("/@:[]%.#?\\\0 \t0x1", max_size=12)


@given(rest=st.text() | NEARLY, scheme=st.sampled_from(["", "https://", "//"]))
def test_no_text_makes_it_raise_anything_else(scheme: str, rest: str) -> None:
    with suppress(ForbiddenError):
        target = target_of(scheme + rest)
        assert target.ordinary
        assert target.host.encode("idna"), "a resolver can be asked for it"
