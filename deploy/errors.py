"""Errors that the person at the command line reads."""

from storage.errors import RdcError


class DeployError(RdcError):
    """Something about settings, processes or the machine stops the system."""


class SettingsError(DeployError):
    """A setting has a value that cannot be used."""


class AlreadyRunning(DeployError):
    """Another process already uses the data directory."""


class EmbeddedServerError(DeployError):
    """An embedded server cannot be started, or stopped by itself."""
