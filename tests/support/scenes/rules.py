"""Rules, groups, a week of the roster, the calendar, due times and agreements."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx

from storage.clock import utc_now
from storage.orders import procedures
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

ZONE = ZoneInfo("Asia/Shanghai")
GROUPS = (
    ("neuro", "神经组", "Neuro", "imaging"),
    ("chest", "胸组", "Chest", "imaging"),
    ("cardiac", "心电疑难组", "Complex ECGs", "ecg"),
)
RULES: tuple[dict[str, Any], ...] = (
    {
        "name": "东河夜间急诊 CT",
        "when": {
            "sites": ["EAST"],
            "modalities": ["CT"],
            "priorities": ["STAT"],
            "windows": [{"begins": "22:00", "ends": "08:00"}],
        },
        "then": {"lane": "imaging", "group": "neuro", "priority": "STAT", "clock": "head_ct"},
    },
    {
        "name": "头颅 CT 交神经组",
        "when": {"modalities": ["CT"], "body_parts": ["HEAD", "头", "颅"]},
        "then": {"group": "neuro", "clock": "head_ct", "assign": True},
    },
    {
        "name": "胸部检查",
        "when": {"modalities": ["CT", "DX"], "body_parts": ["CHEST", "胸"]},
        "then": {"group": "chest"},
    },
    {
        "name": "非工作时间的住院检查",
        "when": {"visit_types": ["inpatient"], "working": False},
        "then": {"priority": "ROUTINE", "clock": "inpatient_ct_mr"},
        "enabled": False,
    },
)


def fill(scene: "Scene", /) -> Mapping[str, str]:
    """Set up routing as a consortium has it after its first weeks."""
    with scene.database.transaction() as session:
        procedures.take_over(session, scene.consortium.root.id)
    admin = Browser(scene.app, "admin")
    people = {login: str(one.id) for login, one in scene.consortium.people.items()}
    for code, name, name_en, lane in GROUPS:
        members = [people["writer"], people["reviewer"]] if code == "neuro" else []
        limit = 12 if code == "neuro" else None
        body = {"name": name, "name_en": name_en, "lane": lane}
        _done(admin.put(f"/api/reading-groups/{code}", **body, members=members, open_limit=limit))
    first = [RULES[2]]
    for reason, rules, based_on in (
        ("启用分诊", first, None),
        ("卒中中心要求：头颅 CT 由神经组先看", [RULES[1], RULES[2], RULES[3]], 1),
    ):
        _done(admin.post("/api/routing/publish", rules=rules, reason=reason, based_on=based_on))
    for site, modality, until in (("EAST", "CT", None), ("EAST", "ECG", "2027-06-30")):
        mark = {"site_code": site, "modality": modality, "basis": "省质控中心〔2026〕17 号"}
        _done(
            admin.post("/api/recognition-marks", **mark, valid_from="2026-01-01", valid_until=until)
        )
    _roster(admin, people)
    today = utc_now().astimezone(ZONE).date()
    _done(admin.put(f"/api/working-time/days/{today.year}-12-25", working=False, reason="全院培训"))
    clock = {"due_minutes": 90, "claim_minutes": 20, "warn_minutes": 15}
    _done(admin.put("/api/clocks/x_ray/ROUTINE", **clock))
    _done(admin.put("/api/clocks/ct_mr/ROUTINE", **clock | {"due_minutes": 180}, site="EAST"))
    for provider, client, first_day, last_day, document in (
        ("county", "county", today - timedelta(days=200), None, "医共体章程第十二条"),
        ("EAST", "WEST", today - timedelta(days=400), today - timedelta(days=35), "协议 2025-17"),
    ):
        _done(
            admin.post(
                "/api/agreements",
                service="priors",
                provider=provider,
                client=client,
                valid_from=str(first_day),
                valid_until=str(last_day) if last_day else None,
                document=document,
            )
        )
    return {}


def _roster(admin: Browser, people: dict[str, str]) -> None:
    now = utc_now().astimezone(ZONE)
    monday = now.date() - timedelta(days=now.weekday())
    for number in range(7):
        day = monday + timedelta(days=number)
        for login, lane, group, hours in (
            ("writer", "imaging", None, (8, 18)),
            ("reviewer", "imaging", "neuro", (8, 18)),
            ("writer2", "imaging", None, (18, 32)),
            ("reviewer2", "ecg", None, (8, 32)),
        ):
            if (login == "writer2" and number in {2, 5}) or (login == "reviewer2" and number == 6):
                continue
            begins = datetime.combine(day, time(), ZONE)
            _done(
                admin.post(
                    "/api/roster",
                    person_id=people[login],
                    lane=lane,
                    group=group,
                    starts_at=(begins + timedelta(hours=hours[0])).isoformat(),
                    ends_at=(begins + timedelta(hours=hours[1])).isoformat(),
                )
            )


def _done(answer: httpx.Response) -> None:
    assert answer.status_code in {200, 201}, answer.text
