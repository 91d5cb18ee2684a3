"""How one user gets in to a secure Kafka, in the words of each kind of client."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.certificates import Certificate
from deploy.local.kafka_properties import SCRAM
from shared.settings import KafkaClientOptions, kafka_client_options, load_settings

SETTINGS = (
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_CERT_FILE",
    "KAFKA_KEY_FILE",
)
"""What one way in sets and another must not have."""


@dataclass(frozen=True, slots=True)
class Access:
    """A user with a password over TLS, or without one, with a certificate of its own."""

    url: str
    user: str
    authority: Path
    password: str | None = field(default=None, repr=False)
    certificate: Certificate | None = None

    def environment(self) -> dict[str, str]:
        """The settings of one of our processes."""
        settings = {"KAFKA_URL": self.url, "KAFKA_CA_FILE": str(self.authority)}
        if self.certificate is not None:
            settings["KAFKA_CERT_FILE"] = str(self.certificate.certificate)
            settings["KAFKA_KEY_FILE"] = str(self.certificate.key)
        if self.password is None:
            return settings | {"KAFKA_SECURITY_PROTOCOL": "SSL"}
        return settings | {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": SCRAM,
            "KAFKA_SASL_USERNAME": self.user,
            "KAFKA_SASL_PASSWORD": self.password,
        }

    def exports(self) -> str:
        """The same as lines of a shell, whoever that shell has been before."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.environment().items()]
        return "".join([f"unset {' '.join(SETTINGS)}\n", *lines])

    def aiokafka(self) -> KafkaClientOptions:
        """The arguments of an aiokafka client."""
        return kafka_client_options(load_settings("client", self.environment()))

    def librdkafka(self) -> dict[str, str]:
        """The configuration of a librdkafka client, without the brokers."""
        found = {"ssl.ca.location": str(self.authority)}
        if self.certificate is not None:
            found["ssl.certificate.location"] = str(self.certificate.certificate)
            found["ssl.key.location"] = str(self.certificate.key)
        if self.password is None:
            return found | {"security.protocol": "SSL"}
        return found | {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": SCRAM,
            "sasl.username": self.user,
            "sasl.password": self.password,
        }

    def properties(self) -> str:
        """The properties file of a Java client, such as Kafka's own tools."""
        settings = {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.authority)}
        if self.password is not None:
            login = f'username="{self.user}" password="{self.password}"'
            module = "org.apache.kafka.common.security.scram.ScramLoginModule"
            settings |= {"security.protocol": "SASL_SSL", "sasl.mechanism": SCRAM}
            settings["sasl.jaas.config"] = f"{module} required {login};"
        return "".join(f"{name}={value}\n" for name, value in settings.items())
