"""The source of servers is chosen in one order, and what was passed over is told."""

import pytest

from deploy.local.choose import Source, choose
from deploy.local.unavailable import Unavailable


def missing(what: str) -> str:
    raise Unavailable(f"no {what}")


def test_the_first_source_that_works_is_taken() -> None:
    chosen = choose({Source.DOCKER: lambda: "docker", Source.NATIVE: lambda: "native"})
    assert (chosen.server, chosen.source) == ("docker", Source.DOCKER)


def test_a_source_that_is_missing_is_passed_over_with_its_reason() -> None:
    chosen = choose(
        {
            Source.DOCKER: lambda: missing("engine"),
            Source.NATIVE: lambda: missing("java"),
            Source.EMBEDDED: lambda: "embedded",
        }
    )
    assert chosen.server == "embedded"
    assert chosen.passed_over == "docker: no engine; native: no java"


def test_a_forced_source_is_the_only_one_tried() -> None:
    starters = {Source.NATIVE: lambda: missing("java"), Source.EMBEDDED: lambda: "embedded"}
    assert choose(starters, forced="embedded").server == "embedded"
    with pytest.raises(Unavailable, match="no java"):
        choose(starters, forced="native")


def test_a_source_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="podman"):
        choose({Source.NATIVE: lambda: "native"}, forced="podman")


def test_a_fault_is_not_taken_for_a_missing_source() -> None:
    def broken() -> str:
        raise RuntimeError("broker ended")

    with pytest.raises(RuntimeError, match="broker ended"):
        choose({Source.NATIVE: broken, Source.EMBEDDED: lambda: "embedded"})
