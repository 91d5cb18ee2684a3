"""`python -m deploy.k8s` writes the manifests that follow from something else in this repository."""

from pathlib import Path

import yaml
from click.testing import CliRunner

from shared.cli import main

HERE = Path(__file__).parent
JOB = HERE / "components/local-servers/topics.yaml"
TOPICS = HERE / "components/strimzi/topics.yaml"
RULES = HERE / "components/watch/rules.yaml"
RECORDED = HERE.parent / "watch/prometheus/rules"
MADE = "# Made by `python -m deploy.k8s`, do not edit.\n"


def manifests() -> dict[Path, str]:
    """Return the text of every generated manifest by its path."""
    return {TOPICS: MADE + topics(), RULES: MADE + rules()}


def topics() -> str:
    """Return the topics that the local installation's Job creates, as resources of Strimzi."""
    job = next(doc for doc in yaml.safe_load_all(JOB.read_text()) if doc["kind"] == "Job")
    told = job["spec"]["template"]["spec"]["containers"][0]["args"]
    wanted = [word for word in told if word.startswith(("--agency", "--group"))]
    done = CliRunner().invoke(main, ["topics", "strimzi", *wanted], catch_exceptions=False)
    if done.exit_code:
        raise RuntimeError(done.output)
    return done.stdout.partition("\n")[2]


def rules() -> str:
    """Return Prometheus' rule files as resources of its operator."""
    files = sorted(RECORDED.glob("*.yml"))
    return yaml.safe_dump_all(
        (
            {
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "PrometheusRule",
                "metadata": {"name": f"ruamjai-{file.stem}"},
                "spec": yaml.safe_load(file.read_text()),
            }
            for file in files
        ),
        sort_keys=False,
        allow_unicode=True,
        width=110,
    )


if __name__ == "__main__":
    for path, text in manifests().items():
        path.write_text(text)
