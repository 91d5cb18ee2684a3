"""What the manifests promise beyond their form: drains, identities, limits, and what belongs together."""

import re
from collections.abc import Iterator

import pytest

from deploy.k8s.install import FILES
from deploy.local.demo.day import load_day
from deploy.local.demo.world import topics_of
from shared.contracts.topics import INCIDENTS, REPORTS_RECEIVED
from shared.settings.load import SECRETS_DIR, VARIABLES
from tests.k8s.rendering import Resource, pods, resources, workloads

CLOSING_SECONDS = 10
"""What a stop takes beside the drain: clients that close, the last traces."""


def container(workload: Resource) -> Resource:
    found: list[Resource] = workload["spec"]["template"]["spec"]["containers"]
    return found[0]


def config(overlay: str) -> dict[str, str]:
    """The settings that all services share."""
    maps = [r for r in resources(overlay) if r["kind"] == "ConfigMap" and "KAFKA_URL" in r["data"]]
    assert len(maps) == 1
    data: dict[str, str] = maps[0]["data"]
    return data


def test_a_pod_may_take_longer_to_stop_than_its_drain_does(overlay: str) -> None:
    drain = int(config(overlay)["DRAIN_SECONDS"])
    for name, workload in workloads(overlay).items():
        pause = container(workload)["lifecycle"]["preStop"]["sleep"]["seconds"]
        allowed = workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert allowed >= pause + drain + CLOSING_SECONDS, name


def test_every_variable_is_a_setting(overlay: str) -> None:
    names = set(config(overlay))
    for workload in workloads(overlay).values():
        names |= {variable["name"] for variable in container(workload).get("env", ())}
    assert names <= VARIABLES.keys() | {SECRETS_DIR}


def test_only_dispatch_keeps_a_name_and_only_geo_and_notify_are_scaled(overlay: str) -> None:
    found = workloads(overlay)
    assert {name for name, w in found.items() if w["kind"] == "StatefulSet"} == {"dispatch"}
    named = {v["name"]: v for v in container(found["dispatch"])["env"]}["KAFKA_GROUP_INSTANCE_ID"]
    assert named["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    scaled = {
        r["spec"]["scaleTargetRef"]["name"]: r for r in resources(overlay) if r["kind"] == "ScaledObject"
    }
    assert scaled.keys() in (set(), {"geo", "notify"})
    assert {name for name, w in found.items() if "replicas" not in w["spec"]} == scaled.keys()


def test_nothing_is_scaled_beyond_its_partitions_or_in_a_hurry(overlay: str) -> None:
    partitions = {"geo": REPORTS_RECEIVED.partitions, "notify": INCIDENTS.partitions}
    for scaled in (r for r in resources(overlay) if r["kind"] == "ScaledObject"):
        spec = scaled["spec"]
        assert spec["maxReplicaCount"] == partitions[spec["scaleTargetRef"]["name"]]
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert all(behavior[way]["stabilizationWindowSeconds"] >= 300 for way in ("scaleUp", "scaleDown"))


def test_every_pod_is_restricted(overlay: str) -> None:
    for name, template in pods(overlay):
        spec = template["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for inner in spec["containers"]:
            own = inner["securityContext"]
            assert own["readOnlyRootFilesystem"], name
            assert not own["allowPrivilegeEscalation"], name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert inner["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert "memory" in inner["resources"]["limits"], name


def test_every_service_has_an_account_a_budget_and_a_spread(overlay: str) -> None:
    by_kind: dict[str, set[str]] = {}
    for r in resources(overlay):
        by_kind.setdefault(r["kind"], set()).add(r["metadata"]["name"])
    for name, workload in workloads(overlay).items():
        assert name in by_kind["ServiceAccount"]
        assert name in by_kind["PodDisruptionBudget"]
        assert len(workload["spec"]["template"]["spec"]["topologySpreadConstraints"]) == 2


def test_no_secret_is_in_an_overlay(overlay: str) -> None:
    assert [r["metadata"]["name"] for r in resources(overlay) if r["kind"] == "Secret"] == []


def test_nobody_talks_unless_it_is_said(overlay: str) -> None:
    policies = {r["metadata"]["name"]: r["spec"] for r in resources(overlay) if r["kind"] == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    open_ends = {
        name
        for name, spec in policies.items()
        for rule in spec.get("egress", ())
        if not rule.get("to") or any("ipBlock" in to for to in rule["to"])
    }
    assert open_ends <= {"webhooks", "kafka-own"}
    store = policies["to-store"]["podSelector"]["matchExpressions"][0]["values"]
    assert "geo" not in store


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_operator_makes_the_topics_of_the_contract(all_overlays: object, name: str) -> None:
    made = {
        r["metadata"]["name"]: (r["spec"]["partitions"], r["spec"]["config"])
        for r in resources(name)
        if r["kind"] == "KafkaTopic"
    }
    in_sync = {"min.insync.replicas": "2"}
    assert made == {t.name: (t.partitions, settings | in_sync) for t, settings in topics_of(load_day())}


def test_references_lead_somewhere(overlay: str) -> None:
    """A Secret comes from External Secrets, from Strimzi under a user's name, or from `make k8s-up`."""
    found = resources(overlay)
    operators = {r["spec"]["target"]["name"] for r in found if r["kind"] == "ExternalSecret"}
    operators |= {r["metadata"]["name"] for r in found if r["kind"] == "KafkaUser"}
    known = operators | {"ruamjai-cluster-ca-cert"} if operators else set(FILES)
    for workload in workloads(overlay).values():
        assert set(_secrets(workload)) <= known


def _secrets(workload: Resource) -> Iterator[str]:
    for volume in workload["spec"]["template"]["spec"]["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            if not source["secret"].get("optional"):
                yield source["secret"]["name"]


def test_tags_are_versions(overlay: str) -> None:
    ours = [container(workload)["image"] for workload in workloads(overlay).values()]
    assert all(re.fullmatch(r"ruamjai/[a-z]+:\d+\.\d+\.\d+", image) for image in ours)
