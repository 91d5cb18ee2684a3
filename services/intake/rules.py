"""The words that tell what a report is about and how bad it is: data that a desk's people can read."""

import re
from dataclasses import dataclass
from functools import cached_property

from shared.contracts.values import Priority


@dataclass(frozen=True)
class Rule:
    """Any of the words of `text` (separated by bars) means `code`, at least at `priority`."""

    code: str
    priority: Priority
    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words one by one."""
        return tuple(self.text.split("|"))

    @cached_property
    def thai(self) -> re.Pattern[str]:
        """Finds the Thai words. There are no spaces between words, so one counts wherever it is."""
        return _any_of([re.escape(word) for word in self.words if not word.isascii()])

    @cached_property
    def english(self) -> re.Pattern[str]:
        """Finds the English words, in whatever case; they count only whole."""
        return _any_of([rf"\b{re.escape(word)}\b" for word in self.words if word.isascii()], re.IGNORECASE)


def _any_of(words: list[str], flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(words) if words else "(?!)", flags)


P1, P2, P3, P4 = Priority

DANGER = (
    Rule(
        "life_threatening",
        P1,
        "หมดสติ|ไม่รู้สึกตัว|ไม่หายใจ|หยุดหายใจ|หายใจไม่ออก|หัวใจหยุด|เจ็บหน้าอก|แน่นหน้าอก|สาหัส|เลือดออกมาก"
        "|เสียชีวิต|คนตาย|จมน้ำ|ไฟดูด|ไฟช็อต|ผูกคอ|ฆ่าตัวตาย|ใกล้คลอด|ชักเกร็ง|ปากเบี้ยว|แขนขาอ่อนแรง"
        "|ติดอยู่ใน|ติดในรถ|ติดบนหลังคา|unconscious|not breathing",
    ),
    Rule("weapon", P1, "อาวุธ|ปืน|ถูกยิง|ยิงกัน|ถูกแทง|แทงกัน|มีด|ระเบิด|จับตัวประกัน|gun|knife"),
    Rule("gas_leak", P1, "แก๊สรั่ว|ก๊าซรั่ว|สารเคมีรั่ว|gas leak"),
    Rule("injured", P2, "บาดเจ็บ|คนเจ็บ|ผู้เจ็บ|เลือดออก|เลือดไหล|หัวแตก|แขนหัก|ขาหัก|injured|bleeding"),
)
"""What makes it urgent, whatever it is."""

CATEGORIES = (
    Rule("fire", P1, "ไฟไหม้|เพลิงไหม้|ไฟลุก|fire"),
    Rule(
        "domestic_violence",
        P2,
        "ทำร้ายเมีย|ทำร้ายภรรยา|สามีทำร้าย|ผัวตีเมีย|ทำร้ายลูก|ความรุนแรงในครอบครัว|domestic violence",
    ),
    Rule(
        "brawl",
        P2,
        "ทะเลาะวิวาท|ตีกัน|ชกต่อย|ต่อยกัน|รุมทำร้าย|รุมกระทืบ|ยกพวก|ยิงกัน|แทงกัน|brawl|fight|fighting",
    ),
    Rule(
        "road_accident",
        P2,
        "รถชน|ชนกัน|ชนมอเตอร์ไซค์|ชนจักรยาน|ชนท้าย|รถล้ม|รถคว่ำ|อุบัติเหตุ|มอเตอร์ไซค์ล้ม|ชนแล้วหนี|รถตกข้างทาง|accident|crash",
    ),
    Rule(
        "medical_emergency",
        P2,
        "หมดสติ|เป็นลม|หายใจไม่ออก|เจ็บหน้าอก|แน่นหน้าอก|ชักเกร็ง|งูกัด|ใกล้คลอด|คนป่วย|ผู้ป่วย|จมน้ำ|ambulance",
    ),
    Rule("flood", P3, "น้ำท่วม|น้ำป่า|น้ำหลาก|ล้นตลิ่ง|เอ่อล้น|ดินถล่ม|ดินสไลด์|flood"),
    Rule("missing_person", P2, "คนหาย|เด็กหาย|เด็กหลง|พลัดหลง|หายตัวไป|ผู้สูงอายุหาย|คนแก่หลง|missing"),
    Rule("theft", P3, "ขโมย|โจร|ลักทรัพย์|งัดบ้าน|งัดรถ|ชิงทรัพย์|ปล้น|วิ่งราว|theft|stolen"),
    Rule("drugs", P3, "ยาเสพติด|ยาบ้า|เสพยา|ค้ายา|กัญชา|drugs"),
    Rule("suspicious_person", P3, "คนแปลกหน้า|น่าสงสัย|ด้อมๆมองๆ|ด้อม ๆ มอง ๆ|มีพิรุธ|คลุ้มคลั่ง|suspicious"),
    Rule("noise", P4, "เสียงดัง|เปิดเพลง|รถแว้น|แว้นรถ|ท่อดัง|noise"),
    Rule("street_light", P4, "ไฟทาง|ไฟถนน|เสาไฟ|หลอดไฟ|ไฟดับ|street light"),
    Rule("stray_animal", P4, "หมาจรจัด|สุนัขจรจัด|หมาไล่|หมากัด|งูเข้าบ้าน|ช้างป่า|วัวเดิน|stray"),
)
"""What it is; of several the first in this list counts."""

NEGATIONS = ("ไม่มี", "ไม่พบ", "ไม่ได้", "ไม่ใช่", "ไม่", "ไร้", "no ", "not ")
"""Before a word they take it back: ไม่มีคนเจ็บ."""

NAMES = ("แม่น้ำป่าสัก",)
"""Names of places that have one of the words in them: the river Pa Sak is no น้ำป่า."""
