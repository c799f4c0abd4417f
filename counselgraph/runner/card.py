"""The data card: what an export is, how it was made and what it holds, in Markdown beside the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counselgraph import __version__
from counselgraph.personas.load import BUILTIN
from counselgraph.runner.formats import SEATED, Options
from counselgraph.runner.log import NOTICE, REHEARSAL_NOTICE
from counselgraph.runner.public import last_part, public_model, public_value
from counselgraph.runner.splits import Splits
from counselgraph.runner.tally import Capped, Tally
from counselgraph.runner.writers import Draft

_NOT_TOLD = frozenset({"out", "base_url", "concurrency", "max_calls", "timeout_s", "workers", "executor", "skip_bad"})
_SPENT = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "unusable")

_LIMITS = """\
- Every word of the clients and counselors is simulated. Nothing here is evidence about people, disorders or treatments.
- Not for care: a model trained on this file is not thereby fit to talk to somebody in distress.
- What the clients are like follows from their personas; no population is represented.
- Safety levels are verdicts of the screens of the run, not of clinicians.
- Turns of the kinds `crisis` and `safe_reply` are fixed texts of the simulator that stand in for a model's words."""

_LICENCE = """\
Left to whoever publishes the file: the terms of the persona sources and of the models named above decide about it."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a card is written about.

    Attributes:
        out: The file that was asked for.
        to: Its format.
        options: What it was asked for with.
        failed: Whether sessions that an error ended are in it.
        splits: How the sessions were dealt out.
        files: Split to file.
        manifests: The run.yaml of each run.
        tally: Its figures.
    """

    out: Path
    to: str
    options: Options
    failed: bool
    splits: Splits
    files: Mapping[str, Draft]
    manifests: Sequence[Mapping[str, Any]]
    tally: Tally


def card(of: Export) -> str:
    """The card as Markdown."""
    sections = {
        f"# Data card of {of.out.name}": [_what(of)],
        "## Files": _files(of),
        "## How it was made": (line for manifest in of.manifests for line in _run(of.tally, manifest)),
        "## Prompts": _prompts(of.tally),
        "## Counts": _counts(of.tally),
        "## Left out": _left_out(of),
        "## Safety events": _safety(of.tally),
        "## Personas": _personas(of.tally),
        "## Limits of use": [_LIMITS],
        "## Licence": [_LICENCE],
    }
    return "\n\n".join("\n\n".join([title, *parts]) for title, parts in sections.items()) + "\n"


def _what(of: Export) -> str:
    words = [NOTICE, f"Written by counselgraph {__version__} in the format `{of.to}`."]
    if of.to in SEATED:
        words.append(f"The assistant speaks for the {of.options.seat}.")
    if of.tally.marked:
        words.append(f"{of.tally.marked} of {of.tally.sessions} sessions are rehearsal material. {REHEARSAL_NOTICE}")
    return " ".join(words)


def _files(of: Export) -> Iterator[str]:
    parts = of.tally.parts
    rows = [
        (
            draft.target.name,
            name or "all",
            f"{of.splits.shares[name]:g}",
            parts[name].sessions,
            len(parts[name].clients),
            parts[name].exchanges,
            draft.size,
            f"`{draft.sha256}`",
        )
        for name, draft in of.files.items()
    ]
    yield _table(("file", "split", "share", "sessions", "clients", "exchanges", "bytes", "SHA-256"), rows)
    if len(parts) > 1:
        yield (
            "A client is in one split only, with all replicates, forks and attitudes of one intake form; which one is "
            f"a hash of the client and of split seed {of.splits.seed}, so sessions added later move nobody."
        )


def _run(tally: Tally, manifest: Mapping[str, Any]) -> Iterator[str]:
    yield f"### Run {manifest.get('run', 'without a name')}"
    versions, changed = manifest.get("versions") or {}, manifest.get("changed") or ()
    facts = {
        "sessions": tally.runs[str(manifest.get("run"))],
        "counselgraph": versions.get("counselgraph", "unknown"),
        "started": manifest.get("started", "unknown"),
        **_settings(manifest.get("spec") or {}),
        **dict(_servers(manifest.get("servers") or {})),
    }
    yield _table(("what", "value"), ((key, _shown(value)) for key, value in facts.items()))
    for change in changed:
        told = (f"`{field}` from {_shown(old)} to {_shown(new)}" for field, (old, new) in _changes(change))
        yield f"Changed on {change['at']}, for the sessions played from then on: {', '.join(told)}."


