"""Why an ECG could not be read or drawn."""

from storage.errors import RdcError


class EcgError(RdcError):
    """Something about one ECG object; the parts say what and what to do."""


class NotAnEcg(EcgError):
    """The object is no ECG waveform: another SOP class, or no waveform inside."""


class EcgBroken(EcgError):
    """The object says it is an ECG but contradicts itself or ends too early."""


class EcgUnsupported(EcgError):
    """A well-formed ECG in an encoding that cannot be shown truthfully."""


class EcgTooLarge(EcgError):
    """The ECG is larger than what one reading process may hold in memory."""
