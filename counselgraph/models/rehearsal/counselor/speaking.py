"""The counselor's turn, put together: a reaction to what was said, then the move of the plan's step."""

from __future__ import annotations

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.agenda import spread
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor import later
from counselgraph.models.rehearsal.counselor.material import Material, gather
from counselgraph.models.rehearsal.counselor.reacting import react
from counselgraph.models.rehearsal.counselor.risking import after_check, assess, check_in
from counselgraph.models.rehearsal.counselor.slots import slots
from counselgraph.models.rehearsal.frames import Wording, safety_topics, tidy
from counselgraph.models.rehearsal.hearing import dark
from counselgraph.models.rehearsal.lines import Lines, step_bank, step_frames, task_of, technique_lines
from counselgraph.models.rehearsal.recall import Recalled
from counselgraph.models.rehearsal.speech import Speech
from counselgraph.models.rehearsal.story import sounds
from counselgraph.models.rehearsal.words import capital, flip, lower, reflectable, trimmed
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Level

_TRIES = 24
_THOUGHT = "thought"
_BUILDS_ON_IT = frozenset({"feeling", "belief"})
_RATED = frozenset({"rate_belief"})
"""Steps that ask for a number of something else than the one just given."""
_DOUBTFUL = {"held", "resists"}
_ENOUGH = 2
"""Steps of a technique that must have got an answer."""


def speak(request: Request) -> Answer:
    """The counselor's next turn, out of the counselor's View alone."""
    material = gather(request)
    speech = Speech(spread(request.seed, request.view.get("agenda") or ""), material.own)
    wording = Wording(speech, slots(material), material.own, share=material.share)
    turn = ""
    for _ in range(_TRIES):
        turn = tidy(_turn(material, wording, request.exchange))
        if speech.fresh(turn):
            break
    return Answer(text=turn)


def _turn(material: Material, wording: Wording, exchange: int) -> str:
    if exchange == 0 and not material.said:
        return _opening(material, wording)
    if material.risk.suspends_plan:
        return assess(material, wording)
    step = material.step
    closing = step is not None and step.id == "farewell"
    if not closing and (asked := check_in(material, wording)):
        return asked
    if step is not None and step.id in _COMPOSED:
        return _COMPOSED[step.id](material, wording)
    reaction = after_check(material, wording) or _reaction(material, wording)
    return f"{reaction} {_move(material, wording, beside=reaction)}"


def _reaction(material: Material, wording: Wording) -> str:
    """What answers the client's last turn; in a later session also the days since, or what was told before."""
    if not material.in_course or dark(material.last) or material.other:
        return react(material, wording)
    if len(material.said) > 1:
        reaction = react(material, wording)
        return f"{reaction} {later.remembers(material, wording)}"
    reaction = later.take_up(material, wording)
    return f"{reaction} {later.bridge(material, wording, beside=reaction)}"


def _move(material: Material, wording: Wording, *, beside: str) -> str:
    step = material.step
    deepen = bank("counselor/deepen")
    if material.plan is None or step is None:
        held = material.stance == "held"
        frames = deepen["again" if held else "first"] + (deepen["no_plan"] if material.plan is None else [])
        return wording.choose(frames, beside=beside)
    if later.hard_days(material):
        return wording.choose(bank("counselor/later")["days"], beside=beside)
    name = _THOUGHT if _thought_is_owed(material, step.id) else step.id
    frames = step_frames(material.plan.technique, name).get(_part(material, wording, name), [])
    if material.wordless:
        frames = [frame for frame in frames if _THOUGHT not in frame] or frames
    return wording.choose(frames, beside=beside) or wording.choose(deepen["first"], beside=beside)


def _thought_is_owed(material: Material, step: str) -> bool:
    """Whether the step builds on a thought that was asked for and not told, because something graver came first."""
    if step not in _BUILDS_ON_IT or not material.english or not any(map(safety_topics, material.own)):
        return False
    replies = (said for turn, said in zip(material.turns, material.own[1:], strict=False) if turn.asked == _THOUGHT)
    return material.turns[-1].asked != _THOUGHT and all(map(safety_topics, replies))