def _changes(change: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for field, values in change["diff"].items():
        kind = field.partition(".")[0]
        yield field, (_public_setting(kind, values["there"]), _public_setting(kind, values["now"]))


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in spec.items() if key not in _NOT_TOLD and value not in (None, [], {})}
    return {key: _public_setting(key, value) for key, value in told.items()}


def _public_setting(key: str, value: Any) -> Any:
    """A field of a spec without folders."""
    match key, value:
        case "model" | "models", str():
            return public_model(value)
        case "models", dict():
            return {role: public_model(name) for role, name in value.items()}
        case "personas", str():
            return value if value.partition("/")[0] == BUILTIN else last_part(value)
        case "memory", str():
            return value if value in {"run", "none"} else "a store that outlives the run"
        case "embedder", str():
            return ":".join(map(last_part, value.split(":", 1)))
        case _:
            return public_value(value)


def _servers(servers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What each server said of its model, without its address."""
    for name, said in servers.items():
        model = said.get("model") if isinstance(said, dict) else None
        entry = model if isinstance(model, dict) else {}
        plain = {key: value for key, value in entry.items() if isinstance(value, str | int | float | bool)}
        yield f"server of {public_model(name)}", public_value(plain) or "said nothing of it"


def _prompts(tally: Tally) -> Iterator[str]:
    yield (
        "System prompts by content address: the name of the text in `texts/` of its run. Every row names its own in "
        "`prompt_hashes`."
    )
    yield _table(("role", "prompt", "sessions"), _capped(tally.prompts, mark="`"))


def _counts(tally: Tally) -> Iterator[str]:
    parts = tally.parts.values()
    clients, exchanges = sum(len(part.clients) for part in parts), sum(part.exchanges for part in parts)
    yield f"{tally.sessions} sessions, {clients} clients, {exchanges} exchanges, {tally.turns.total()} turns."
    yield _table(("role", "kind of turn", "turns"), ((*key, count) for key, count in sorted(tally.turns.items())))
    used = ((*key, *(counts[each] for each in _SPENT)) for key, counts in sorted(tally.tokens.items()))
    yield _table(("role", "model", *(each.replace("_", " ") for each in _SPENT)), used)
    for column, values in tally.counts.items():
        yield _table((column, "sessions"), values.most_common())


def _left_out(of: Export) -> Iterator[str]:
    rows = [("not ended yet", of.tally.unfinished)]
    rows += [(f"ended by an error: {stop}", count) for stop, count in of.tally.failed.most_common()]
    yield _table(("sessions left out because", "sessions"), rows)
    inside = "Sessions that an error ended are in it. " if of.failed else ""
    private = (
        "What only one role knew is in it as far as the format has a place for it."
        if of.options.private
        else "What only one role knew is left out: case cards, notes, memories, hypotheses, reasons of safety verdicts."
    )
    yield f"{inside}{private}"


def _safety(tally: Tally) -> Iterator[str]:
    assessed = ((side, f"R{level}", count) for (side, level), count in sorted(tally.assessments.items()))
    yield _table(("side", "level of the turn", "assessments"), assessed)
    found = ((side, category, f"R{level}", count) for (side, category, level), count in sorted(tally.findings.items()))
    yield _table(("side", "category", "level", "findings"), found)


def _personas(tally: Tally) -> Iterator[str]:
    yield _table(("format", "file", "sessions"), _capped(tally.sources))


def _capped(counts: Mapping[str, Capped], mark: str = "") -> Iterator[tuple[object, ...]]:
    for name, capped in sorted(counts.items()):
        yield from ((name, f"{mark}{value}{mark}", count) for value, count in capped.first.most_common())
        if capped.rest:
            yield name, "others", capped.rest


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_shown(inner)}" for key, inner in value.items())
    return ", ".join(map(_shown, value)) if isinstance(value, list | tuple) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    if not lines:
        return "None."
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
