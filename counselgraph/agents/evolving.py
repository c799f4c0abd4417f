"""The evolving client: its emotion moves with inertia, its complaint unfolds in stages, its memory has three tiers.

The state is played through anew from the transcript at every turn, so a turn that is written again, because a screen
threw the first away, moves nothing twice, and a fork goes on from where its parent stood. Only the client's own notes
are read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from counselgraph.agents.ask import Ask
from counselgraph.agents.cards import memory_card
from counselgraph.agents.client import opening, spoken
from counselgraph.agents.hearing import Heard, heard_so_far, read_lexicon
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import ClientView
from counselgraph.personas.emotion import Emotion, appraised, at_rest, drifted, moved
from counselgraph.personas.evolving import EarlierMemory, EvolvingProfile, Speaker
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Persona
from counselgraph.personas.told import About, Notes, Told, before, with_note
from counselgraph.personas.unfolding import (
    Unfolding,
    closed,
    furthest,
    next_complaint,
    profile_of,
    resumed,
    trusting,
    unfolded,
)
from counselgraph.personas.words import shared, told_in

_NAMED = 2
"""Topic words of the next stage in a counselor's turn that ask for it."""
_TOLD = 0.5
"""Share of a disclosure's topic words in a turn of the client's from which it counts as told."""
_EARLIER = 8
"""Lines of earlier sessions that the client has in mind all the time."""
_COMES_BACK, _LINES = 2, 2
"""Topic words by which the counselor's words call an earlier line to mind, and how many come at once."""
_NOTES = 4
_EASIER = 0.03
_HIGH, _LOW = 0.6, 0.2


class EvolvingView(ClientView, total=False):
    """What a client knows, with its own state: what it feels, how far it has opened up, how the last session ended."""

    session_number: int
    carried: dict[str, Any]
    emotion: Emotion
    complaint: Unfolding


class Inner(NamedTuple):
    """The whole state of an evolving client at one turn."""

    emotion: Emotion
    complaint: Unfolding


@role(view=EvolvingView, name="client", speaks=True)
async def evolving(view: EvolvingView, ask: Ask) -> Update:
    """A client whose emotion has inertia, whose complaint unfolds in stages, and who remembers in three tiers."""
    await read_lexicon()
    heard = heard_so_far(view["messages"])
    last, now = lived(view, heard, ask.scene.sessions)
    now = now._replace(complaint=noted(view, now.complaint, heard[-1]))
    # The View says how it was; a model that reads it rather than the prompt must know how it is.
    ask.view = {**ask.view, **now._asdict()}
    profile = profile_of(view["persona"])
    draft = opening(view) or await spoken(
        view,
        ask,
        moment=moment_card(last, now, comes_back(profile, heard[-1].words)),
        memories=earlier_card(view, profile),
        since="" if view.get("since") else profile.since,
    )
    return {"draft": draft, **{channel: state.model_dump(mode="json") for channel, state in now._asdict().items()}}


def starting(persona: Persona, carried: Mapping[str, Any] | None = None, since: Interlude | None = None) -> Inner:
    """The state in which a client comes to a session.

    Args:
        persona: Who it is.
        carried: Its private channels at the end of the session before, as JSON; empty before the first.
        since: What has happened to it since.
    """
    fresh, baseline = closed(persona), profile_of(persona).baseline
    if not carried or not {"emotion", "complaint"} <= set(carried):
        return Inner(at_rest(baseline), fresh)
    last = Inner(Emotion.model_validate(carried["emotion"]), Unfolding.model_validate(carried["complaint"]))
    gone_by = since or Interlude(event="Nothing in particular.")
    return Inner(drifted(last.emotion, baseline, gone_by), resumed(last.complaint, fresh, gone_by))


def lived(view: EvolvingView, heard: Sequence[Heard], sessions: int = 1) -> tuple[Inner, Inner]:
    """The state before and after the last thing heard, from the start of the session on; the client's notes left aside.

    Args:
        view: What the client knows.
        heard: All it has heard, one item at least.
        sessions: Sessions planned with it, over which the complaint unfolds.
    """
    persona, profile = view["persona"], profile_of(view["persona"])
    last = now = starting(persona, view.get("carried"), view.get("since"))
    most = furthest(now.complaint, sessions)
    for one in heard:
        last, now = now, _after(now, one, persona, profile, most)
    at = {"exchange": view["exchange"]}
    told = {"text": profile.complaint(now.complaint.stage), **at}
    return last, Inner(now.emotion.model_copy(update=at), now.complaint.model_copy(update=told))