def _part(material: Material, wording: Wording, step: str) -> str:
    """Which of a step's lists of frames fits now."""
    if material.again:
        return "again"
    if material.rating is not None and step in _RATED:
        return "rated"
    if step == "agenda" and (material.recalled is not None or material.in_course):
        return "next"
    return "intake" if step == "agenda" and "wrote" in wording.slots else "first"


def _opening(material: Material, wording: Wording) -> str:
    phrases, recalled = bank("counselor/opening"), material.recalled
    if material.in_course:
        return later.opening(material, wording)
    if recalled is None:
        return wording.choose(phrases["first"])
    wording = Wording(wording.speech, {"name": material.name, **_notes(recalled)}, material.own)
    if recalled.danger >= Level.ACTIVE:
        return wording.choose(phrases["again_danger"])
    kind = next(kind for kind in ("again", "again_summary", "again_plain") if wording.fitting(phrases[kind]))
    return wording.choose(phrases[kind])


def _notes(recalled: Recalled) -> dict[str, str]:
    """What is kept of the last session, in the forms the opening asks for; what cannot be put well is absent."""
    notes: dict[str, str | None] = {"note": _closed(recalled.summary)}
    if recalled.focus and sounds(recalled.focus):
        notes["thought"] = capital(trimmed(recalled.focus))
    elif recalled.focus and reflectable(trimmed(recalled.focus)):
        notes["problem"] = lower(capital(flip(trimmed(recalled.focus))))
    if recalled.task is not None:
        notes["task"] = task_of(recalled.task)
    return {name: value for name, value in notes.items() if value}


def _closed(text: str) -> str:
    return text and (capital(text) if text[-1] in ".!?" else f"{capital(text)}.")


def _summary(material: Material, wording: Wording) -> str:
    phrases = _phase_lines(material, "summary")
    if material.again:
        return f"{react(material, wording)} {wording.choose(phrases['again'])}"
    kinds = (
        ("problem", "problem_quote", "problem_written")
        if material.recalled is None and not material.in_course
        else ("problem_next",)
    )
    problem = later.then_and_now(material, wording) if material.in_course else ""
    problem = problem or next(filter(None, (wording.choose(phrases[kind]) for kind in kinds)), "")
    found = wording.choose(
        technique_lines(material.plan.technique)["found"] if material.plan and _worked(material) else phrases["first"]
    )
    parts = [
        wording.choose(phrases["open"]),
        problem,
        wording.choose(phrases["thought"], beside=problem),
        found,
        wording.choose(phrases["close"]),
    ]
    return " ".join(filter(None, parts))


def _homework(material: Material, wording: Wording) -> str:
    phrases, reaction = _phase_lines(material, "homework"), react(material, wording)
    if material.again:
        return f"{reaction} {wording.choose(phrases['again'], beside=reaction)}"
    own = technique_lines(material.plan.technique).get("homework") if material.plan else None
    tasks = own or phrases["first"]
    return f"{reaction} {wording.choose(tasks)} {wording.choose(phrases['when'])}"


def _phase_lines(material: Material, step: str) -> Lines:
    return step_bank(material.plan.approach if material.plan else ApproachName.CBT)[step]


def _worked(material: Material) -> bool:
    """Whether the client has done enough of the technique for it to be summed up and praised."""
    technique = technique_lines(material.plan.technique) if material.plan else {}
    return sum(isinstance(technique.get(step), dict) for step in material.answers) >= _ENOUGH


def _farewell(material: Material, wording: Wording) -> str:
    phrases = _phase_lines(material, "farewell")
    doubtful = material.stance in _DOUBTFUL or (material.plan is not None and not _worked(material))
    praise = technique_lines(material.plan.technique)["strength"] if material.plan else phrases["first"]
    parts = [
        wording.choose(phrases["doubtful"] if doubtful else praise),
        wording.choose(phrases["task"]),
        wording.choose(bank("counselor/risk")["safe"]) if material.risk.level else "",
        wording.choose(phrases["bye"]),
    ]
    return " ".join(filter(None, parts))


_COMPOSED = {"summary": _summary, "homework": _homework, "farewell": _farewell}
