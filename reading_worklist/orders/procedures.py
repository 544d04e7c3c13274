"""The procedures that a health centre orders: a list to choose from, nothing that restricts.

Body parts are the defined terms of Body Part Examined (PS3.16 Annex L), by which routing rules
and templates of reports tell exams apart. An order may name any other procedure in free text.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure of a modality.

    code: short and stable, unique over all modalities (VR SH, PS3.5 §6.2).
    paired: whether a side has to be said. contrast: whether it may be made with contrast medium.
    """

    code: str
    modality: str
    name: str
    name_en: str
    body_part: str
    paired: bool = False
    contrast: bool = False


def _ct(code: str, name: str, name_en: str, body_part: str) -> Procedure:
    return Procedure(f"CT-{code}", "CT", name, name_en, body_part, contrast=True)


def _mr(code: str, name: str, name_en: str, body_part: str, *, paired: bool = False) -> Procedure:
    return Procedure(f"MR-{code}", "MR", name, name_en, body_part, paired=paired, contrast=True)


def _dx(code: str, name: str, name_en: str, body_part: str, *, paired: bool = False) -> Procedure:
    return Procedure(f"DX-{code}", "DX", name, name_en, body_part, paired=paired)


def _us(code: str, name: str, name_en: str, body_part: str, *, paired: bool = False) -> Procedure:
    return Procedure(f"US-{code}", "US", name, name_en, body_part, paired=paired)


PROCEDURES: Final = (
    _dx("CHEST", "胸部正位", "Chest PA", "CHEST"),
    _dx("CHEST2", "胸部正侧位", "Chest PA and lateral", "CHEST"),
    _dx("ABDOMEN", "腹部立位平片", "Abdomen, erect", "ABDOMEN"),
    _dx("CSPINE", "颈椎正侧位", "Cervical spine", "CSPINE"),
    _dx("TSPINE", "胸椎正侧位", "Thoracic spine", "TSPINE"),
    _dx("LSPINE", "腰椎正侧位", "Lumbar spine", "LSPINE"),
    _dx("PELVIS", "骨盆正位", "Pelvis", "PELVIS"),
    _dx("SHOULDER", "肩关节正位", "Shoulder", "SHOULDER", paired=True),
    _dx("ELBOW", "肘关节正侧位", "Elbow", "ELBOW", paired=True),
    _dx("WRIST", "腕关节正侧位", "Wrist", "WRIST", paired=True),
    _dx("HAND", "手正斜位", "Hand", "HAND", paired=True),
    _dx("HIP", "髋关节正位", "Hip", "HIP", paired=True),
    _dx("KNEE", "膝关节正侧位", "Knee", "KNEE", paired=True),
    _dx("ANKLE", "踝关节正侧位", "Ankle", "ANKLE", paired=True),
    _dx("FOOT", "足正斜位", "Foot", "FOOT", paired=True),
    _dx("FOREARM", "前臂正侧位", "Forearm", "FOREARM", paired=True),
    _dx("LEG", "小腿正侧位", "Lower leg", "LEG", paired=True),
    _dx("RIB", "肋骨斜位", "Ribs, oblique", "RIB", paired=True),
    _ct("HEAD", "头颅CT", "CT head", "HEAD"),
    _ct("CHEST", "胸部CT", "CT chest", "CHEST"),
    _ct("ABDOMEN", "全腹CT", "CT abdomen and pelvis", "ABDOMEN"),
    _ct("UPPERAB", "上腹部CT", "CT upper abdomen", "ABDOMEN"),
    _ct("PELVIS", "盆腔CT", "CT pelvis", "PELVIS"),
    _ct("URINARY", "泌尿系CT", "CT urinary tract", "KIDNEY"),
    _ct("SINUS", "鼻窦CT", "CT sinuses", "SINUS"),
    _ct("CSPINE", "颈椎CT", "CT cervical spine", "CSPINE"),
    _ct("LSPINE", "腰椎间盘CT", "CT lumbar discs", "LSPINE"),
    Procedure("CT-KNEE", "CT", "膝关节CT", "CT knee", "KNEE", paired=True),
    _mr("HEAD", "头颅MR", "MR head", "HEAD"),
    _mr("CSPINE", "颈椎MR", "MR cervical spine", "CSPINE"),
    _mr("LSPINE", "腰椎MR", "MR lumbar spine", "LSPINE"),
    _mr("KNEE", "膝关节MR", "MR knee", "KNEE", paired=True),
    _mr("SHOULDER", "肩关节MR", "MR shoulder", "SHOULDER", paired=True),
    _mr("ABDOMEN", "上腹部MR", "MR upper abdomen", "ABDOMEN"),
    _mr("PROSTATE", "前列腺MR", "MR prostate", "PROSTATE"),
    _us("ABDOMEN", "腹部超声", "Abdominal ultrasound", "ABDOMEN"),
    _us("URINARY", "泌尿系超声", "Urinary tract ultrasound", "KIDNEY"),
    _us("THYROID", "甲状腺超声", "Thyroid ultrasound", "THYROID"),
    _us("BREAST", "乳腺超声", "Breast ultrasound", "BREAST", paired=True),
    _us("HEART", "心脏超声", "Echocardiography", "HEART"),
    _us("OBSTETRIC", "产科超声", "Obstetric ultrasound", "UTERUS"),
    _us("PELVIS", "盆腔超声", "Pelvic ultrasound", "PELVIS"),
    _us("CAROTID", "颈动脉超声", "Carotid ultrasound", "CAROTID", paired=True),
    Procedure("MG-BREAST", "MG", "乳腺钼靶", "Mammography", "BREAST", paired=True),
    Procedure("ECG-12", "ECG", "12导联心电图", "12-lead ECG", "HEART"),
    Procedure("ECG-18", "ECG", "18导联心电图", "18-lead ECG", "HEART"),
)
"""By modality, the usual ones first."""
