"""However a pack is spoiled, it is loaded or refused with reasons: nothing else is ever raised."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pack.packs import problems, small

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -1, 0, 181.0, 1e300, "", "67", "6701", "police", "P1", "Polygon", "CRS84"])
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
Place = tuple[Any, Any]


def places(node: Any) -> Iterator[Place]:
    """Every container in the files with every key or index of it."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in list(keys):
        yield node, key
        yield from places(node[key])


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """The small pack after up to three changes: something dropped, doubled or replaced."""
    files = deepcopy(small())
    for _ in range(draw(st.integers(1, 3))):
        node, key = draw(st.sampled_from([place for file in files.values() for place in places(file)]))
        change = draw(st.sampled_from(["drop", "double", "replace", "nudge"]))
        if change == "drop":
            del node[key]
        elif change == "double" and isinstance(node, list):
            node.insert(key, deepcopy(node[key]))
        elif change == "nudge" and isinstance(node[key], float | int):
            node[key] += draw(st.floats(-2, 2))
        else:
            node[key] = draw(VALUES)
    return files


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoiled())
def test_a_spoiled_pack_is_loaded_or_refused_with_reasons(files: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        for problem in problems(Path(folder), files):
            assert problem.split(": ")[0] in files
            assert problem.count(": ") >= 1


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(small())), st.binary(max_size=40), st.integers(0, 400))
def test_a_file_with_wrong_bytes_is_loaded_or_refused_with_reasons(name: str, noise: bytes, at: int) -> None:
    with TemporaryDirectory() as folder:
        assert problems(Path(folder), small()) == []
        path = Path(folder) / name
        content = path.read_bytes()
        path.write_bytes(content[:at] + noise + content[at + len(noise) :])
        for problem in problems(Path(folder), {}):
            assert problem.split(": ")[0] in small()


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.sampled_from(sorted(small())), min_size=1),
    st.sampled_from(["gone", "a folder", "deep", "a link"]),
)
def test_files_that_are_none_are_refused_with_reasons(names: set[str], how: str) -> None:
    with TemporaryDirectory() as folder:
        assert problems(Path(folder), small()) == []
        for name in names:
            path = Path(folder) / name
            path.unlink()
            match how:
                case "a folder":
                    path.mkdir()
                case "deep":
                    path.write_text("[" * 100_000)
                case "a link":
                    path.symlink_to(path)
        found = problems(Path(folder), {})
        assert found
        assert {problem.split(": ")[0] for problem in found} <= {*small()}
