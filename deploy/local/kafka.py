"""Apache Kafka as processes of this machine: one broker, or three that survive the loss of one."""

import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka_properties import ADMIN, Node, server_properties
from deploy.local.native import RECIPES, kafka_libs
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess

CLUSTER_ID = (
    "cnVhbWphaS1sb2NhbC1rYQ"  # any 16 bytes in base64; the same for all, so that data can be used again
)
HEAP_ALONE, HEAP_OF_MANY = "-Xmx512m", "-Xmx320m"


def native_kafka(
    data: Path, brokers: int = 1, users: Mapping[str, str] | None = None, port: int | None = None
) -> KafkaCluster:
    """A cluster that keeps everything in `data`; start it with `start()` or `with`.

    `users` (name → password), even none of them, make it secure: SCRAM, an administrator as its `login`, and
    deny by default. `port` is the first broker's; the others follow. Raises Unavailable.
    """
    libs = kafka_libs()
    data.mkdir(parents=True, exist_ok=True)
    password = None if users is None else _admin_password(data / "admin-password")
    nodes = [_node(data, number, port) for number in range(1, brokers + 1)]
    return KafkaCluster(
        processes=[_process(libs, node, nodes, password) for node in nodes],
        ports=[node.port for node in nodes],
        login=(ADMIN, password) if password else None,
        users=users,
    )


def _node(data: Path, number: int, first_port: int | None) -> Node:
    port = free_port() if first_port is None else first_port + number - 1
    return Node(number, port, free_port(), str(data / f"broker-{number}" / "log"))


def _process(libs: Path, node: Node, nodes: list[Node], password: str | None) -> ServerProcess:
    home = Path(node.log_dir).parent
    home.mkdir(exist_ok=True)
    properties = home / "server.properties"
    settings = server_properties(node, nodes, password)
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    if not Path(node.log_dir, "meta.properties").exists():
        _format(libs, properties, password)
    heap = HEAP_ALONE if len(nodes) == 1 else HEAP_OF_MANY
    return ServerProcess([*_java(libs, heap), "kafka.Kafka", str(properties)], home / "server.log")


def _format(libs: Path, properties: Path, password: str | None) -> None:
    administrator = f"SCRAM-SHA-256=[name={ADMIN},password={password}]"
    tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
    command = [*_java(libs, "-Xmx128m", "-XX:TieredStopAtLevel=1"), *tool]
    subprocess.run(
        [*command, *(["--add-scram", administrator] if password else [])], check=True, capture_output=True
    )


def _java(libs: Path, *options: str) -> list[str]:
    log4j = RECIPES / "kafka" / "log4j2.properties"
    return ["java", *options, f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{libs}/*"]


def _admin_password(file: Path) -> str:
    """Made once per data directory, since the formatted log knows it."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(16))
    return file.read_text()
