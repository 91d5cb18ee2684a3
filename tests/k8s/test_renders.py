"""What a cluster gets changes only when somebody has looked at the change."""

import yaml

from deploy.k8s.__main__ import manifests
from tests.k8s.rendering import golden, identity, resources


def test_an_overlay_renders_to_what_is_committed(overlay: str) -> None:
    """After a change that is meant: `make k8s-golden`, and read the difference."""
    committed = {identity(r): r for r in yaml.safe_load_all(golden(overlay).read_text())}
    now = {identity(r): r for r in resources(overlay)}
    assert now.keys() == committed.keys()
    assert [name for name in now if now[name] != committed[name]] == []


def test_generated_manifests_are_current() -> None:
    """`python -m deploy.k8s` writes them."""
    stale = [path.name for path, text in manifests().items() if path.read_text() != text]
    assert stale == []
