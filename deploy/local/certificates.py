"""Throw-away certificates for servers on this machine: an authority of their own, and what it signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LASTS = timedelta(days=30)
LOCAL = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))


@dataclass(frozen=True, slots=True)
class Certificate:
    """The PEM files of a certificate and of its key."""

    certificate: Path
    key: Path

    def together(self) -> str:
        """Both in one text, as Kafka wants them."""
        return self.key.read_text() + self.certificate.read_text()


class Authority:
    """Signs for whoever asks. Everything is in `folder`, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        """The authority in `folder`, made if there is none."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "ca.crt"
        if not self.certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            _write_key(folder / "ca.key", key)
            self.certificate.write_bytes(_signed(_request("throw-away authority", key), key, None, LASTS))
        self._key = _read_key(folder / "ca.key")
        self._self = x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def issue(self, name: str, *, file: str | None = None, lasts: timedelta = LASTS) -> Certificate:
        """Return a certificate for `name` on this machine, in the files `file` (or `name`).crt and .key.

        One that `lasts` less than nothing ran out that long ago.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        made = Certificate(self._folder / f"{file or name}.crt", self._folder / f"{file or name}.key")
        _write_key(made.key, key)
        made.certificate.write_bytes(_signed(_request(name, key, LOCAL), self._key, self._self, lasts))
        return made


def _request(
    name: str, key: ec.EllipticCurvePrivateKey, hosts: Sequence[x509.GeneralName] = ()
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
    )
    if not hosts:
        return builder.add_extension(_signing_only(), critical=True)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    lasts: timedelta,
) -> bytes:
    until = datetime.now(UTC) + lasts
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away authority")])
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.issuer_name(issuer.subject if issuer else subject).add_extension(by, critical=False)
    builder = builder.not_valid_before(until - LASTS - timedelta(days=1)).not_valid_after(until)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
