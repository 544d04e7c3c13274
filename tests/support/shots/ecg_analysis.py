"""What a technician learns of a recording, and what the centre sees of a hint."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot, pressed


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    more = places.more
    return [
        Shot("ecg-repeat", "technician-east", f"/portal/{more['ecg-noisy']}"),
        Shot("ecg-exchanged", "technician-east", f"/portal/{more['ecg-exchanged']}"),
        Shot("ecg-hints", "writer", "/worklist?q=E98"),
        # The banner of a STAT ECG that nobody has claimed stands above every page of the centre.
        Shot("ecg-alert", "reviewer", "/critical"),
        Shot("ecg-chest-pain", "reviewer", "/chest-pain"),
        Shot("ecg-times", "writer", f"/exams/{more['ecg-elevated']}", pressed("Alt+t")),
        Shot("ecg-list", "head", "/ecg-list"),
        Shot("ecg-board", "dispatcher", "/board"),
        Shot("ecg-suspected", "reviewer", f"/critical/{more['ecg-suspected']}"),
    ]
