"""Signatures as Standard Webhooks has them, and endpoints as operators configure them."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from services.notify.webhooks.config import EndpointsError, load_endpoints
from services.notify.webhooks.sign import secret_of, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC)
FILE = """
endpoints:
  rescue-hook:
    agency: rescue
    url: https://8.8.8.8/ruamjai
    secrets: [{file: secret.txt}, {env: OLD_SECRET}]
"""


def test_the_specifications_own_example_is_signed_alike() -> None:
    message, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
    headers = signed_headers(message, AT, body, [secret_of(SECRET)])
    assert headers == {
        "webhook-id": message,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_signs_so_that_one_can_be_exchanged() -> None:
    keys = [bytes(range(32)), bytes(range(1, 33))]
    signature = signed_headers("id-1", AT, b"{}", keys)["webhook-signature"]
    expected = [hmac.new(key, b"id-1.1614265330.{}", sha256).digest() for key in keys]
    assert signature == " ".join(f"v1,{b64encode(digest).decode()}" for digest in expected)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_weak_or_garbled_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="should be whsec_ and") as raised:
        secret_of(text)
    assert "MfKQ" not in str(raised.value)


def test_an_endpoint_gets_its_secrets_from_files_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET + "\n")
    (tmp_path / "hooks.yaml").write_text(FILE)
    [endpoint] = load_endpoints(tmp_path / "hooks.yaml", {"OLD_SECRET": SECRET})
    assert (endpoint.name, endpoint.agency) == ("rescue-hook", "rescue")
    assert endpoint.secrets == (secret_of(SECRET),) * 2
    assert load_endpoints(None) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("https://8.8.8.8", "http://8.8.8.8"), "endpoints.rescue-hook.url: it should start with https://"),
        (("8.8.8.8", "169.254.169.254"), "endpoints.rescue-hook.url: it leads to an address that is not"),
        (("8.8.8.8", "hooks..example.org"), "endpoints.rescue-hook.url: it should name a host"),
        (("secret.txt", "gone.txt"), "endpoints.rescue-hook.secrets.0: cannot be read: FileNotFoundError"),
        (("OLD_SECRET", "OTHER"), "endpoints.rescue-hook.secrets.1: should be whsec_"),
        (("{env: OLD_SECRET}", "{}"), "endpoints.rescue-hook.secrets.1: name either a file or an env"),
        (("agency: rescue", "agency: Rescue!"), "endpoints.rescue-hook.agency"),
        (("secrets: [{file: secret.txt}, {env: OLD_SECRET}]", "secret: x"), "endpoints.rescue-hook.secret"),
        (("endpoints:", "endpoints: ["), "file: cannot be read: ParserError"),
        (("endpoints:", "since: 2026-13-01\nendpoints:"), "file: cannot be read: YAMLError"),
    ],
)
def test_a_wrong_endpoint_is_refused_with_file_field_and_reason(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "hooks.yaml").write_text(FILE.replace(*change))
    with pytest.raises(EndpointsError) as raised:
        load_endpoints(tmp_path / "hooks.yaml", {"OLD_SECRET": SECRET})
    assert f"hooks.yaml: {problem}" in str(raised.value)
    assert SECRET not in str(raised.value)
