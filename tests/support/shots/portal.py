"""The site's pages: orders and exams."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot, first_button, pressed


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    item = places.workitems
    return [
        Shot("orders", "technician-east", "/orders?tab=all"),
        Shot("orders-empty", "technician-east", "/orders?tab=problem"),
        Shot("order-new", "technician-east", "/orders", pressed("n")),
        Shot("order-amend", "technician-east", "/orders", first_button(".order-amend")),
        Shot("order-cancel", "technician-east", "/orders", first_button(".order-cancel")),
        Shot("portal", "doctor-east", "/portal"),
        Shot("portal-exam", "doctor-east", f"/portal/{item['E1006']}"),
        Shot("portal-quality", "doctor-east", f"/portal/{item['DH20261121']}"),
    ]
