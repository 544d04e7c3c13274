"""DICOMweb over HTTP (PS3.18 §10): the same resources under the common root and that of each site.

Under the common root everything is found that the caller's sites have; where two
of them have the same study, the root of the site says which one is meant. The root of a reading
holds its study and the earlier ones its reader opened, see `reading_worklist.priors.grants`; what
is stored under it belongs to its own study, see `reading_worklist.dicomweb.evidence`.
"""

from fastapi import APIRouter

from reading_worklist.dicomweb import (
    capability_routes,
    rendered_routes,
    retrieve_routes,
    search_routes,
    store_routes,
)

router = APIRouter(tags=["dicomweb"], include_in_schema=False)
_SITE_ROOT = "/dicom-web/sites/{site_code}"
_READING_ROOT = "/dicom-web/readings/{reading_id}"
_SHARE_ROOT = "/dicom-web/shares/{share_id}"
for _root in ("/dicom-web", _SITE_ROOT, _READING_ROOT):
    router.include_router(search_routes.router, prefix=_root)
    router.include_router(retrieve_routes.router, prefix=_root)
    router.include_router(rendered_routes.router, prefix=_root)
    router.include_router(store_routes.router, prefix=_root)
# Of any path, so the longer root comes first.
# Who came by a link looks at its study and stores nothing.
for _part in (search_routes, retrieve_routes, rendered_routes):
    router.include_router(_part.router, prefix=_SHARE_ROOT)
for _root in (_SITE_ROOT, "/dicom-web"):
    router.include_router(capability_routes.router, prefix=_root)
