"""The script: a day that shows what it promises, and whose reports intake and linking understand as meant."""

import re
from itertools import combinations

import pytest

from deploy.local.demo.day import Scene, load_day
from deploy.local.demo.reporters import citizen_id, report_of
from services.dispatch.linking import likeness
from services.intake.triage import triage
from shared.pack import load_pack
from shared.text import mask, normalise

DAY = load_day()
SCENES = list(DAY.scenes)


def test_the_day_has_what_it_promises() -> None:
    reports = [text for scene in SCENES for text in scene.reports]
    assert len(reports) >= 60
    assert len(set(reports)) == len(reports)
    assert all(re.search("[ก-๙]", text) for text in reports)
    assert len({scene.category for scene in SCENES}) >= 8
    assert any(scene.at is None for scene in SCENES)
    assert any(scene.status == "exercise" for scene in SCENES)
    assert sum(scene.priority == "P1" for scene in SCENES) >= 5
    assert [partner.agency for partner in DAY.partners if partner.seconds] == ["lomsak-guard"]


def test_the_figures_agree_with_the_script() -> None:
    expected, reports = DAY.expected, sum(len(scene.reports) for scene in SCENES)
    assert expected.accepted == reports
    assert expected.rejected == len(DAY.wrong)
    assert expected.reports_sent == reports + len(DAY.wrong)
    assert expected.incidents == len(SCENES)
    assert expected.linked == reports - len(SCENES)
    assert expected.escalated == sum(sum(scene.silent.values()) for scene in SCENES)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.id)
def test_a_scene_is_understood_as_meant(scene: Scene) -> None:
    texts = [normalise(text) for text in scene.reports]
    found = [triage(text) for text in texts]
    assert {one.category for one in found} == {scene.category}
    assert min(one.priority for one in found) == scene.priority == found[0].priority
    assert scene.desk in {desk.code for desk in load_pack(None).desks}
    assert all(likeness(one, other) > 0.1 for one, other in combinations(texts, 2))


def test_what_is_personal_in_a_report_is_masked_by_intake() -> None:
    for serial in range(1, 50):
        body, secrets = report_of(SCENES[0], 0, serial)
        assert not any(secret in mask(normalise(body["text"])) for secret in secrets)
        assert re.fullmatch(r"\d{13}", citizen_id(serial))
