"""What an installation demands of who signs in: second factor, place, and password."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from reading_worklist.access.proxies import Network, address_of, is_in
from storage.registry import Role

ADMIN_ROLES: Final = frozenset({Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN})
SHORTEST: Final = 10
"""Characters that a password has at least, where nothing else is set."""


class SecondFactorFor(StrEnum):
    """For whom or what a second factor is required.

    ADMIN: whoever acts in one of `ADMIN_ROLES`. SIGNING: each signature. REMOTE: whoever comes from
    outside of the home networks. EVERYONE: all people.
    """

    ADMIN = "admin"
    SIGNING = "signing"
    REMOTE = "remote"
    EVERYONE = "everyone"


class Outstanding(StrEnum):
    """What a signed-in person has to do before anything else is done.

    CODE: prove the second factor. PASSWORD: choose a new password. ENROL: set up a second factor.
    """

    CODE = "code"
    PASSWORD = "password"  # noqa: S105 -- a word
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What is demanded of passwords.

    shortest: in characters. history: so many earlier ones are not taken again.
    longest_use: None: for ever, which is what NIST SP 800-63B §3.1.1 advises.
    """

    shortest: int = SHORTEST
    history: int = 5
    longest_use: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a session has shown, and what is known of its person.

    password_changed_at: None where another provider vouches, which has passwords of its own.
    """

    roles: frozenset[Role]
    client: str
    enrolled: bool
    second_factor_at: datetime | None
    must_change_password: bool
    password_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What an installation demands.

    home_networks: from where nobody is remote; what is no address, such as our own command line,
        is at home.
    second_factor_stands: how long a proof of it is good for signing.
    """

    second_factor_for: frozenset[SecondFactorFor] = frozenset()
    second_factor_stands: timedelta = timedelta(hours=12)
    home_networks: tuple[Network, ...] = ()
    password: PasswordPolicy = field(default_factory=PasswordPolicy)

    def is_remote(self, client: str) -> bool:
        """Tell whether somebody comes from outside, where that makes a difference."""
        return (
            SecondFactorFor.REMOTE in self.second_factor_for
            and address_of(client) is not None
            and not is_in(client, self.home_networks)
        )

    def needs_second_factor(self, roles: frozenset[Role], client: str) -> bool:
        """Tell whether a person may do nothing without a second factor."""
        return (
            SecondFactorFor.EVERYONE in self.second_factor_for
            or (
                SecondFactorFor.ADMIN in self.second_factor_for
                and not roles.isdisjoint(ADMIN_ROLES)
            )
            or self.is_remote(client)
        )

    def outstanding(self, shown: Proofs, now: datetime) -> Outstanding | None:
        """Return what a person has to do first; None: nothing.

        Who has a second factor proves it before the password is changed: else a stolen password
        would be enough to take the account over.
        """
        needed = self.needs_second_factor(shown.roles, shown.client)
        if needed and shown.enrolled and shown.second_factor_at is None:
            return Outstanding.CODE
        changed = shown.password_changed_at
        if changed is not None:
            longest = self.password.longest_use
            if shown.must_change_password or (longest is not None and changed + longest <= now):
                return Outstanding.PASSWORD
        if needed and not shown.enrolled:
            return Outstanding.ENROL
        return None

    def may_sign(self, second_factor_at: datetime | None, now: datetime) -> bool:
        """Tell whether a session's proof of a second factor is good for a signature."""
        if SecondFactorFor.SIGNING not in self.second_factor_for:
            return True
        return second_factor_at is not None and now < second_factor_at + self.second_factor_stands
