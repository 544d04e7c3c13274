"""The answer to a request that was decided before its dataset came."""

from pacs_gateway.associations.exchange import Exchange
from pacs_gateway.associations.status import Answer


class Settled:
    """A reception whose answer is known already; the dataset is passed over."""

    def __init__(self, answer: Answer) -> None:
        """Give `answer` when the dataset has ended."""
        self._answer = answer

    def write(self, fragment: memoryview) -> None:
        """Pass over `fragment`."""

    def room(self) -> None:
        """Offer no memory."""

    def filled(self, count: int) -> None:
        """Pass over `count` bytes."""

    def finish(self, exchange: Exchange) -> Answer:
        """Give the answer."""
        del exchange
        return self._answer

    def settle(self) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Nothing to forget."""
