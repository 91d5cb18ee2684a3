"""A short morning whose every private value is a canary: a string that occurs nowhere else in the world."""

from deploy.local.demo.day import Chapter, Day, Expected, Partner, Scene, Wrong
from deploy.local.demo.reporters import citizen_id

WORD, DRILL, ELSEWHERE = "kanari-accident", "kanari-drill", "kanari-elsewhere"
"""In the text of each scene: on the bus, but only for those to whom `text` is granted."""
EXACT = {"lat": 16.418937, "lon": 101.156713}
"""Only for those to whom `point` is granted; to the others it is 16.42, 101.16."""
PHONES = ("089-765-4321", "0897654321", "๐๘๙๗๖๕๔๓๒๒", "0897654322")
CITIZEN = citizen_id(5_432)
CITIZENS = (CITIZEN, f"{CITIZEN[0]}-{CITIZEN[1:5]}-{CITIZEN[5:10]}-{CITIZEN[10:12]}-{CITIZEN[12]}")
SPELT = "kana\u200bri-spelt"
"""A spelling that only the sealed original has: normalising takes the zero-width space out."""
NEVER_TAKEN = "kanari-refused"
DEAD_LETTERS = 8
"""Of one poisoned record each on four topics: two groups read the first, one the second, four the third."""

ACCIDENT = Scene(
    id="accident",
    at=(EXACT["lat"], EXACT["lon"]),
    category="road_accident",
    priority="P2",
    desk="police-6701",
    reports=(
        f"รถชนกันหน้าตลาดสดเพชรบูรณ์ มีคนเจ็บ {WORD} {SPELT} โทร {PHONES[0]} หรือ {PHONES[2]} บัตร {CITIZENS[1]}",
        f"หน้าตลาดสดเพชรบูรณ์รถชนกัน มีคนเจ็บ ขอกู้ภัยด่วน โทร{PHONES[1]} บัตร{CITIZEN}",
    ),
)
FIRE_DRILL = Scene(
    id="drill",
    at=(16.43, 101.14),
    category="fire",
    priority="P1",
    desk="municipal-6701",
    status="exercise",
    reports=(f"ซ้อมแผนอพยพ สมมติเหตุไฟไหม้อาคารเรียน {DRILL}",),
)
NOISE = Scene(
    id="elsewhere",
    at=(15.47, 101.07),
    category="noise",
    priority="P4",
    desk="police-6706",
    reports=(f"ข้างบ้านเปิดเพลงเสียงดังทั้งคืน {ELSEWHERE}",),
)

SEES_ALL, SEES_LITTLE, MAY_ASK = "rescue", "lomsak-guard", "ems"
ALL = ("lifecycle", "category", "priority", "text", "point", "place", "opened_at", "reports", "tasks")
_DETAILS = (WORD, *map(str, EXACT.values()), "patrol-6701", "police-6701", "/police/1", '"P2"')
WITHHELD = {SEES_LITTLE: (*_DETAILS, '"lat":', "road_accident"), MAY_ASK: _DETAILS}
"""By agency: what must not be on its topic, nor at its webhook."""


def partner(agency: str, *fields: str) -> Partner:
    """An agency that sees accidents and fires in the whole province, as far as these fields say."""
    return Partner(
        agency=agency, name=agency, categories=("road_accident", "fire"), areas=("67",), fields=fields
    )


MORNING = Day(
    hooked=MAY_ASK,
    hook_failures=1,
    partners=(
        partner(SEES_ALL, *ALL),
        partner(SEES_LITTLE, "lifecycle"),
        partner(MAY_ASK, "lifecycle", "category", "point_blurred", "reports", "sealed"),
    ),
    chapters=(Chapter(name="morning", scenes=(ACCIDENT, FIRE_DRILL, NOISE)),),
    wrong=(
        Wrong(why="a field too many", status=422, body={"text": NEVER_TAKEN, NEVER_TAKEN: NEVER_TAKEN}),
        Wrong(why="a list for a name", status=422, body={"text": "x", "reporter": {"name": [NEVER_TAKEN]}}),
        Wrong(why="half a body", status=400, body='{"text": "' + NEVER_TAKEN),
        Wrong(why="no key", status=401, body={"text": NEVER_TAKEN}, headers={"X-Device-Id": ""}),
    ),
    expected=Expected(
        reports_sent=8,
        accepted=4,
        rejected=4,
        incidents=3,
        linked=1,
        assigned=7,  # 3 + 3 + 1 roles
        escalated=0,
        dead_letters=DEAD_LETTERS,
        agency_events={},
        withheld={},
    ),
)
