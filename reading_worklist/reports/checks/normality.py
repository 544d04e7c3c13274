"""Whether an impression says that nothing is wrong."""

import re
from typing import Final

from reading_worklist.reports.checks.lexicon import plain
from reading_worklist.reports.checks.sentences import Polarity, read

_NORMAL: Final = re.compile(
    r"未见(?:明显|明确|确切|显著|急性)?(?:的)?(?:异常|病变|器质性病变|活动性病变)|无(?:明显)?异常"
    r"|正常(?:心电图|范围|所见|胸片|ecg)?|心肺膈?未见异常"
    r"|(?<![a-z])(?:no (?:acute |significant |focal |radiographic |intracranial |cardiopulmonary )*"
    r"(?:abnormalit(?:y|ies)|disease|findings?|pathology)|(?:normal|unremarkable)(?: \w+){0,3}"
    r"(?: examination| study| exam)?)(?![a-z])"
)
_NOT: Final = re.compile(
    r"不正常|异常(?!改变未见)(?<!未见异常)(?<!无异常)|(?<![a-z])(?:abnormal|not normal)(?![a-z])"
)


def says_normal(impression: str) -> bool:
    """Tell whether an impression says that nothing is wrong, and names nothing that is."""
    told = plain(impression)
    if not _NORMAL.search(told):
        return False
    rest = _NORMAL.sub(" ", told)
    if _NOT.search(rest):
        return False
    return all(one.polarity is Polarity.NEGATED for one in read(impression).lesions)
