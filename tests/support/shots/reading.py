"""The reading page in every state of a reading."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot, doubt


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    item = places.workitems
    return [
        Shot("reading-write", "writer", f"/exams/{item['DH20261121']}"),
        Shot("reading-status", "writer", f"/exams/{item['E1003']}"),
        Shot("reading-review", "reviewer", f"/exams/{item['W2001']}"),
        Shot("reading-returned", "writer", f"/exams/{item['W2002']}"),
        Shot("reading-signed", "reviewer", f"/exams/{item['E1006']}"),
        Shot("reading-corrected", "writer", f"/exams/{item['E1007']}"),
        Shot("reading-held", "dispatcher", f"/exams/{item['E1002']}"),
        Shot("reading-doubt", "dispatcher", f"/exams/{item['E1003']}", doubt),
        Shot("reading-ecg", "writer", f"/exams/{item['ecg']}"),
        Shot("reading-missing", "writer", "/exams/00000000-0000-4000-8000-000000000000"),
    ]
