"""`make servers SECURE=1`: a Kafka with a user for everybody in the table of rights, and how to be one."""

import secrets
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from deploy.local.choose import started
from deploy.local.demo.day import load_day
from deploy.local.demo.users import users_of
from deploy.local.secure import SecureKafka, secure_kafka
from services.notify.files import load_agreements
from services.rights import table
from shared.rights import User


def secured(options: Namespace, data: Path) -> SecureKafka:
    """Return it running, with the users of the agreements in `options.agreements` or of the demonstration.

    Passwords are new with every start. Raises Unavailable.
    """
    users = _users(options.agreements)
    passwords = {user.name: secrets.token_urlsafe(16) for user in users} | options.users
    kafka = started(secure_kafka(data, passwords, options.brokers, options.kafka_port))
    kafka.admit(users)
    return kafka


def _users(agreements: Path | None) -> list[User]:
    if agreements is None:
        return users_of(load_day())
    return table([agreement.agency for agreement in load_agreements(agreements)])


def lets_in(kafka: SecureKafka, folder: Path) -> Iterator[str]:
    """Write a file for every user that makes a shell that user, and yield lines that name the files."""
    folder.mkdir(mode=0o700, exist_ok=True)
    tools = _write(folder / "admin.properties", kafka.admin.properties())
    yield f"# Kafka's own tools, as administrator: --command-config {tools}"
    for name in kafka.users:
        by_password = _write(folder / f"{name}.env", kafka.access(name).exports())
        by_certificate = _write(folder / f"{name}.mtls.env", kafka.certified(name).exports())
        yield f"# {name}:  . {by_password}  or by certificate  . {by_certificate}"


def _write(file: Path, text: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(text)
    return file
