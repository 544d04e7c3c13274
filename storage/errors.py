"""The one shape of an error that a person or a peer will read."""


class RdcError(Exception):
    """Something was refused or failed, told in four parts.

    what: which object, and what happened to it.
    expected: what would have been right; empty when that says nothing.
    found: what was there instead; never patient data.
    remedy: what the reader can do about it.
    """

    def __init__(self, what: str, *, expected: str = "", found: str = "", remedy: str = "") -> None:
        self.what = what
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        """Join the parts to one readable sentence."""
        parts = [self.what]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.found:
            parts.append(f"found {self.found}")
        text = "; ".join(parts)
        return f"{text}. {self.remedy}" if self.remedy else text
