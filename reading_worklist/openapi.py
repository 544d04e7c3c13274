"""The API's description on standard output, from which the types of the web UI are made.

``python -m reading_worklist.openapi``; neither a database nor a store is connected to.
"""

import json
import sys
import tempfile
from pathlib import Path

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import open_object_store


def describe() -> str:
    """Return the OpenAPI document of the application as JSON with sorted keys."""
    with tempfile.TemporaryDirectory() as directory:
        nowhere = Path(directory)
        config = WebConfig(web_ui=nowhere, ohif=nowhere, fonts=(), trust_anchors=())
        database = Database("postgresql:///")
        app = create_app(config, database, open_object_store(nowhere.as_uri()))
        return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(describe() + "\n")
