"""What the sentences of reports say: sides, and whether a lesion is there."""

import pytest

from reading_worklist.reports.checks.sentences import read

THERE, NOT, OPEN = "affirmed", "negated", "uncertain"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Chinese: what follows 未见 or 无, with 、及或, up to the comma
        ("右肺上叶尖段见一实性结节，直径约 14 mm。", [("nodule", "lung", "R", THERE)]),
        ("双肺未见结节及肿块。", [("nodule", "lung", "B", NOT), ("mass", "lung", "B", NOT)]),
        (
            "所示诸骨未见明确骨折、脱位征象。",
            [("fracture", "", "", NOT), ("dislocation", "", "", NOT)],
        ),
        ("未见骨折，关节腔见积液。", [("fracture", "", "", NOT), ("effusion", "", "", THERE)]),
        # Without a word of its own the next clause may go on denying.
        ("未见骨折，脱位。", [("fracture", "", "", NOT), ("dislocation", "", "", OPEN)]),
        ("左侧胸腔无积液。", [("effusion", "pleura", "L", NOT)]),
        ("左侧胸腔积液消失。", [("effusion", "pleura", "L", NOT)]),
        ("骨折未见。", [("fracture", "", "", NOT)]),
        ("结石（-）。", [("stone", "", "", NOT)]),
        # 无 and 未见 that deny a change, or nothing at all
        ("右肺结节较前未见明显变化。", [("nodule", "lung", "R", THERE)]),
        ("无明显变化的左肾囊肿。", [("cyst", "kidney", "L", THERE)]),
        ("右肾无回声囊肿。", [("cyst", "kidney", "R", THERE)]),
        ("左肺结节未见明显强化。", [("nodule", "lung", "L", THERE)]),
        ("左侧股骨头无菌性坏死，未见骨折。", [("fracture", "hip", "L", NOT)]),
        # hedged
        ("右肺炎不除外。", [("pneumonia", "lung", "R", OPEN)]),
        ("考虑左肾结石可能。", [("stone", "kidney", "L", OPEN)]),
        ("建议进一步检查除外骨折。", [("fracture", "", "", OPEN)]),
        # sides
        ("两肺见结节。", [("nodule", "lung", "B", THERE)]),
        ("右侧第 3 前肋骨折。", [("fracture", "rib", "R", THERE)]),
        (
            "肝右叶囊肿，左肾结石。",
            [("cyst", "liver_lobe", "R", THERE), ("stone", "kidney", "L", THERE)],
        ),
        ("心影左右径增大，左侧胸腔积液。", [("effusion", "pleura", "L", THERE)]),
        ("左膝半月板撕裂。", [("tear", "knee", "L", THERE)]),
        ("右侧额叶见血肿。", [("haemorrhage", "brain", "R", THERE)]),
        # English
        ("There is a 5 mm nodule in the right upper lobe.", [("nodule", "lung", "R", THERE)]),
        (
            "No evidence of fracture or dislocation.",
            [("fracture", "", "", NOT), ("dislocation", "", "", NOT)],
        ),
        (
            "No fracture, dislocation, or effusion.",
            [("fracture", "", "", NOT), ("dislocation", "", "", NOT), ("effusion", "", "", NOT)],
        ),
        (
            "No pneumothorax, small left pleural effusion.",
            [("pneumothorax", "", "", NOT), ("effusion", "pleura", "L", OPEN)],
        ),
        (
            "No fracture; there is a left knee effusion.",
            [("fracture", "", "", NOT), ("effusion", "knee", "L", THERE)],
        ),
        ("Pulmonary embolism is not seen.", [("embolism", "lung", "", NOT)]),
        ("The effusion has resolved.", [("effusion", "", "", NOT)]),
        ("No significant change in the right lung nodule.", [("nodule", "lung", "R", THERE)]),
        ("Pneumonia cannot be excluded.", [("pneumonia", "", "", OPEN)]),
        ("Possible left renal calculus.", [("stone", "kidney", "L", OPEN)]),
        ("Bilateral renal cysts.", [("cyst", "kidney", "B", THERE)]),
        ("Recommend CT to exclude fracture.", [("fracture", "", "", OPEN)]),
        ("The lungs are clear without consolidation.", [("pneumonia", "lung", "", NOT)]),
        ("RUL nodule measuring 1.2 cm.", [("nodule", "lung", "R", THERE)]),
    ],
)
def test_a_sentence_says_which_lesion_where_and_whether(
    text: str, expected: list[tuple[str, str, str, str]]
) -> None:
    assert [
        (one.lesion, one.organ.name if one.organ else "", one.side, one.polarity)
        for one in read(text).lesions
    ] == expected