def _after(now: Inner, heard: Heard, persona: Persona, profile: EvolvingProfile, most: int) -> Inner:
    """The state after one more turn of the counselor's."""
    signs, complaint, rest = heard.signs, now.complaint, profile.baseline
    emotion = moved(now.emotion, appraised(signs, rest, complaint.trust), rest, profile.inertia)
    trusts = complaint.model_copy(update={"trust": trusting(complaint.trust, signs, persona.receptivity)})
    named = shared(next_complaint(profile.complaints, complaint.stage), heard.words) >= _NAMED
    return Inner(emotion, unfolded(trusts, signs, emotion, rest, named=named, furthest=most))


def noted(view: EvolvingView, now: Unfolding, heard: Heard) -> Unfolding:
    """The complaint with the client's notes: what it told in its last turn, and what it is about to tell."""
    session, exchange = view.get("session_number", 1), view["exchange"]
    kept = view.get("complaint")
    notes = before(now.told if kept is None else Unfolding.model_validate(kept).told, session, exchange)
    for item in view["persona"].disclosures:
        if told_in(item.text, heard.before) >= _TOLD:
            notes = with_note(notes, Told(session=session, exchange=exchange, about=About.DISCLOSURE, text=item.text))
    if now.text:
        notes = with_note(notes, Told(session=session, exchange=exchange, about=About.COMPLAINT, text=now.text))
    return now.model_copy(update={"told": notes})


def comes_back(profile: EvolvingProfile, words: str) -> tuple[EarlierMemory, ...]:
    """What the counselor's words call to mind of earlier sessions, the nearest first."""
    near = sorted(profile.earlier, key=lambda memory: -shared(memory.text, words))
    return tuple(memory for memory in near[:_LINES] if shared(memory.text, words) >= _COMES_BACK)


def earlier_card(view: EvolvingView, profile: EvolvingProfile) -> str:
    """What the client has in mind of earlier sessions: of those before this simulation, and of those in it."""
    memories = view.get("client_memories", ())
    lines = [f"- {_earlier(memory)}" for memory in profile.earlier[-_EARLIER:]]
    return "\n".join([*lines, *([memory_card(memories)] if memories else ())])


def moment_card(last: Inner, now: Inner, back: Sequence[EarlierMemory] = ()) -> str:
    """The state as words for the turn card."""
    told = _told(now.complaint.told, now.complaint.text)
    lines = [
        _feels(last.emotion, now.emotion),
        _says(now.complaint, is_new=now.complaint.stage > last.complaint.stage),
        f"You have told already: {told} Do not tell it as news." if told else "",
        *(f"This comes back to you: {_earlier(memory)}" for memory in back),
    ]
    return "\n".join(line for line in lines if line)


def _feels(last: Emotion, now: Emotion) -> str:
    weight = "It is there beneath your words."
    if now.arousal >= _HIGH:
        weight = "It is close to breaking out."
    elif now.arousal <= _LOW:
        weight = "It makes you heavy and slow."
    change = now.valence - last.valence
    turn = ""
    if abs(change) >= _EASIER:
        turn = " It has just become a little easier." if change > 0 else " What was just said made it worse."
    return f"What you feel now is {now.word}. {weight}{turn} Let it be heard; do not name it unless you are asked."


def _says(complaint: Unfolding, *, is_new: bool) -> str:
    if not complaint.text:
        return ""
    place = "" if complaint.stage == complaint.stages else " Nothing that goes deeper yet."
    if is_new:
        return f'For the first time you can say: "{complaint.text}" Say it now, in words of your own.{place}'
    return f'As far as you can say it, what troubles you is: "{complaint.text}"{place}'


def _told(notes: Notes, present: str) -> str:
    texts = [note.text for note in notes if note.text != present]
    return " ".join(f'"{text}"' for text in texts[-_NOTES:])


def _earlier(memory: EarlierMemory) -> str:
    who = "you" if memory.by is Speaker.CLIENT else "the counselor"
    return f'(an earlier session, {memory.session}) {who} said: "{memory.text}"'
