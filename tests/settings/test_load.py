"""What a service learns from its environment and files, and what it is told when they are wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.settings import SettingsError, load_settings

MINIMAL = {"KAFKA_URL": "localhost:9092"}
SASL = MINIMAL | {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
    "KAFKA_SASL_USERNAME": "dispatch",
    "KAFKA_SASL_PASSWORD": "hunter2",
}


def problems_of(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings("dispatch", environ)
    return caught.value.problems


def test_only_the_kafka_url_is_needed() -> None:
    settings = load_settings("dispatch", MINIMAL)
    assert (settings.service, settings.kafka_url, settings.http_host) == (
        "dispatch",
        "localhost:9092",
        "127.0.0.1",
    )
    assert (settings.drain_seconds, settings.commit_interval_ms, settings.trace_sample_ratio) == (
        20,
        1000,
        0.01,
    )


def test_the_kafka_scheme_and_spaces_between_servers_are_taken_off() -> None:
    assert load_settings("geo", {"KAFKA_URL": "kafka://a:1, b:2"}).kafka_url == "a:1,b:2"


def test_without_a_mongo_url_the_store_is_a_file_named_after_the_service(tmp_path: Path) -> None:
    settings = load_settings("notify", MINIMAL | {"DATA_DIR": str(tmp_path)})
    assert settings.store_url == f"sqlite:///{tmp_path}/notify.db"


def test_a_relative_data_dir_is_made_absolute_so_that_the_store_url_has_one_reading() -> None:
    assert load_settings("notify", MINIMAL | {"DATA_DIR": "x"}).data_dir == Path.cwd() / "x"


def test_with_a_mongo_url_the_store_is_there_unless_a_store_url_says_otherwise() -> None:
    mongo = MINIMAL | {"MONGO_URL": "mongodb://db:27017/ruamjai"}
    assert load_settings("notify", mongo).store_url == "mongodb://db:27017/ruamjai"
    assert (
        load_settings("notify", mongo | {"STORE_URL": "sqlite:////tmp/n.db"}).store_url
        == "sqlite:////tmp/n.db"
    )


def test_traces_carry_the_service_name_unless_told_another() -> None:
    assert load_settings("geo", MINIMAL).otel_service_name == "geo"
    assert load_settings("geo", MINIMAL | {"OTEL_SERVICE_NAME": "geo-north"}).otel_service_name == "geo-north"


def test_an_instant_is_kept_in_utc() -> None:
    settings = load_settings("geo", MINIMAL | {"CLOCK_START": "2026-11-23T09:00:00+07:00"})
    assert settings.clock_start == datetime(2026, 11, 23, 2, tzinfo=UTC)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings("geo", MINIMAL | {"MONGO_URL": "", "HTTP_PORT": ""}).http_port == 8080


def test_the_service_name_comes_from_the_code_alone() -> None:
    assert load_settings("geo", MINIMAL | {"SERVICE": "dispatch"}).service == "geo"


def test_the_environment_wins_over_secret_files_and_these_over_the_toml_file(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "HTTP_HOST").write_text("from-secret\n")
    (secrets / "HTTP_PORT").write_text("2\n")
    toml = tmp_path / "ruamjai.toml"
    toml.write_text('KAFKA_URL = "toml:1"\nHTTP_PORT = 1\nHTTP_HOST = "from-toml"\nDRAIN_SECONDS = 7\n')
    environ = {"RUAMJAI_SETTINGS": str(toml), "RUAMJAI_SECRETS_DIR": str(secrets), "HTTP_PORT": "3"}
    settings = load_settings("geo", environ)
    assert (settings.kafka_url, settings.drain_seconds) == ("toml:1", 7)
    assert (settings.http_host, settings.http_port) == ("from-secret", 3)


def test_a_secret_mounted_by_kubernetes_through_symlinks_is_read(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "KAFKA_SASL_PASSWORD").write_text("hunter2\n")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "KAFKA_SASL_PASSWORD").symlink_to("..data/KAFKA_SASL_PASSWORD")
    environ = SASL | {"RUAMJAI_SECRETS_DIR": str(tmp_path), "KAFKA_SASL_PASSWORD": ""}
    password = load_settings("dispatch", environ).kafka_sasl_password
    assert password is not None
    assert password.get_secret_value() == "hunter2"


def test_a_missing_variable_is_named_with_an_example() -> None:
    assert problems_of({}) == {
        "KAFKA_URL": "is missing. Example: KAFKA_URL=kafka-0.kafka:9092,kafka-1.kafka:9092"
    }


def test_every_wrong_variable_is_named_at_once() -> None:
    environ = {"KAFKA_URL": "no-port", "CLOCK_RATE": "0", "LOG_LEVEL": "LOUD", "HTTP_PORT": "70000"}
    with pytest.raises(SettingsError) as caught:
        load_settings("dispatch", environ)
    assert all(name in str(caught.value) for name in environ)
    assert set(caught.value.problems) == set(environ)


def test_sasl_without_credentials_names_what_is_lacking_and_why() -> None:
    found = problems_of(MINIMAL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"})
    assert set(found) == {"KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"}
    assert "is needed because KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT" in found["KAFKA_SASL_USERNAME"]


def test_a_password_that_would_silently_not_be_used_is_refused() -> None:
    found = problems_of(SASL | {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"})
    assert "has no effect" in found["KAFKA_SASL_PASSWORD"]


def test_a_certificate_authority_without_tls_is_refused(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.touch()
    assert "has no effect" in problems_of(MINIMAL | {"KAFKA_CA_FILE": str(authority)})["KAFKA_CA_FILE"]


def test_a_certificate_needs_its_key_and_a_key_its_certificate(tmp_path: Path) -> None:
    pem = tmp_path / "a.pem"
    pem.touch()
    tls = MINIMAL | {"KAFKA_SECURITY_PROTOCOL": "SSL"}
    assert "is needed" in problems_of(tls | {"KAFKA_CERT_FILE": str(pem)})["KAFKA_KEY_FILE"]
    assert "KAFKA_CERT_FILE is not" in problems_of(tls | {"KAFKA_KEY_FILE": str(pem)})["KAFKA_KEY_FILE"]


def test_a_file_that_does_not_exist_is_named_by_its_variable() -> None:
    found = problems_of(MINIMAL | {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/nowhere/ca"})
    assert found["KAFKA_CA_FILE"].startswith("does not name a file")


def test_credentials_inside_the_kafka_url_are_refused() -> None:
    assert "KAFKA_SASL_USERNAME" in problems_of({"KAFKA_URL": "kafka://me:hunter2@a:1"})["KAFKA_URL"]


@pytest.mark.parametrize("url", ["", "mongodb://", "sqlite://relative.db", "postgres://a/b", "mongodb://a b"])
def test_a_store_url_of_no_known_kind_is_refused(url: str) -> None:
    environ = MINIMAL | {"STORE_URL": url or " "}
    assert "sqlite:///" in problems_of(environ)["STORE_URL"]


@pytest.mark.parametrize("rate", ["nan", "inf", "-1", "fast"])
def test_a_clock_rate_is_a_finite_number_above_zero(rate: str) -> None:
    assert set(problems_of(MINIMAL | {"CLOCK_RATE": rate})) == {"CLOCK_RATE"}


def test_an_instant_without_an_offset_is_refused() -> None:
    found = problems_of(MINIMAL | {"CLOCK_START": "2026-11-23T09:00:00"})
    assert "Example: CLOCK_START=2025-03-28T13:20:00+07:00" in found["CLOCK_START"]


def test_a_misspelt_name_in_the_toml_file_is_answered_with_the_likely_one(tmp_path: Path) -> None:
    toml = tmp_path / "ruamjai.toml"
    toml.write_text('KAFKA_URL = "a:1"\nKAFKA_SASL_USER = "x"\n')
    found = problems_of({"RUAMJAI_SETTINGS": str(toml)})
    assert found == {"KAFKA_SASL_USER": "is not a setting; did you mean KAFKA_SASL_USERNAME?"}


def test_a_settings_file_that_is_missing_or_broken_is_named_by_its_variable(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("KAFKA_URL = [")
    assert "cannot be read" in problems_of({"RUAMJAI_SETTINGS": "/nowhere"})["RUAMJAI_SETTINGS"]
    assert "not a TOML file" in problems_of({"RUAMJAI_SETTINGS": str(broken)})["RUAMJAI_SETTINGS"]
    assert "not a directory" in problems_of({"RUAMJAI_SECRETS_DIR": "/nowhere"})["RUAMJAI_SECRETS_DIR"]


def test_a_secret_file_that_is_not_text_is_reported_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "KAFKA_SASL_PASSWORD").write_bytes(b"\xffhunter2")
    found = problems_of(MINIMAL | {"RUAMJAI_SECRETS_DIR": str(tmp_path)})
    assert found["RUAMJAI_SECRETS_DIR"] == "has a file that cannot be read: UnicodeDecodeError"


@pytest.mark.parametrize(
    "name", ["KAFKA_URL", "KAFKA_KEY_FILE", "MONGO_URL", "STORE_URL", "LOG_LEVEL", "HTTP_PORT"]
)
def test_no_error_repeats_the_value_it_complains_about(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings("dispatch", SASL | {name: "hunter2 \n"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_settings_do_not_show_passwords_when_printed() -> None:
    environ = SASL | {
        "MONGO_URL": "mongodb://me:hunter2@db/x",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:hunter2@o",
    }
    assert "hunter2" not in repr(load_settings("dispatch", environ))
