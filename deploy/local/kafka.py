"""Apache Kafka as processes of this machine: one broker, or three that survive the loss of one."""

import subprocess
from pathlib import Path

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka_properties import ADMIN, SCRAM, Node, Security, server_properties
from deploy.local.native import RECIPES, kafka_libs
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess

CLUSTER_ID = (
    "cnVhbWphaS1sb2NhbC1rYQ"  # any 16 bytes in base64; the same for all, so that data can be used again
)
HEAP_ALONE, HEAP_OF_MANY = "-Xmx512m", "-Xmx320m"


def native_kafka(data: Path, brokers: int = 1, port: int | None = None) -> KafkaCluster:
    """A cluster without security that keeps everything in `data`; start it with `start()` or `with`.

    `port` is the first broker's; the others follow. Raises Unavailable.
    """
    libs = kafka_libs()
    data.mkdir(parents=True, exist_ok=True)
    nodes = nodes_in(data, brokers, port)
    processes = [process_of(libs, node, nodes) for node in nodes]
    return KafkaCluster(processes, [node.port for node in nodes])


def nodes_in(data: Path, brokers: int, port: int | None, *, mutual: bool = False) -> list[Node]:
    """Return the nodes of a cluster; `mutual` gives each a port for clients that have a certificate."""
    return [
        Node(
            number,
            free_port() if port is None else port + number - 1,
            free_port(),
            str(data / f"broker-{number}" / "log"),
            mutual_port=free_port() if mutual else None,
        )
        for number in range(1, brokers + 1)
    ]


def process_of(libs: Path, node: Node, nodes: list[Node], security: Security | None = None) -> ServerProcess:
    """Return the process of a node, its log formatted."""
    home = Path(node.log_dir).parent
    home.mkdir(exist_ok=True)
    properties = home / "server.properties"
    properties.touch(mode=0o600)
    settings = server_properties(node, nodes, security)
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    if not Path(node.log_dir, "meta.properties").exists():
        _format(libs, properties, security)
    heap = HEAP_ALONE if len(nodes) == 1 else HEAP_OF_MANY
    return ServerProcess([*_java(libs, heap), "kafka.Kafka", str(properties)], home / "server.log")


def _format(libs: Path, properties: Path, security: Security | None) -> None:
    scram = ["--add-scram", f"{SCRAM}=[name={ADMIN},password={security.password}]"] if security else []
    tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
    command = [*_java(libs, "-Xmx128m", "-XX:TieredStopAtLevel=1"), *tool]
    subprocess.run([*command, *scram], check=True, capture_output=True)


def _java(libs: Path, *options: str) -> list[str]:
    log4j = RECIPES / "kafka" / "log4j2.properties"
    return ["java", *options, f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{libs}/*"]
