"""What counts as critical, in versions that can be cited; provinces differ.

A ruleset is never changed: a change is a new version beside it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.workitems.lane import Lane

# A full stop inside a number ends nothing.
_CLAUSE_END: Final = re.compile(r"[，。；、,;\n]|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One critical value; `code` is unique within its ruleset.

    also: shorter words that say the same, or one of several that `name` holds.
    """

    code: str
    name: str
    name_en: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A list of critical values as somebody published it.

    id: what a critical value cites, with the version in it. source: who says so.
    """

    id: str
    lane: Lane
    title: str
    title_en: str
    source: str
    source_en: str
    rules: tuple[Rule, ...]


RADIOLOGY: Final = Ruleset(
    id="radiology-13/1",
    lane=Lane.IMAGING,
    title="放射影像危急值（13 项）",
    title_en="Radiology critical values (13)",
    source="国家放射影像危急值清单",
    source_en="National list of radiology critical values",
    rules=(
        Rule("R01", "急性肺栓塞", "Acute pulmonary embolism"),
        Rule(
            "R02",
            "急性主动脉夹层/动脉瘤破裂",
            "Acute aortic dissection or ruptured aneurysm",
            ("主动脉夹层", "动脉瘤破裂", "aortic dissection", "ruptured aneurysm"),
        ),
        Rule("R03", "心包填塞", "Cardiac tamponade"),
        Rule(
            "R04",
            "大量液气血胸",
            "Large hydro-, pneumo- or haemothorax",
            ("大量气胸", "大量血胸", "大量胸腔积液", "大量液气胸", "大量血气胸"),
        ),
        Rule("R05", "气管支气管异物", "Foreign body of trachea or bronchus"),
        Rule("R06", "急性脑梗死", "Acute cerebral infarction"),
        Rule("R07", "急性脑出血", "Acute cerebral haemorrhage"),
        Rule(
            "R08",
            "急性硬膜外/下出血",
            "Acute epidural or subdural haemorrhage",
            ("硬膜外出血", "硬膜下出血", "硬膜外血肿", "硬膜下血肿"),
        ),
        Rule("R09", "急性蛛网膜下腔出血", "Acute subarachnoid haemorrhage"),
        Rule("R10", "脑疝", "Brain herniation"),
        Rule("R11", "消化道穿孔", "Perforation of the digestive tract"),
        Rule("R12", "腹腔脏器破裂出血", "Rupture and bleeding of an abdominal organ"),
        Rule("R13", "绞窄性肠梗阻", "Strangulated bowel obstruction"),
    ),
)


def _ecg(
    name: str, titles: tuple[str, str], sources: tuple[str, str], values: tuple[str, str, str, str]
) -> Ruleset:
    title, title_en = titles
    source, source_en = sources
    rate, qtc, supraventricular, flutter = values
    return Ruleset(
        id=f"ecg-{name}/1",
        lane=Lane.ECG,
        title=title,
        title_en=title_en,
        source=source,
        source_en=source_en,
        rules=(
            Rule("E01", "长 RR 间期 ≥3.0 s", "RR interval ≥ 3.0 s", ("长 RR 间期",)),
            Rule(
                "E02",
                f"平均心室率 {rate}/min",
                f"Mean ventricular rate {rate}/min",
                ("平均心室率",),
            ),
            Rule(
                "E03",
                "III° 房室阻滞（首次或 <40/min）",
                "Third-degree AV block, new or < 40/min",
                ("III° 房室阻滞", "third-degree AV block"),
            ),
            Rule("E04", f"QT 延长伴 R-on-T，QTc {qtc}", f"Long QT with R-on-T, QTc {qtc}"),
            Rule("E05", "室速 ≥150/min 且 ≥30 s", "VT ≥ 150/min for ≥ 30 s", ("室速",)),
            Rule(
                "E06",
                "尖端扭转型室速、室颤",
                "Torsades de pointes, ventricular fibrillation",
                ("尖端扭转型室速", "室颤", "torsades de pointes", "ventricular fibrillation"),
            ),
            Rule(
                "E07",
                f"室上速 ≥{supraventricular}/min",
                f"Supraventricular tachycardia ≥ {supraventricular}/min",
                ("室上速", "supraventricular tachycardia"),
            ),
            Rule(
                "E08",
                f"房颤/房扑 ≥{flutter}/min",
                f"Atrial fibrillation or flutter ≥ {flutter}/min",
                ("房颤", "房扑", "atrial fibrillation", "atrial flutter"),
            ),
            Rule(
                "E09",
                "房颤伴预激，最短 RR <250 ms",
                "AF with pre-excitation, shortest RR < 250 ms",
                ("房颤伴预激", "AF with pre-excitation"),
            ),
            Rule(
                "E10",
                "ST 段抬高提示急性心肌梗死（肢导/V4–6 ≥0.1 mV，V1–3 >0.3 mV）",
                "ST elevation suggesting acute infarction (limb/V4–6 ≥ 0.1 mV, V1–3 > 0.3 mV)",
                ("急性心肌梗死", "acute infarction"),
            ),
        ),
    )


RULESETS: Final = (
    RADIOLOGY,
    _ecg(
        "zhejiang",
        ("心电危急值（浙江）", "ECG, Zhejiang"),
        ("浙江省取值", "Values of Zhejiang province"),
        ("<35", "≥0.55 s", "230", "180"),
    ),
    _ecg(
        "other",
        ("心电危急值（其他）", "ECG, other provinces"),
        ("其他省份通用取值", "Values common to other provinces"),
        ("≤35", "≥0.55 s", "200", "200"),
    ),
    _ecg(
        "shanxi-2017",
        ("心电危急值（山西 2017）", "ECG, Shanxi 2017"),
        ("山西省 2017 年取值", "Values of Shanxi province, 2017"),
        ("≤35", "≥0.55 s", "180", "180"),
    ),
)


def known_rule(ruleset_id: str, code: str) -> bool:
    """Tell whether a ruleset of this id has a rule of this code."""
    return _rule(ruleset_id, code) is not None


def items_to_read_back(finding: str, ruleset_id: str | None, code: str | None) -> tuple[str, ...]:
    """Return the words of which a read-back has to contain one.

    The first clause of what was told; and, where a rule is cited, its names.
    """
    said = _CLAUSE_END.split(finding.strip(), maxsplit=1)[0].strip() or finding.strip()
    rule = _rule(ruleset_id or "", code or "")
    if rule is None:
        return (said,)
    return tuple(dict.fromkeys((said, rule.name, rule.name_en, *rule.also)))


def is_read_back(text: str, items: Sequence[str]) -> bool:
    """Tell whether a read-back contains one of `items`, whatever its case, width and spaces."""
    said = _plain(text)
    return any(_plain(item) in said for item in items)


def _rule(ruleset_id: str, code: str) -> Rule | None:
    return next(
        (
            rule
            for one in RULESETS
            if one.id == ruleset_id
            for rule in one.rules
            if rule.code == code
        ),
        None,
    )


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())
