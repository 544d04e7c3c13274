"""Why a measurement could not be made as asked."""

from storage.ecg.errors import EcgError


class MarkersImpossible(EcgError):
    """Markers set by hand are out of order or outside of the median beat."""
