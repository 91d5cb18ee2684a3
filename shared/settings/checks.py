"""Checks on single settings; their errors say what a value should look like and never repeat the value."""

import re
from base64 import b64decode
from binascii import Error

from pydantic import SecretStr

_HOST_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
_STORE_SCHEMES = ("mongodb://", "mongodb+srv://", "sqlite:///")


def bootstrap_servers(value: str) -> str:
    """`host:port[,host:port]` without scheme or spaces; raises ValueError on anything else."""
    servers = [server.strip().removeprefix("kafka://").rstrip("/") for server in value.split(",")]
    for server in servers:
        if "@" in server:
            raise ValueError("must not carry credentials: use KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        match = _HOST_PORT.fullmatch(server)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise ValueError("should be a comma-separated list of host:port")
    return ",".join(servers)


def mongo_url(value: str) -> str:
    """A MongoDB connection string; raises ValueError on anything else."""
    return _starting_with(value, _STORE_SCHEMES[:2])


def store_url(value: str) -> str:
    """A URL one of the store adapters understands; raises ValueError on anything else."""
    return _starting_with(value, _STORE_SCHEMES)


def http_url(value: str) -> str:
    """A base URL without a trailing slash; raises ValueError on anything else."""
    return _starting_with(value, ("http://", "https://")).rstrip("/")


def master_key(value: SecretStr) -> SecretStr:
    """32 bytes in base64; raises ValueError on anything else."""
    try:
        key = b64decode(value.get_secret_value(), validate=True)
    except (Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("should be 32 random bytes in base64")
    return value


def _starting_with(value: str, schemes: tuple[str, ...]) -> str:
    scheme = next((scheme for scheme in schemes if value.startswith(scheme)), None)
    if scheme is None or value == scheme or any(character.isspace() for character in value):
        raise ValueError(f"should start with {' or '.join(schemes)} and name a place after it")
    return value
