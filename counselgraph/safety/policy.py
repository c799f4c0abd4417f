"""The policy: from verdicts on one turn to the standing risk."""

from __future__ import annotations

from collections.abc import Iterable

from counselgraph.errors import ConfigError
from counselgraph.safety.levels import Finding, Level, Risk, Side, Verdict

CALM_TURNS = 2


def assess(previous: Risk | None, *verdicts: Verdict) -> Risk:
    """The standing risk after one more turn.

    The turn's level is the highest of its verdicts. With the standing level it decides:

    - **Above it**, the standing level rises to it at once; denials and calm turns so far are forgotten.
    - **Equal to it** (and above R0), what stands was said again: the level stays, denials and calm turns are
      forgotten.
    - **Below it**, the turn is calm, unless one of its verdicts failed, and a denial in it is remembered. Once there
      has been a denial and two calm turns, the standing level falls to the level of this turn. The turn that denies may
      be one of the two. After a fall both are asked for anew: a level that one screen alone had put up must not
      make what the others see fall sooner.

    A failed verdict may raise the level, as any other; a turn with one is never calm, its denial does not count and the
    level does not fall on it. R5 is locked: nothing said within a session lowers it; a person has to. The order of the
    verdicts does not matter, nor does giving one twice; without a verdict nothing was screened and nothing changes.

    Args:
        previous: The standing risk before the turn; None before the first.
        verdicts: Everything that screened the turn, all of one side.

    Raises:
        ConfigError: The verdicts, or the risk before them, are of different sides.
    """
    if not verdicts:
        return previous or Risk()
    side = _side(previous, verdicts)
    standing = Risk(side=side) if previous is None else previous
    turn = max(verdict.level for verdict in verdicts)
    failed = any(verdict.failed for verdict in verdicts)
    turned = _with(standing, turn_level=turn, findings=_merged(verdicts), failed=failed)
    if turn > standing.level:
        return _raised(turned)
    if turn == standing.level:
        return _repeated(turned, failed=failed)
    if failed:
        return _with(turned, reason=f"A screen failed on this turn, so the level stays at R{standing.level}.")
    denied = standing.denied or any(verdict.denial for verdict in verdicts)
    return _calmed(_with(turned, denied=denied, calm_turns=standing.calm_turns + 1))


def _raised(risk: Risk) -> Risk:
    reason = f"This turn rose to R{risk.turn_level}, above R{risk.level} before{_because(risk.findings)}."
    return _with(risk, level=risk.turn_level, denied=False, calm_turns=0, reason=reason)


def _repeated(risk: Risk, *, failed: bool) -> Risk:
    if risk.level is Level.NONE:
        reason = "A screen failed and the others found nothing." if failed else "Nothing was found so far."
        return _with(risk, reason=reason)
    reason = f"R{risk.level} stands, this turn says it again{_because(risk.findings)}."
    return _with(risk, denied=False, calm_turns=0, reason=reason)


def _calmed(risk: Risk) -> Risk:
    if risk.level is Level.IMMINENT:
        return _with(risk, reason="R5 is locked until a person resolves it.")
    if risk.denied and risk.calm_turns >= CALM_TURNS:
        reason = (
            f"After a denial and {risk.calm_turns} calm turns the level fell from R{risk.level} to R{risk.turn_level}."
        )
        return _with(risk, level=risk.turn_level, denied=False, calm_turns=0, reason=reason)
    wanted = [] if risk.denied else ["an explicit denial"]
    if risk.calm_turns < CALM_TURNS:
        wanted.append(f"{CALM_TURNS - risk.calm_turns} more calm turn(s)")
    return _with(risk, reason=f"This turn is calm, but R{risk.level} stands until there is {' and '.join(wanted)}.")


def _with(risk: Risk, **changes: object) -> Risk:
    return risk.model_copy(update=changes)


def _because(findings: tuple[Finding, ...]) -> str:
    return f" ({findings[0].category})" if findings else ""


def _side(previous: Risk | None, verdicts: Iterable[Verdict]) -> Side:
    sides = {verdict.side for verdict in verdicts} | ({previous.side} if previous else set())
    if len(sides) > 1:
        raise ConfigError(f"One risk speaks of one side; got verdicts of {', '.join(sorted(sides))}.")
    return sides.pop()


def _merged(verdicts: Iterable[Verdict]) -> tuple[Finding, ...]:
    """All findings once, highest level first, in an order that does not depend on the order of the verdicts."""
    found = {finding for verdict in verdicts for finding in verdict.findings}
    return tuple(
        sorted(found, key=lambda one: (-one.level, one.category, one.source, one.quote, one.subject, one.time))
    )
