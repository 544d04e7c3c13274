"""Sentences of reports and what the checks find in them: what is wrong, and what only looks so."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading_worklist.reports.checks.engine import FINDINGS_MAX, check
from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    ExamFacts,
    Examined,
    Finding,
    Severity,
    Source,
)
from reading_worklist.reports.checks.normality import says_normal

BLOCK, WARN = Severity.BLOCK, Severity.WARN
C = Code
MAN = ExamFacts(names=("张伟", "Zhang Wei"), sex="M", age_years=62.0)
WOMAN = ExamFacts(names=("李娜", "Li Na"), sex="F", age_years=41.5)
NOBODY = ExamFacts()
ECG = ExamFacts(is_ecg=True)


def of(*regions: str, side: str = "", by: Source = Source.ORDER, sex: str = "") -> ExamFacts:
    """An exam of these regions and this side."""
    return ExamFacts(
        sex=sex,
        examined=Examined(frozenset(regions), by, side, by),
    )


def found(findings: str, impression: str, exam: ExamFacts) -> set[tuple[Code, Severity]]:
    """Every kind of finding and how severe, without what is missing."""
    report = CheckedReport(findings or "。", impression or "。")
    return {
        (one.code, one.severity)
        for one in check(report, exam)
        if one.code not in {Code.MISSING_TEXT, Code.MISSING_CODE}
    }


LEFTOVERS = [
    ("结节大小约 {大小 mm}。", {(C.PLACEHOLDER, BLOCK)}),
    ("右肺上叶见____结节。", {(C.PLACEHOLDER, BLOCK)}),
    ("结节直径约 XX mm。", {(C.PLACEHOLDER, BLOCK)}),
    ("子宫大小约 ××× cm。", {(C.PLACEHOLDER, BLOCK)}),
    ("直径约***mm。", {(C.PLACEHOLDER, BLOCK)}),
    ("□肺炎 肺结核。", {(C.PLACEHOLDER, BLOCK)}),
    ("A nodule of <insert size> is seen.", {(C.PLACEHOLDER, BLOCK)}),
    ("The nodule measures xx mm.", {(C.PLACEHOLDER, BLOCK)}),
    ("胸腔有/无积液。", {(C.OPEN_CHOICE, WARN)}),
    ("请填写侧别。", {(C.OPEN_CHOICE, WARN)}),
    ("Right/left pleural effusion.", {(C.OPEN_CHOICE, WARN)}),
    # not leftovers
    ("T2/FLAIR 信号增高。", set()),
    ("左/右心室比例正常。", set()),
    ("L4/5 椎间盘突出。", set()),
    ("Fazekas 1 级。X 线片示骨质完整。", set()),
    ("XXL", set()),
    ("病灶 3×4 mm。", set()),
    ("【影像所见】双肺清晰。", set()),
    ("- item one\n- item two", set()),
]

PATIENT = [
    ("患者姓名：王强。", MAN, {(C.WRONG_NAME, BLOCK)}),
    ("姓名:张伟,胸部平扫。", MAN, set()),
    ("患者王强，男，62岁。", MAN, {(C.WRONG_NAME, BLOCK)}),
    ("患者张伟，男，62岁。", MAN, set()),
    ("患者老年男性。", MAN, set()),
    ("Patient name: Wei Zhang.", MAN, set()),
    ("Patient name: John Smith.", MAN, {(C.WRONG_NAME, BLOCK)}),
    ("患者，女，62岁。", MAN, {(C.WRONG_SEX, BLOCK)}),
    ("女性患者，双肺清晰。", MAN, {(C.WRONG_SEX, BLOCK)}),
    ("性别：男。", WOMAN, {(C.WRONG_SEX, BLOCK)}),
    ("A 41-year-old male with cough.", WOMAN, {(C.WRONG_SEX, BLOCK)}),
    ("A 41-year-old woman with cough.", WOMAN, set()),
    ("The female patient was scanned supine.", MAN, {(C.WRONG_SEX, BLOCK)}),
    ("男，35岁。", MAN, {(C.WRONG_AGE, BLOCK)}),
    ("男，58岁。", MAN, {(C.WRONG_AGE, WARN)}),
    ("男，63岁。", MAN, set()),
    ("年龄：40。", WOMAN, set()),
    ("A 30-year-old woman.", WOMAN, {(C.WRONG_AGE, BLOCK)}),
    # what is no statement about the patient
    ("10岁时曾有骨折史。", MAN, set()),
    ("请结合妇科、男科检查。", MAN, set()),
    ("患者不能配合。", MAN, set()),
    ("患者女，王强。", NOBODY, set()),
]

ANATOMY = [
    ("子宫大小、形态正常。", MAN, {(C.OTHER_SEX_ORGAN, BLOCK)}),
    ("子宫见一肌瘤。", MAN, {(C.OTHER_SEX_ORGAN, WARN)}),
    ("前列腺不大，信号均匀。", WOMAN, {(C.OTHER_SEX_ORGAN, BLOCK)}),
    ("The prostate is unremarkable.", WOMAN, {(C.OTHER_SEX_ORGAN, BLOCK)}),
    ("The uterus and ovaries are normal.", MAN, {(C.OTHER_SEX_ORGAN, BLOCK)}),
    ("前列腺不大。", MAN, set()),
    ("椎体及附件骨质完整。", MAN, set()),
    ("未见子宫。", MAN, set()),
    # another body part
    ("双肺纹理清晰，心影不大。", of("knee"), {(C.WRONG_ORGAN, BLOCK)}),
    ("双肺纹理清晰，心影不大。", of("knee", by=Source.HEADER), {(C.WRONG_ORGAN, WARN)}),
    ("半月板形态完整。双肺清晰。", of("knee"), {(C.WRONG_ORGAN, WARN)}),
    ("The liver is normal.", of("head"), {(C.WRONG_ORGAN, BLOCK)}),
    ("肝脏、脾脏形态正常，双侧肾上腺未见增粗。", of("chest"), set()),
    ("盆腔未见积液，所示腰椎骨质增生。", of("abdomen"), set()),
    ("半月板前角信号增高。", of("knee"), set()),
    ("手术后改变，信号不足。", of("head"), set()),
    ("脑实质未见异常密度影，上颌窦清晰。", of("head"), set()),
    ("胫骨平台骨髓水肿。", of("knee"), set()),
    # another side
    ("右膝关节间隙正常。", of("knee", side="L"), {(C.WRONG_SIDE, BLOCK)}),
    ("右膝关节间隙正常。", of("knee", side="L", by=Source.HEADER), {(C.WRONG_SIDE, WARN)}),
    ("左膝关节间隙正常，右膝关节积液。", of("knee", side="L"), {(C.WRONG_SIDE, WARN)}),
    ("Fracture of the right wrist.", of("wrist", side="L"), {(C.WRONG_SIDE, BLOCK)}),
    ("左膝关节间隙较右膝变窄。", of("knee", side="L"), set()),
    ("左膝关节间隙正常。", of("knee", side="L"), set()),
    ("膝关节间隙正常。", of("knee", side="L"), set()),
    ("双膝关节间隙正常。", of("knee", side="L"), set()),
    ("Left wrist: no fracture, compared with the right wrist.", of("wrist", side="L"), set()),
    # absent and normal
    ("胆囊缺如。胆囊大小、形态正常。", NOBODY, {(C.ABSENT_NORMAL, BLOCK)}),
    ("胆囊已切除，胆囊壁光滑。", NOBODY, {(C.ABSENT_NORMAL, BLOCK)}),
    (
        "Status post cholecystectomy. The gallbladder is unremarkable.",
        NOBODY,
        {(C.ABSENT_NORMAL, BLOCK)},
    ),
    ("子宫切除术后。子宫形态正常。", WOMAN, {(C.ABSENT_NORMAL, BLOCK)}),
    ("左肾切除术后，左肾窝未见异常。右肾形态正常。", NOBODY, set()),
    ("左肾缺如。双肾形态、大小正常。", NOBODY, {(C.ABSENT_NORMAL, BLOCK)}),
    ("胆囊切除术后改变，胆囊窝未见异常，胆总管无扩张。", NOBODY, set()),
    ("胆囊缺如，肝脏形态正常。", NOBODY, set()),
    ("右肾部分切除术后，右肾形态正常。", NOBODY, set()),
    ("Partial left nephrectomy. The left kidney is otherwise normal.", NOBODY, set()),
    ("脾切除术后，副脾形态正常。", NOBODY, set()),
    (
        "胆囊大小、形态正常。",
        ExamFacts(history="胆囊切除术后 3 年"),
        {(C.ABSENT_NORMAL, WARN)},
    ),
    ("胆囊大小、形态正常。", ExamFacts(history="胆囊结石 3 年"), set()),
]

CONTRADICTIONS = [
    # side
    ("右肺上叶见结节。", "左肺上叶结节。", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("右肺上叶见结节。", "考虑左肺上叶结节。", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("左侧第 5 肋骨骨折。", "右侧第 5 肋骨骨折。", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("Left renal calculus.", "Right renal calculus.", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("右肾见囊肿。", "左肾结石。", {(C.SIDE_CONTRADICTS, WARN)}),
    ("右肾见囊肿。", "双肾囊肿。", {(C.SIDE_CONTRADICTS, WARN)}),
    ("右肺上叶见结节。", "右肺上叶结节。", set()),
    ("双肺见多发结节。", "左肺结节。", set()),
    ("右肺结节。左肺结节。", "双肺结节。", set()),
    ("右肺见结节，左肺见结节。", "左肺结节，右肺结节。", set()),
    ("肝右叶囊肿。", "肝左叶囊肿。", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("右肺上叶结节。左肾结石。", "左肾结石，右肺结节。", set()),
    ("RUL nodule, 6 mm.", "LUL nodule.", {(C.SIDE_CONTRADICTS, BLOCK)}),
    ("左侧胸腔积液。", "未见右侧胸腔积液。", set()),
    # there, and not there
    ("左侧肋骨未见骨折。", "左侧肋骨骨折。", {(C.POLARITY_CONTRADICTS, BLOCK)}),
    ("所示诸骨未见骨折。", "左侧肋骨骨折。", {(C.POLARITY_CONTRADICTS, WARN)}),
    ("右肺见结节。", "右肺未见结节。", {(C.POLARITY_CONTRADICTS, BLOCK)}),
    ("右肺见结节。", "未见明显结节。", {(C.POLARITY_CONTRADICTS, WARN)}),
    ("No pleural effusion.", "Pleural effusion.", {(C.POLARITY_CONTRADICTS, BLOCK)}),
    (
        "There is a right pleural effusion.",
        "No right pleural effusion.",
        {(C.POLARITY_CONTRADICTS, BLOCK)},
    ),
    ("右肺见结节。", "左肺未见结节。", set()),
    ("未见骨折，右膝关节积液。", "右膝关节积液。", set()),
    ("未见明显骨折。", "骨折不除外。", set()),
    ("陈旧性肋骨骨折。", "未见新发肋骨骨折。", set()),
    ("右肺结节较前未见明显变化。", "右肺结节，同前。", set()),
    ("左肾结石。", "未见膀胱结石。", set()),
    ("左侧股骨头无菌性坏死。", "左侧股骨头无菌性坏死。", set()),
    ("未见骨折。", "建议 CT 除外骨折。", set()),
    # nothing abnormal
    ("左侧桡骨远端骨折。", "未见异常。", {(C.NORMAL_CONTRADICTS, BLOCK)}),
    ("Acute infarct in the left frontal lobe.", "Normal study.", {(C.NORMAL_CONTRADICTS, BLOCK)}),
    ("右肺小结节，直径约 3 mm。", "未见明显异常。", {(C.NORMAL_CONTRADICTS, WARN)}),
    ("左侧肋骨陈旧性骨折。", "未见异常。", set()),
    ("双肺清晰，未见结节及肿块。", "心肺膈未见异常。", set()),
    ("No fracture or dislocation.", "No acute abnormality.", set()),
    ("左侧桡骨远端骨折。", "左侧桡骨远端骨折，其余未见异常。", set()),
]

NUMBERS = [
    ("结节直径约 14 cm。", NOBODY, {(C.UNIT, WARN)}),
    ("A nodule of 4.5 cm.", NOBODY, {(C.UNIT, WARN)}),
    ("肿块大小约 450 mm。", NOBODY, {(C.NUMBER, WARN)}),
    ("长约 3000 cm。", NOBODY, {(C.NUMBER, BLOCK)}),
    ("大小 3 mm×4 cm。", NOBODY, {(C.UNIT, WARN)}),
    ("CT 值约 35000 HU。", NOBODY, {(C.NUMBER, BLOCK)}),
    ("CT 值约 -2000HU。", NOBODY, {(C.NUMBER, BLOCK)}),
    ("管腔狭窄约 150%。", NOBODY, {(C.NUMBER, BLOCK)}),
    ("结节直径约 14 mm，CT 值约 -850 HU。", NOBODY, set()),
    ("结节大小 1.2×0.8 cm。", NOBODY, set()),
    ("肝右叶肿块，约 12.5×10 cm。", NOBODY, set()),
    ("狭窄约 50%。", NOBODY, set()),
    ("层厚 5 mm，FOV 350×350 mm。", NOBODY, set()),
    ("心率 75 次/分，PR 间期 160 ms，QRS 90 ms，QT/QTc 380/420 ms。", ECG, set()),
    ("心率 750 次/分。", ECG, {(C.NUMBER, BLOCK)}),
    ("QTc 间期 42 ms。", ECG, {(C.NUMBER, BLOCK)}),
    ("QTc interval 0.42 s.", ECG, set()),
    ("PR 间期 160 s。", ECG, {(C.NUMBER, BLOCK)}),
    ("QRS 280 ms.", ECG, {(C.NUMBER, WARN)}),
]


@pytest.mark.parametrize(("text", "expected"), LEFTOVERS)
def test_leftovers_of_a_template(text: str, expected: set[tuple[Code, Severity]]) -> None:
    assert found(text, "", NOBODY) == expected


@pytest.mark.parametrize(("text", "exam", "expected"), PATIENT)
def test_another_patient(text: str, exam: ExamFacts, expected: set[tuple[Code, Severity]]) -> None:
    assert found(text, "", exam) == expected


@pytest.mark.parametrize(("text", "exam", "expected"), ANATOMY)
def test_what_this_exam_cannot_show(
    text: str, exam: ExamFacts, expected: set[tuple[Code, Severity]]
) -> None:
    assert found(text, "", exam) == expected


@pytest.mark.parametrize(("findings", "impression", "expected"), CONTRADICTIONS)
def test_an_impression_against_its_findings(
    findings: str, impression: str, expected: set[tuple[Code, Severity]]
) -> None:
    assert found(findings, impression, NOBODY) == expected


@pytest.mark.parametrize(("text", "exam", "expected"), NUMBERS)
def test_numbers_that_cannot_be(
    text: str, exam: ExamFacts, expected: set[tuple[Code, Severity]]
) -> None:
    assert found(text, "", exam) == expected


@pytest.mark.parametrize(
    ("impression", "codes", "expected"),
    [
        ("双乳 BI-RADS 2 类。", {"bi_rads": "4A"}, {(C.CODE_CONTRADICTS, BLOCK)}),
        ("左乳 BI-RADS 4a 类，右乳 BI-RADS 2 类。", {"bi_rads": "4A"}, set()),
        ("BI-RADS category 3.", {"bi_rads": "3"}, set()),
        ("PI-RADS v2.1 评分：4 分。", {"pi_rads": "4"}, set()),
        ("PI-RADS 3", {"pi_rads": "5"}, {(C.CODE_CONTRADICTS, BLOCK)}),
        ("未见明显异常。", {"result": "positive"}, {(C.CODE_CONTRADICTS, WARN)}),
        ("右肺结节。", {"result": "positive"}, set()),
        (
            "正常心电图。",
            {"ecg_class": "abnormal"},
            {(C.CODE_CONTRADICTS, BLOCK), (C.CODE_CONTRADICTS, WARN)},
        ),
        ("大致正常心电图。", {"ecg_class": "borderline"}, set()),
        ("异常心电图：房颤。", {"ecg_class": "suspicious"}, set()),
    ],
)
def test_a_code_against_the_words(
    impression: str, codes: Mapping[str, str], expected: set[tuple[Code, Severity]]
) -> None:
    report = CheckedReport("。", impression, "", codes)
    assert {(one.code, one.severity) for one in check(report, NOBODY)} == expected


def test_what_is_missing_blocks_and_comes_first() -> None:
    exam = ExamFacts(required_codes=("bi_rads",))
    findings = check(CheckedReport("右肺 [  ]", ""), exam)
    assert [(one.code, one.severity, one.part, one.expected) for one in findings] == [
        (C.MISSING_CODE, BLOCK, None, "bi_rads"),
        (C.MISSING_TEXT, BLOCK, "impression", ""),
        (C.OPEN_CHOICE, WARN, "findings", ""),
    ]
    assert check(CheckedReport("", "窦性心律"), ECG) == ()


def test_a_finding_stands_where_the_words_stand() -> None:
    text = "𠮷 双肺清晰。结节约 {大小 mm}。"
    (one,) = check(CheckedReport(text, "。。"), NOBODY)
    assert text[one.start : one.end] == one.excerpt == "{大小 mm}"


def test_a_reason_stays_with_the_words_when_they_move() -> None:
    def key(text: str) -> str:
        (one,) = check(CheckedReport(text, "。。"), NOBODY)
        return one.key

    assert key("请填写侧别。") == key("双肺清晰。请填写侧别。")
    assert key("请填写侧别。") != key("请选择侧别。")


@pytest.mark.parametrize(
    ("impression", "normal"),
    [
        ("未见明显异常。", True),
        ("心肺膈未见异常。", True),
        ("正常心电图。", True),
        ("胸部 CT 平扫未见确切病变。", True),
        ("Normal chest radiograph.", True),
        ("No acute cardiopulmonary disease.", True),
        ("右肺结节，余未见异常。", False),
        ("异常心电图。", False),
        ("Abnormal ECG.", False),
        ("No acute abnormality; right renal calculus.", False),
        ("", False),
    ],
)
def test_an_impression_says_that_nothing_is_wrong(*, impression: str, normal: bool) -> None:
    assert says_normal(impression) is normal


WORDS = st.sampled_from(
    [
        *(
            "左",
            "右",
            "双",
            "肺",
            "肾",
            "胆囊",
            "未见",
            "无",
            "结节",
            "骨折",
            "正常",
            "缺如",
            "切除",
        ),
        *("，", "。", "、", "不除外", "较前", "建议", "女", "岁", "患者", "姓名：", "\n", "𠮷"),
        *("no ", "left ", "right ", "lung ", "kidney ", "nodule ", "normal ", "fracture ", ". "),
        *(", ", "{", "}", "__", "14", " cm", " mm", "×", "BI-RADS"),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=60).map("".join))


@given(TEXTS, TEXTS, TEXTS, st.sampled_from([MAN, WOMAN, NOBODY, ECG, of("knee", side="L")]))
def test_any_text_is_checked(findings: str, impression: str, advice: str, exam: ExamFacts) -> None:
    texts = {"findings": findings, "impression": impression, "advice": advice}
    for one in check(CheckedReport(findings, impression, advice), exam):
        assert isinstance(one, Finding)
        if one.part is not None:
            assert 0 <= one.start <= one.end <= len(texts[one.part])


@pytest.mark.parametrize(
    "unit",
    [
        "右肺上叶见结节，直径约 14 mm。",
        "左肾结石右肺结节",
        "no nodule in the left lung or ",
        "双侧附件区未见异常 ",
        "未见、",
        "{",
        "(  ",
        "1",
        "1 x ",
        "姓名：张",
        "-",
        "no significant ",
        "狭窄",
        " ",
    ],
)
def test_a_long_text_takes_time_in_proportion(unit: str) -> None:
    """Eight times the text takes about eight times as long; a square would take 64 times."""

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        report = CheckedReport(text, text)
        before = time.process_time()
        findings = check(report, MAN)
        assert len(findings) <= FINDINGS_MAX
        return time.process_time() - before

    seconds(1_000)
    # The least of three: what else the machine does makes none of them faster.
    small = max(min(seconds(12_500) for _ in range(3)), 0.01)
    assert any(seconds(100_000) < 25 * small for _ in range(3))
