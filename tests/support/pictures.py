"""Pictures for reports."""

from io import BytesIO

from PIL import Image


def jpeg(width: int = 8, height: int = 8) -> bytes:
    """A grey picture."""
    written = BytesIO()
    Image.new("L", (width, height), 128).save(written, "JPEG")
    return written.getvalue()
