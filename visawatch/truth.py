"""What a maintainer says is true, and who they are: options that several commands have."""

from __future__ import annotations

import getpass
from collections.abc import Callable

import click

from extractors import Condition, ConditionKind, Policy, Stance, Visa

_STANCES = [str(s) for s in Stance]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return ""


by_option = click.option("--by", default=_user, help="Who says so.  [default: the user logged in]")


def policy_options(*, required: bool) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Gives a command --j1, --h1b and --condition, of which `policy_said` makes a policy."""

    def add(command: click.decorators.FC) -> click.decorators.FC:
        of = click.Choice(_STANCES)
        j1 = click.option("--j1", type=of, required=required, help="What is true of J-1.")
        h1b = click.option("--h1b", type=of, required=required, help="What is true of H-1B.")
        conditions = click.option(
            "--condition",
            "conditions",
            multiple=True,
            metavar="VISA:KIND[:BY]",
            help="A condition, such as H-1B:step3_passed:2027-02-01; repeatable.",
        )
        return j1(h1b(conditions(command)))

    return add


def policy_said(j1: str, h1b: str, conditions: tuple[str, ...]) -> Policy:
    """The policy that the options say. Raises click.BadParameter for a condition that is none."""
    stances = ((Visa.J1, Stance(j1)), (Visa.H1B, Stance(h1b)))
    return Policy(
        stances=tuple((visa, s) for visa, s in stances if s is not Stance.UNSTATED),
        conditions=tuple(_condition(text) for text in conditions),
    )


def _condition(text: str) -> Condition:
    visa, _, rest = text.partition(":")
    kind, _, by = rest.partition(":")
    try:
        return Condition(Visa(visa), ConditionKind(kind), by or None)
    except ValueError as error:
        kinds = ", ".join(ConditionKind)
        raise click.BadParameter(
            f"'{text}' is not VISA:KIND[:BY]; kinds are {kinds}", param_hint="--condition"
        ) from error
