"""The settings of a service: one frozen model, each field an environment variable of the same name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.settings import checks


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _default_store(earlier: dict[str, Any]) -> str:
    return str(earlier["mongo_url"] or f"sqlite:///{earlier['data_dir']}/{earlier['service']}.db")


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
SecurityProtocol = Annotated[
    Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(_upper)
]
SaslMechanism = Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], BeforeValidator(_upper)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]


class Settings(BaseSettings):
    """What one process was told; immutable. Made by `load_settings`, which also explains mistakes.

    The order of the fields matters: a check of one field sees the fields above it.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    service: str

    kafka_url: Annotated[str, AfterValidator(checks.bootstrap_servers)] = Field(
        description="Kafka bootstrap servers; a leading `kafka://` is accepted.",
        examples=["kafka-0.kafka:9092,kafka-1.kafka:9092"],
    )
    kafka_security_protocol: SecurityProtocol = Field(
        "PLAINTEXT", description="How to speak to the brokers.", examples=["SASL_SSL"]
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        None, description="Needed with a SASL protocol.", examples=["SCRAM-SHA-512"]
    )
    kafka_sasl_username: str | None = Field(
        None, min_length=1, description="Needed with a SASL protocol.", examples=["dispatch"]
    )
    kafka_sasl_password: SecretStr | None = Field(
        None,
        min_length=1,
        description="Needed with a SASL protocol; best given as a secret file.",
        examples=["<password of the Kafka user>"],
    )
    kafka_ca_file: FilePath | None = Field(
        None,
        description="PEM file of the authorities that sign the brokers; without it the system's.",
        examples=["/etc/kafka/ca.crt"],
    )
    kafka_cert_file: FilePath | None = Field(
        None, description="PEM file of our client certificate.", examples=["/etc/kafka/user.crt"]
    )
    kafka_key_file: FilePath | None = Field(
        None,
        description="PEM file of the certificate's private key, unencrypted; goes with KAFKA_CERT_FILE.",
        examples=["/etc/kafka/user.key"],
    )
    kafka_group_instance_id: str | None = Field(
        None,
        min_length=1,
        description="Static group membership: a name this replica keeps over restarts.",
        examples=["dispatch-0"],
    )
    kafka_session_seconds: float = Field(
        6.0,
        ge=6.0,
        le=300.0,
        description="Seconds without a sign of life after which the group gives this replica's partitions to "
        "others; for a static member longer than its restart takes, and no longer.",
        examples=["20"],
    )

    mongo_url: Annotated[str, AfterValidator(checks.mongo_url)] | None = Field(
        None, repr=False, description="The MongoDB server.", examples=["mongodb://mongo:27017/ruamjai"]
    )
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        Path("data"), description="Where embedded stores keep their files.", examples=["/var/lib/ruamjai"]
    )
    store_url: Annotated[str, AfterValidator(checks.store_url)] = Field(
        default_factory=_default_store,
        repr=False,
        description="This service's store. Without it MONGO_URL, and without that one "
        "`sqlite:///<DATA_DIR>/<service>.db`.",
        examples=["sqlite:////var/lib/ruamjai/dispatch.db"],
    )

    http_host: str = Field(
        "127.0.0.1", min_length=1, description="Address the HTTP surface listens on.", examples=["::"]
    )
    http_port: int = Field(
        8080, ge=0, le=65535, description="Port of the HTTP surface; 0 takes a free one.", examples=["8080"]
    )
    api_host: str = Field(
        "127.0.0.1", min_length=1, description="Address the service's API listens on.", examples=["::"]
    )
    api_port: int = Field(
        8000, ge=0, le=65535, description="Port of the service's API; 0 takes a free one.", examples=["8000"]
    )
    api_keys: Annotated[Path, AfterValidator(Path.absolute)] | None = Field(
        None,
        description="YAML file of the API keys' digests and scopes; without it no key is valid.",
        examples=["/etc/ruamjai/api-keys.yaml"],
    )
    pack_dir: Annotated[Path, AfterValidator(Path.absolute)] | None = Field(
        None,
        description="Folder of the jurisdiction pack; without it the demonstration pack of Phetchabun.",
        examples=["/etc/ruamjai/pack"],
    )
    acknowledge_seconds: float = Field(
        60.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds a unit has to acknowledge its task before dispatch asks the next one.",
        examples=["60"],
    )
    close_seconds: float = Field(
        900.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds from when an incident is resolved until dispatch closes it.",
        examples=["900"],
    )
    forget_seconds: float = Field(
        3600.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds a closed incident stays in a desk's memory, where a reopening costs least.",
        examples=["3600"],
    )
    keys_url: Annotated[str, AfterValidator(checks.store_url)] | None = Field(
        None,
        repr=False,
        description="Store of the keys that seal personal data, a database of its own.",
        examples=["mongodb://mongo/ruamjai_keys"],
    )
    master_key: Annotated[SecretStr, AfterValidator(checks.master_key)] | None = Field(
        None,
        description="32 random bytes, base64, that wrap the sealing keys; kept outside every store.",
        examples=["(openssl rand -base64 32)"],
    )

    intake_url: Annotated[str, AfterValidator(checks.http_url)] | None = Field(
        None,
        description="Base URL of intake's API, for the probe.",
        examples=["http://intake:8000"],
    )
    webhooks_file: Annotated[Path, AfterValidator(Path.absolute)] | None = Field(
        None,
        description="YAML file of the webhook endpoints that notify sends to; without it there are none.",
        examples=["/etc/ruamjai/webhooks.yaml"],
    )

    drain_seconds: float = Field(
        20.0,
        gt=0,
        allow_inf_nan=False,
        description="Deadline in seconds for finishing what is in hand after a stop signal.",
        examples=["20"],
    )
    commit_interval_ms: int = Field(
        1000, gt=0, description="Milliseconds between commits of processed offsets.", examples=["1000"]
    )

    clock_rate: float = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="Clock seconds per real second; 1 is real time.",
        examples=["60"],
    )
    clock_anchor: Instant | None = Field(
        None,
        description="The real instant from which CLOCK_RATE applies; without it the start of the process. "
        "Give every process the same one, so that their clocks agree and survive a restart.",
        examples=["2026-11-23T09:00:00+07:00"],
    )
    clock_start: Instant | None = Field(
        None,
        description="What the clock shows at CLOCK_ANCHOR; without it CLOCK_ANCHOR itself.",
        examples=["2025-03-28T13:20:00+07:00"],
    )

    log_level: LogLevel = Field("INFO", description="Lowest level that is logged.", examples=["INFO"])
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(checks.http_url)] | None = Field(
        None,
        repr=False,
        description="Base URL of an OTLP/HTTP collector; without it tracing is off.",
        examples=["http://otel-collector:4318"],
    )
    otel_service_name: str = Field(
        default_factory=lambda earlier: str(earlier["service"]),
        min_length=1,
        description="Name of this service in traces; without it the service's own name.",
        examples=["ruamjai-dispatch"],
    )
    trace_sample_ratio: float = Field(
        0.01, ge=0, le=1, description="Share of new traces that are recorded, 0 to 1.", examples=["0.01"]
    )

    @field_validator("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
    @classmethod
    def _given_exactly_with_sasl(cls, value: object, info: ValidationInfo) -> object:
        protocol = info.data.get("kafka_security_protocol", "")
        if value is None and protocol.startswith("SASL"):
            raise ValueError(f"is needed because KAFKA_SECURITY_PROTOCOL is {protocol}")
        _refuse_without_effect(value, protocol, applies=protocol.startswith("SASL"))
        return value

    @field_validator("kafka_ca_file", "kafka_cert_file", "kafka_key_file")
    @classmethod
    def _given_only_with_tls(cls, value: object, info: ValidationInfo) -> object:
        protocol = info.data.get("kafka_security_protocol", "")
        _refuse_without_effect(value, protocol, applies=protocol.endswith("SSL"))
        return value

    @field_validator("kafka_key_file")
    @classmethod
    def _given_exactly_with_certificate(cls, value: object, info: ValidationInfo) -> object:
        if "kafka_cert_file" not in info.data:
            return value
        certificate = info.data["kafka_cert_file"]
        if value is None and certificate is not None:
            raise ValueError("is needed because KAFKA_CERT_FILE is set")
        if value is not None and certificate is None:
            raise ValueError("is set but KAFKA_CERT_FILE is not")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` gathered counts, so that no process environment leaks into a test."""
        return (init_settings,)


def _refuse_without_effect(value: object, protocol: str, *, applies: bool) -> None:
    """A credential or certificate that would silently not be used is a mistake worth stopping for."""
    if value is not None and protocol and not applies:
        raise ValueError(f"has no effect because KAFKA_SECURITY_PROTOCOL is {protocol}")
