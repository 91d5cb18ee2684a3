"""A working copy behaves as a dictionary would, and what is below it never changes."""

from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.layer import Layer

KEYS = st.sampled_from("abcdef")
CHANGES = st.lists(st.tuples(st.sampled_from(["set", "pop"]), KEYS, st.integers()))


def changed(target: dict[str, int] | Layer[str, int], changes: list[tuple[str, str, int]]) -> None:
    for what, key, value in changes:
        if what == "set":
            target[key] = value
        else:
            target.pop(key, None)


@given(st.dictionaries(KEYS, st.integers()), CHANGES, CHANGES)
def test_it_says_what_a_copy_would_say(
    below: dict[str, int], first: list[tuple[str, str, int]], second: list[tuple[str, str, int]]
) -> None:
    before, copy, layer = dict(below), dict(below), Layer(below)
    changed(copy, first)
    changed(layer, first)
    above = Layer(layer)
    changed(copy, second)
    changed(above, second)
    assert dict(above) == copy
    assert (len(above), sorted(above), sorted(above.values())) == (
        len(copy),
        sorted(copy),
        sorted(copy.values()),
    )
    assert {key: above.get(key) for key in "abcdef"} == {key: copy.get(key) for key in "abcdef"}
    assert [key for key in "abcdef" if key in above] == [key for key in "abcdef" if key in copy]
    assert below == before


@given(st.dictionaries(KEYS, st.integers()), KEYS, st.integers())
def test_what_is_replaced_keeps_its_place(below: dict[str, int], key: str, value: int) -> None:
    copy, layer = dict(below), Layer(below)
    copy[key] = layer[key] = value
    assert list(layer.items()) == list(copy.items())
