"""The connection goes to the address that was judged, and the certificate must be the name's all the same."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notify.metrics import Trouble
from services.notify.webhooks.config import Endpoint
from services.notify.webhooks.send import Sender
from shared.bus.testing import NOON
from tests.notify.receiver import LOOPBACK, SECRET, Receiver, receiving


async def here(host: str, port: int) -> list[str]:
    """A resolver that knows one address."""
    return ["127.0.0.1"]


def certificate(name: str, folder: Path) -> Path:
    """A self-signed certificate of `name` with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + secret)
    return path


async def test_a_name_is_connected_to_where_it_was_judged_and_still_called_by_its_name() -> None:
    async with receiving() as receiver:
        url = f"http://hooks.does-not-exist.invalid:{receiver.port}/hook"
        found = await Sender(Endpoint("hook", "rescue", url, (SECRET,), LOOPBACK), here).attempt(
            "id-1", b"{}", NOON
        )
    assert found.status == 204
    assert receiver.got[0].headers["host"] == f"hooks.does-not-exist.invalid:{receiver.port}"


@pytest.mark.parametrize(
    ("name", "trouble"), [("hooks.example.org", None), ("other.example.org", Trouble.CONNECT)]
)
async def test_a_certificate_of_another_name_is_refused(
    tmp_path: Path, name: str, trouble: Trouble | None
) -> None:
    pem = certificate(name, tmp_path)
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=pem)
    serving.load_cert_chain(pem)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=serving)
    async with server:
        url = f"https://hooks.example.org:{server.sockets[0].getsockname()[1]}/hook"
        endpoint = Endpoint("hook", "rescue", url, (SECRET,), LOOPBACK)
        found = await Sender(endpoint, here, trusting).attempt("id-1", b"{}", NOON)
    assert found.trouble is trouble
    assert len(receiver.got) == (trouble is None)
