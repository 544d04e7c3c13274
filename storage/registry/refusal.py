"""What the registry does not accept."""

from storage.errors import RdcError


class RegistryRefused(RdcError):
    """An entry of the registry is not acceptable or does not exist."""
