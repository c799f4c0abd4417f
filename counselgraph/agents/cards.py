"""Case cards and turn cards: what a prompt says of the person, the memories and the moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from counselgraph.memory.record import MemoryRecord
from counselgraph.personas.persona import Attitude, Intake, Persona, When
from counselgraph.protocols.protocol import Protocol

_ATTITUDES = {
    Attitude.POSITIVE: "You want help and expect it to work. You answer openly and build on what you are offered.",
    Attitude.NEUTRAL: "You are in two minds: willing at times, doubtful or guarded at others.",
    Attitude.NEGATIVE: "You doubt that talking helps. You hold back, turn aside, or answer with irony when pressed.",
}
_CONDITIONS = {
    When.FREELY: "you tell this without being asked",
    When.ASKED: "only if asked about it",
    When.TRUSTED: "only if you have come to trust the counselor",
    When.ASKED_DIRECTLY: "only if asked directly about exactly this",
}
_LENGTHS = {1: "You say little.", 2: "You speak at a middling length.", 3: "You tend to talk at length."}


def client_card(persona: Persona) -> str:
    """All a client knows of itself, one fact a line; empty fields are left out."""
    who, problem, mind, past = (
        persona.demographics,
        persona.presenting_problem,
        persona.conceptualization,
        persona.history,
    )
    lines = [
        _line("Name", persona.name),
        _line("Age", "" if who.age is None else str(who.age)),
        _line("Gender", who.gender),
        _line("Occupation", who.occupation),
        _line("Education", who.education),
        _line("Marital status", who.marital_status),
        _line("Family", who.family),
        _line("Background", who.culture),
        _line("What troubles you", problem.statement),
        _line("How it began", problem.onset),
        _line("What you think caused it", problem.cause),
        _line("How it went on", problem.course),
        _line("When it shows", problem.triggers),
        _line("What you have tried", problem.coping),
        _line("Why you come", persona.reason_for_counseling),
        _line("Situations", _joined(mind.situations)),
        _line("What goes through your mind", _joined(f'"{thought}"' for thought in mind.automatic_thoughts)),
        _line("What you feel", ", ".join(mind.emotions)),
        _line("What you do then", _joined(mind.behaviours)),
        _line("Rules you live by", _joined(mind.intermediate_beliefs)),
        _line("What you believe deep down, and rarely say", _joined(mind.core_beliefs)),
        _line("Earlier episodes", past.previous_episodes),
        _line("Earlier treatment", past.treatment),
        _line("Health", past.medical),
        _line("Life so far", past.life),
        _line("At work or school", persona.functioning.work),
        _line("With other people", persona.functioning.relationships),
        _line("Day to day", persona.functioning.daily_life),
        _line("Who is there for you", _joined(persona.supports)),
        _line("What you hope for", _joined(persona.goals)),
        _line("What you say of dying, in rising order, as the talk goes on", _joined(persona.risk.statements)),
        _line("If asked directly about it", persona.risk.on_direct_question),
        _line("What holds you", _joined(persona.risk.protective)),
        *(_line(heading, text) for heading, text in persona.other.items()),
        *(f"- {_CONDITIONS[item.when]} ({item.topic}): {item.text}" for item in persona.disclosures),
    ]
    return "\n".join(line for line in lines if line)


def attitude_card(persona: Persona) -> str:
    """How the client meets counseling, and how it talks."""
    style = persona.style
    parts = [
        persona.attitude_instruction or _ATTITUDES[persona.attitude],
        f"Your way of speaking is {style.register_}. {_LENGTHS[style.verbosity]}",
        f"You sometimes say: {', '.join(style.habits)}." if style.habits else "",
    ]
    return " ".join(part for part in parts if part)


def intake_card(intake: Intake) -> str:
    """What the counselor was told."""
    lines = [
        intake.client_information or f"Name: {intake.name}",
        _line("Reason for coming", intake.reason_for_counseling),
    ]
    return "\n".join(line for line in lines if line)


def memory_card(memories: Sequence[MemoryRecord]) -> str:
    """Memories, oldest session first; "Nothing yet." if there are none."""
    lines = [f"- (session {memory.session_number}, {memory.kind}) {memory.text}" for memory in memories]
    return "\n".join(lines) or "Nothing yet."


def technique_list(protocol: Protocol) -> str:
    """The closed list a planner chooses from, with when to use each."""
    return "\n".join(f"- {name}: {item.use_when}" for name, item in protocol.techniques.items())


def _line(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _joined(lines: Iterable[str]) -> str:
    return " ".join(lines)
