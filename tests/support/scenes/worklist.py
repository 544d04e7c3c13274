"""What the pictures need beside the readings: people on duty, a group, kept views."""

from datetime import timedelta
from typing import TYPE_CHECKING

from storage.clock import utc_now
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene


def fill(scene: "Scene", /) -> dict[str, str]:
    """Put two doctors on duty, keep views of which one is shared, and name a group."""
    people = scene.consortium.people
    head, reviewer = Browser(scene.app, "admin"), Browser(scene.app, "reviewer")
    group = {
        "name": "胸部组",
        "name_en": "Chest",
        "lane": "imaging",
        "members": [str(people["writer"].id), str(people["reviewer"].id)],
    }
    made = head.put("/api/reading-groups/chest", **group)
    assert made.status_code == 200, made.text
    now = utc_now()
    for login, lane, of_group in (("writer2", "ecg", None), ("reviewer", "imaging", "chest")):
        added = head.post(
            "/api/roster",
            person_id=str(people[login].id),
            lane=lane,
            group=of_group,
            starts_at=(now - timedelta(hours=2)).isoformat(),
            ends_at=(now + timedelta(hours=6)).isoformat(),
        )
        assert added.status_code == 201, added.text
    waiting = ["QUEUED", "RETURNED"]
    for name, wanted, shared in (
        ("胸部 CT 待写", {"state": waiting, "lane": "imaging", "modality": ["CT"]}, True),
        ("今日急诊", {"state": waiting, "priority": ["STAT"], "days": 1}, False),
    ):
        kept = reviewer.post("/api/worklist/views", name=name, filter=wanted, shared=shared)
        assert kept.status_code == 201, kept.text
    return {}
