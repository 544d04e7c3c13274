"""What counts as critical, in versions that can be cited; provinces differ.

A ruleset is never changed: a change is a new version beside it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One critical value; `code` is unique within its ruleset."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A list of critical values as somebody published it.

    id: what a critical value cites, with the version in it.
    """

    id: str
    title: str
    title_en: str
    rules: tuple[Rule, ...]


RADIOLOGY: Final = Ruleset(
    id="radiology-13/1",
    title="放射影像危急值（13 项）",
    title_en="Radiology critical values (13)",
    rules=(
        Rule("R01", "急性肺栓塞", "Acute pulmonary embolism"),
        Rule("R02", "急性主动脉夹层/动脉瘤破裂", "Acute aortic dissection or ruptured aneurysm"),
        Rule("R03", "心包填塞", "Cardiac tamponade"),
        Rule("R04", "大量液气血胸", "Large hydro-, pneumo- or haemothorax"),
        Rule("R05", "气管支气管异物", "Foreign body of trachea or bronchus"),
        Rule("R06", "急性脑梗死", "Acute cerebral infarction"),
        Rule("R07", "急性脑出血", "Acute cerebral haemorrhage"),
        Rule("R08", "急性硬膜外/下出血", "Acute epidural or subdural haemorrhage"),
        Rule("R09", "急性蛛网膜下腔出血", "Acute subarachnoid haemorrhage"),
        Rule("R10", "脑疝", "Brain herniation"),
        Rule("R11", "消化道穿孔", "Perforation of the digestive tract"),
        Rule("R12", "腹腔脏器破裂出血", "Rupture and bleeding of an abdominal organ"),
        Rule("R13", "绞窄性肠梗阻", "Strangulated bowel obstruction"),
    ),
)


def _ecg(name: str, title: str, title_en: str, values: tuple[str, str, str, str]) -> Ruleset:
    rate, qtc, supraventricular, flutter = values
    return Ruleset(
        id=f"ecg-{name}/1",
        title=title,
        title_en=title_en,
        rules=(
            Rule("E01", "长 RR 间期 ≥3.0 s", "RR interval ≥ 3.0 s"),
            Rule("E02", f"平均心室率 {rate}/min", f"Mean ventricular rate {rate}/min"),
            Rule(
                "E03",
                "III° 房室阻滞（首次或 <40/min）",
                "Third-degree AV block, new or < 40/min",
            ),
            Rule("E04", f"QT 延长伴 R-on-T，QTc {qtc}", f"Long QT with R-on-T, QTc {qtc}"),
            Rule("E05", "室速 ≥150/min 且 ≥30 s", "VT ≥ 150/min for ≥ 30 s"),
            Rule("E06", "尖端扭转型室速、室颤", "Torsades de pointes, ventricular fibrillation"),
            Rule(
                "E07",
                f"室上速 ≥{supraventricular}/min",
                f"Supraventricular tachycardia ≥ {supraventricular}/min",
            ),
            Rule(
                "E08",
                f"房颤/房扑 ≥{flutter}/min",
                f"Atrial fibrillation or flutter ≥ {flutter}/min",
            ),
            Rule(
                "E09",
                "房颤伴预激，最短 RR <250 ms",
                "AF with pre-excitation, shortest RR < 250 ms",
            ),
            Rule(
                "E10",
                "ST 段抬高提示急性心肌梗死（肢导/V4–6 ≥0.1 mV，V1–3 >0.3 mV）",
                "ST elevation suggesting acute infarction (limb/V4–6 ≥ 0.1 mV, V1–3 > 0.3 mV)",
            ),
        ),
    )


RULESETS: Final = (
    RADIOLOGY,
    _ecg("zhejiang", "心电危急值（浙江）", "ECG, Zhejiang", ("<35", "≥0.55 s", "230", "180")),
    _ecg("other", "心电危急值（其他）", "ECG, other provinces", ("≤35", "≥0.55 s", "200", "200")),
    _ecg(
        "shanxi-2017",
        "心电危急值（山西 2017）",
        "ECG, Shanxi 2017",
        ("≤35", "≥0.55 s", "180", "180"),
    ),
)


def known_rule(ruleset_id: str, code: str) -> bool:
    """Tell whether a ruleset of this id has a rule of this code."""
    return any(
        one.id == ruleset_id and any(rule.code == code for rule in one.rules) for one in RULESETS
    )
