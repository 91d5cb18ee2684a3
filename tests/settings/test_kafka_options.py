"""Which connection arguments the Kafka clients get."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from shared.settings import SettingsError, kafka_client_options, load_settings

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="expected: no openssl command")


def tls(**files: Path) -> dict[str, str]:
    named = {f"KAFKA_{name.upper()}_FILE": str(path) for name, path in files.items()}
    return {"KAFKA_URL": "a:1", "KAFKA_SECURITY_PROTOCOL": "SSL"} | named


def certificate(folder: Path, *key_options: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key, made by openssl."""
    cert, key = folder / "user.crt", folder / "user.key"
    arguments = ["-newkey", "rsa:2048", "-subj", "/CN=dispatch", "-days", "1", *key_options]
    subprocess.run(
        ["openssl", "req", "-x509", *arguments, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    return cert, key


def test_a_plain_connection_needs_only_the_servers() -> None:
    options = kafka_client_options(load_settings("geo", {"KAFKA_URL": "kafka://a:1,b:2"}))
    assert options == {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT"}


def test_sasl_credentials_are_handed_over_in_the_clear_only_here() -> None:
    environ = {
        "KAFKA_URL": "a:1",
        "KAFKA_SECURITY_PROTOCOL": "sasl_plaintext",
        "KAFKA_SASL_MECHANISM": "scram-sha-512",
        "KAFKA_SASL_USERNAME": "geo",
        "KAFKA_SASL_PASSWORD": "hunter2",
    }
    options = kafka_client_options(load_settings("geo", environ))
    assert options == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "geo",
        "sasl_plain_password": "hunter2",
    }


def test_tls_checks_the_broker_s_name_and_certificate() -> None:
    context = kafka_client_options(load_settings("geo", tls()))["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


async def test_the_kafka_client_accepts_the_options() -> None:
    producer = AIOKafkaProducer(**kafka_client_options(load_settings("geo", tls())))
    await producer.stop()


@needs_openssl
def test_a_client_certificate_and_its_key_are_loaded(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "-nodes")
    context = kafka_client_options(load_settings("geo", tls(ca=cert, cert=cert, key=key)))["ssl_context"]
    assert context.get_ca_certs()


@needs_openssl
def test_an_encrypted_key_is_an_error_and_not_a_prompt(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "-passout", "pass:hunter2")
    with pytest.raises(SettingsError, match="KAFKA_CERT_FILE and KAFKA_KEY_FILE"):
        kafka_client_options(load_settings("geo", tls(cert=cert, key=key)))


def test_an_authority_file_that_is_not_pem_is_named_by_its_variable(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("hunter2")
    with pytest.raises(SettingsError, match="KAFKA_CA_FILE cannot be used") as caught:
        kafka_client_options(load_settings("geo", tls(ca=authority)))
    assert "hunter2" not in str(caught.value)
