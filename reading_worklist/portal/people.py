"""For whom the portal is."""

from typing import Final

from storage.registry import Role

SITE_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
