"""Case cards and turn cards: what a prompt says of the person, the memories and the moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from counselgraph.memory.record import MemoryRecord
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.persona import Attitude, Intake, Persona, When
from counselgraph.protocols.protocol import Protocol, load_protocol
from counselgraph.protocols.technique import ApproachName

_ATTITUDES = {
    Attitude.POSITIVE: "You want help and expect it to work. You answer openly and build on what you are offered.",
    Attitude.NEUTRAL: "You are in two minds. At times you are willing, at times doubtful or guarded.",
    Attitude.NEGATIVE: (
        "You doubt that talking helps. You hold back, turn aside, or answer with irony when you feel pressed. "
        "You agree with a new idea only after you have argued with it."
    ),
}
_RECEPTIVITY = (
    (0.34, "New ideas hardly reach you: you mostly see why they do not fit you."),
    (0.67, "You take in a new idea slowly, a part of it at a time."),
    (1.01, "You like new ideas, but it takes time until one feels true."),
)
_CONDITIONS = {
    When.FREELY: "What you tell of your own accord",
    When.ASKED: "What you tell only if you are asked about it",
    When.TRUSTED: "What you tell only once you trust the counselor",
    When.ASKED_DIRECTLY: "What you tell only if you are asked directly about exactly this",
}
_LENGTHS = {
    1: "You say little: mostly one or two short sentences.",
    2: "You mostly say one to three sentences.",
    3: "You tend to talk: three to five sentences.",
}
_NO_RISK = "About dying: unless it is written above, you have no thoughts of dying or of hurting yourself or anybody."


def client_card(persona: Persona) -> str:
    """All a client knows of itself, one fact a line; empty fields are left out."""
    told = [*_head(persona), *_story(persona), *_mind(persona), *_life(persona)]
    lines = [_line(label, text) for label, text in told]
    return "\n".join(line for line in [*lines, *_disclosures(persona), *_risk(persona)] if line)


def _head(persona: Persona) -> list[tuple[str, str]]:
    who = persona.demographics
    return [
        ("Name", persona.name),
        ("Age", "" if who.age is None else str(who.age)),
        ("Gender", who.gender),
        ("Occupation", who.occupation),
        ("Education", who.education),
        ("Marital status", who.marital_status),
        ("Family", who.family),
        ("Background", who.culture),
    ]


def _story(persona: Persona) -> list[tuple[str, str]]:
    problem = persona.presenting_problem
    return [
        ("What troubles you", problem.statement),
        ("How it began", problem.onset),
        ("What you think caused it", problem.cause),
        ("How it went on", problem.course),
        ("When it shows", problem.triggers),
        ("What you have tried", problem.coping),
        ("Why you come", persona.reason_for_counseling),
    ]


def _mind(persona: Persona) -> list[tuple[str, str]]:
    mind = persona.conceptualization
    return [
        ("Situations", _joined(mind.situations)),
        ("What goes through your mind", _joined(f'"{thought}"' for thought in mind.automatic_thoughts)),
        ("What you feel", ", ".join(mind.emotions)),
        ("What you do then", _joined(mind.behaviours)),
        ("Rules you live by", _joined(mind.intermediate_beliefs)),
        ("What you believe deep down, and rarely say", _joined(mind.core_beliefs)),
    ]


def _life(persona: Persona) -> list[tuple[str, str]]:
    past, now = persona.history, persona.functioning
    return [
        ("Earlier episodes", past.previous_episodes),
        ("Earlier treatment", past.treatment),
        ("Health", past.medical),
        ("Life so far", past.life),
        ("At work or school", now.work),
        ("With other people", now.relationships),
        ("Day to day", now.daily_life),
        ("Who is there for you", _joined(persona.supports)),
        ("What you hope for", _joined(persona.goals)),
        *persona.other.items(),
    ]


def _disclosures(persona: Persona) -> list[str]:
    lines: list[str] = []
    for when, heading in _CONDITIONS.items():
        items = [f"- {item.topic}: {item.text}" for item in persona.disclosures if item.when is when]
        lines += [f"{heading}:", *items] if items else []
    return lines


def _risk(persona: Persona) -> list[str]:
    risk = persona.risk
    if not (risk.level or risk.statements or risk.on_direct_question):
        return [_NO_RISK]
    settled = "When you have been asked about it with care you grow calmer, and say that you will not do it."
    return [
        "About dying (in this order, one at a time, spread over the session; nothing graver than the last):",
        *(f"{number}. {text}" for number, text in enumerate(risk.statements, 1)),
        _line("If you are asked directly about it", risk.on_direct_question),
        _line("What holds you", _joined(risk.protective)),
        settled if risk.settles else "",
    ]


def attitude_card(persona: Persona) -> str:
    """How the client meets counseling, how fast it takes things in, and how it talks; one point a line."""
    style = persona.style
    lines = [
        _line("This describes you", persona.attitude_instruction) or _ATTITUDES[persona.attitude],
        next(text for below, text in _RECEPTIVITY if persona.receptivity < below),
        f"Your way of speaking is {style.register_}. {_LENGTHS[style.verbosity]}",
        _line("Now and then, not in every turn, you say", _joined(f'"{habit}"' for habit in style.habits)),
    ]
    return "\n".join(line for line in lines if line)


def intake_card(intake: Intake) -> str:
    """What the counselor was told."""
    lines = [
        intake.client_information or f"Name: {intake.name}",
        _line("Reason for coming", intake.reason_for_counseling),
    ]
    return "\n".join(line for line in lines if line)


_MOODS = {
    -2: "You feel much worse than after it.",
    -1: "You feel somewhat worse than after it.",
    0: "You feel about as you did after it.",
    1: "You feel somewhat better than after it.",
    2: "You feel much better than after it.",
}
_TASKS = {
    Homework.NONE: "",
    Homework.DONE: "You did the task you had agreed on.",
    Homework.HALF: "You did a part of the task you had agreed on.",
    Homework.UNDONE: "You did not do the task you had agreed on.",
}


def since_card(since: Interlude | None) -> str:
    """What has happened to the client since the last session."""
    if since is None:
        return "Nothing that you know of."
    lines = [
        f"{since.days} days have gone by since the last session. {_MOODS[since.mood]}",
        since.event,
        " ".join(part for part in (_TASKS[since.homework], since.homework_note) if part),
        "Your old trouble is back with its old force." if since.relapse else "",
    ]
    return "\n".join(line for line in lines if line)


def memory_card(memories: Sequence[MemoryRecord]) -> str:
    """Memories, oldest session first; says so if there are none."""
    lines = [f"- (session {memory.session_number}, {memory.kind}) {memory.text}" for memory in memories]
    return "\n".join(lines) or "Nothing yet. This is the first session."


def bullets(lines: Iterable[str]) -> str:
    """One line each, as a list."""
    return "\n".join(f"- {line}" for line in lines)


def stance_card(protocol: Protocol) -> str:
    """How a counselor behaves in an approach."""
    return f"{protocol.approach.label}. {protocol.approach.idea}\n{bullets(protocol.approach.stance)}"


def approach_card(protocol: Protocol) -> str:
    """What the counselor has been following: its idea, and by what one hears whether it helps."""
    approach = protocol.approach
    helping, misfit = (" ".join(sign.says for sign in signs) for signs in (approach.helping, approach.misfit))
    return f"{approach.name}: {approach.label}. {approach.idea}\nIt helps if: {helping}\nIt does not fit if: {misfit}"


def other_approaches(name: ApproachName) -> str:
    """The other approaches, each with whom it suits."""
    others = (load_protocol(other).approach for other in ApproachName if other is not name)
    return "\n".join(f"- {other.name}: {other.label}. {' '.join(sign.says for sign in other.fits)}" for other in others)


def technique_list(protocol: Protocol) -> str:
    """The closed list a planner chooses from, with when to use each."""
    return "\n".join(f"- {name}: {item.use_when}" for name, item in protocol.techniques.items())


def _line(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _joined(lines: Iterable[str]) -> str:
    return " ".join(lines)
