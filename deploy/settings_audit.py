"""Settings of the audit trail: where else it goes.

They are read with all others by `deploy.settings`.
"""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings


def _repository(value: str) -> str:
    # Here, so that a wrong address stops the start and not the first export.
    from storage.audit_export.syslog import repository  # noqa: PLC0415 -- `--help` stays quick

    repository(value)
    return value


class AuditSettings(BaseSettings):
    """The part of the settings that says where the audit trail goes."""

    audit_syslog: Annotated[str, AfterValidator(_repository)] | None = Field(
        default=None,
        description="audit record repository that gets the trail as syslog over TLS:"
        " tls://HOST:6514?ca=FILE&certificate=FILE&key=FILE; unset: it stays here",
    )
    sole_syslog: Annotated[str, AfterValidator(_repository)] | None = Field(
        default=None,
        description="event repository that gets the steps of each exam's walk as IHE SOLE events,"
        " written as RDC_AUDIT_SYSLOG is; unset: none",
    )
    audit_source: str = Field(
        default="rdc",
        pattern=r"^[!-~]{1,48}$",
        description="name of this installation in audit messages (AuditSourceID)",
    )
