"""What stands in the viewer's place when there is nothing to view: a page, not an API's answer."""

import html
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.dicomweb.queries import Root, find_study
from reading_worklist.dicomweb.requests import study_uid
from reading_worklist.priors.grants import granted
from reading_worklist.problems import Problem, not_found
from storage.identifiers import InvalidIdentifier

# Chinese for what the API says in English; by the problem's code.
_CHINESE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "not-found": (
            "没有可显示的图像",
            "该检查不存在、已移除，或您无权查看。请回到列表重新打开。",
        ),
        "ambiguous-study": ("多个机构有此检查", "请从列表打开，系统会带上送检机构。"),
        "forbidden": ("您的角色不能查看图像", "如需阅片，请联系医共体管理员。"),
        "viewer-not-installed": ("服务器上没有安装阅片器", "请联系系统管理员安装阅片器。"),
    }
)
_MISSING_ENGLISH: Final = (
    "There are no images to show",
    "The exam does not exist, was removed, or you may not see it. Open it again from the list.",
)
_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 24px;
  box-sizing: border-box; font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif;
  text-align: center; background: #05080a; color: #e6edf3; }}
h1 {{ margin: 0 0 6px; font-size: 20px; }}
p {{ margin: 0 auto; max-width: 34em; }}
p[lang] {{ margin-top: 18px; color: #9fb0bf; font-size: 14px; }}
</style></head>
<body><main role="alert"><h1>{title}</h1><p>{remedy}</p>
<p lang="{other}">{also}</p></main></body></html>
"""
_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
)


def require_studies(session: Session, scope: Scope, query: str) -> None:
    """Pass when the caller sees every study that the viewer's address names.

    query: the viewer's own: StudyInstanceUIDs, separated by commas, with `site` or `reading`.

    Raises:
        Problem: 404 when one is not there for him, 409 when several sites have it.
    """
    asked = parse_qs(query)
    sites, readings = asked.get("site", [None]), asked.get("reading", [None])
    try:
        uids = [
            study_uid(uid)
            for group in asked.get("StudyInstanceUIDs", [])
            for uid in group.split(",")
        ]
        reading = None if readings[0] is None else granted(session, scope, UUID(readings[0]))
    except (InvalidIdentifier, ValueError):
        raise not_found("The study") from None
    root = Root(scope, None if reading else sites[0], reading)
    for uid in uids:
        find_study(session, root, uid)


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks in order to show the answer to a person."""
    return "text/html" in request.headers.get("accept", "")


def notice(request: Request, problem: Problem) -> HTMLResponse:
    """Return a problem as a page in both languages, as dark as the viewer in whose place it is.

    The UI keeps its language in the browser alone; the one that the viewer was told comes first.
    """
    english = _MISSING_ENGLISH if problem.status == HTTPStatus.NOT_FOUND else None
    words = english or (problem.what, problem.remedy or "")
    both = {"zh-CN": _CHINESE.get(problem.code, words), "en": words}
    first, other = ("zh-CN", "en") if _prefers_chinese(request) else ("en", "zh-CN")
    page = _PAGE.format(
        language=first,
        title=html.escape(both[first][0]),
        remedy=html.escape(both[first][1]),
        other=other,
        also=html.escape(" · ".join(both[other])),
    )
    return HTMLResponse(page, problem.status, headers=dict(_HEADERS))


def _prefers_chinese(request: Request) -> bool:
    """Tell the language: what the viewer was last told, else the browser's; Chinese for others."""
    chosen = request.cookies.get("i18next") or request.headers.get("accept-language", "")
    return not chosen.lower().startswith("en")
