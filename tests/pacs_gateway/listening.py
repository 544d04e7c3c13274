"""Associations without a gateway around them."""

from pacs_gateway.associations.association import Acceptor
from pacs_gateway.associations.host import AssociationHost
from pacs_gateway.associations.listener import Listener
from pacs_gateway.config import GatewayConfig


class Listening:
    """Listens and serves in this process what `acceptor` says."""

    def __init__(self, config: GatewayConfig, acceptor: Acceptor) -> None:
        self._host = AssociationHost(config, acceptor)
        self._listener = Listener(config, self._host)

    @property
    def bound_port(self) -> int:
        return self._listener.bound_port

    def start(self) -> None:
        self._listener.start()

    def active(self) -> int:
        return self._host.active()

    def stop(self, grace_seconds: float) -> None:
        self._listener.stop()
        self._host.stop(grace_seconds)
