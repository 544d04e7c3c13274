"""Issued reports in the words of FHIR R4 (4.0.1): pure mapping, for whoever serves or sends it."""

# Loaded first: keeping an issued report puts it into the feed, which names its FHIR resources, so
# that the two packages know each other.
import storage.issued_reports  # noqa: F401  # pyright: ignore[reportUnusedImport]
