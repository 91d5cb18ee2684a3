"""Until when the certificates a process was given are valid."""

from datetime import datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from shared.settings.model import Settings


def expiries(settings: Settings) -> dict[str, datetime]:
    """Return by kind of file (`authority`, `client`) when the first certificate in it runs out.

    A file that is no PEM is left out: the Kafka client's own start explains it.
    """
    files = {"authority": settings.kafka_ca_file, "client": settings.kafka_cert_file}
    found = {kind: _first(file) for kind, file in files.items() if file is not None}
    return {kind: until for kind, until in found.items() if until is not None}


def _first(file: Path) -> datetime | None:
    try:
        return min(one.not_valid_after_utc for one in load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        return None
