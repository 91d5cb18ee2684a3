"""Turns settings into the connection arguments every aiokafka client takes."""

import ssl
from typing import TypedDict

from aiokafka.helpers import create_ssl_context

from shared.settings.load import SettingsError
from shared.settings.model import Settings


class KafkaClientOptions(TypedDict, total=False):
    """Keyword arguments common to aiokafka's producer, consumer and admin client."""

    bootstrap_servers: list[str]
    security_protocol: str
    ssl_context: ssl.SSLContext
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str


def kafka_client_options(settings: Settings) -> KafkaClientOptions:
    """Where the brokers are and how to be let in; only the keys that apply are present.

    Raises SettingsError when a certificate or key file cannot be used.
    """
    options = KafkaClientOptions(
        bootstrap_servers=settings.kafka_url.split(","),
        security_protocol=settings.kafka_security_protocol,
    )
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_sasl_mechanism and settings.kafka_sasl_username and settings.kafka_sasl_password:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return options


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = create_ssl_context(cafile=settings.kafka_ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError({"KAFKA_CA_FILE": _unusable(error)}) from None
    if settings.kafka_cert_file is None:
        return context
    try:
        # An empty password makes an encrypted key an error instead of a prompt nobody answers.
        context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file, password="")
    except OSError as error:
        raise SettingsError({"KAFKA_CERT_FILE": f"and KAFKA_KEY_FILE: {_unusable(error)}"}) from None
    return context


def _unusable(error: OSError) -> str:
    return f"cannot be used as PEM: {error.strerror or error}. It should start with -----BEGIN"
