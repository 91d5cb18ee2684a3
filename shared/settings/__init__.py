"""One place where a service's settings are read, checked and explained."""

from shared.settings.certificates import expiries
from shared.settings.errors import ConfigurationError
from shared.settings.kafka import KafkaClientOptions, kafka_client_options
from shared.settings.load import SettingsError, load_settings
from shared.settings.model import Settings
from shared.settings.yaml_text import parse_yaml

__all__ = [
    "ConfigurationError",
    "KafkaClientOptions",
    "Settings",
    "SettingsError",
    "expiries",
    "kafka_client_options",
    "load_settings",
    "parse_yaml",
]
