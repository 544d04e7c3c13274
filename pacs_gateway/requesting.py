"""Opening associations to the machines of a site (PS3.8 §7.1), as every SCU of ours does."""

import ssl
from collections.abc import Sequence
from typing import Any, Final

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.ae import ApplicationEntity
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context, build_role

from pacs_gateway.associations.requested import (
    Handlers,
    RequestedAssociation,
    request_association,
)
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.tls import ClientContext
from storage.destination_trials import Finding
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.registry import Listener

# pynetdicom's entity is typed in part only.
_Entity: Any = ApplicationEntity
# What comes to who requests is short.
_MAXIMUM_PDU: Final = 16_384
SYNTAXES: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
"""In two contexts: a receiver that can only read the default still gets it."""


class NoAssociation(Exception):
    """No association was established; the text says why, for a person, `finding` of what kind."""

    def __init__(self, why: str, finding: Finding = Finding.UNREACHABLE) -> None:
        super().__init__(why)
        self.finding = finding


def open_association(
    listener: Listener,
    abstract_syntax: str,
    config: ReturnsConfig,
    *,
    what: str,
    as_scp: bool = False,
) -> RequestedAssociation:
    """Associate with `listener` for one SOP class and return the established association.

    what: the SOP class in words, for the error. as_scp: propose the SCP role for us (PS3.7
    D.3.3.4), as who reports events must.

    Raises:
        NoAssociation: not reached, rejected, or the SOP class is not accepted.
    """
    contexts = [build_context(abstract_syntax, syntax) for syntax in SYNTAXES]
    roles = [build_role(abstract_syntax, scp_role=True)] if as_scp else []
    return associate(listener, contexts, config, what=what, roles=roles)


def associate(
    listener: Listener,
    contexts: Sequence[PresentationContext],
    config: ReturnsConfig,
    *,
    what: str,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    tls: tuple[ClientContext, str] | None = None,
    handlers: Handlers = (),
) -> RequestedAssociation:
    """Associate with `listener`, proposing `contexts`, and return the established association.

    tls: for a secured association, the context and whose certificate is expected. handlers: of
    what the peer requests over it.

    Raises:
        NoAssociation: not reached, rejected, or no context is accepted.
    """
    ae = _Entity(config.calling_ae_title)
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    ae.connection_timeout = config.connect_timeout_seconds
    ae.acse_timeout = config.acse_timeout_seconds
    ae.dimse_timeout = config.dimse_timeout_seconds
    ae.network_timeout = config.dimse_timeout_seconds
    where = f"{listener.ae_title} at {listener.host}:{listener.port}"
    try:
        association = request_association(
            ae,
            listener.host,
            listener.port,
            contexts,
            called_ae_title=listener.ae_title,
            maximum_pdu=_MAXIMUM_PDU,
            roles=roles,
            tls=tls,
            handlers=handlers,
        )
    except OSError as error:
        raise NoAssociation(f"host {listener.host} is not known: {error.strerror}") from error
    if association.is_established:
        return association
    primitive = association.acceptor.primitive
    if association.is_rejected and primitive is not None:
        raise NoAssociation(
            f"association rejected by {where}: "
            f"{primitive.result_str}, {primitive.source_str}, {primitive.reason_str}",
            Finding.NOT_KNOWN,
        )
    if primitive is not None:
        raise NoAssociation(f"{where} does not accept {what}", Finding.NOT_TAKEN)
    fault = None if tls is None else tls[0].fault
    if fault is not None:
        said = fault.strerror or type(fault).__name__
        secured = isinstance(fault, ssl.SSLError)
        raise NoAssociation(
            f"no secure connection to {where}: {said}",
            Finding.NOT_SECURED if secured else Finding.UNREACHABLE,
        )
    raise NoAssociation(f"no connection to {where}")
