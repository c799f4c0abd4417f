"""Train the learned screen, write its weights and cards, and print what it adds to the rules, out of fold.

    python benchmarks/train_screen.py DATA_FOLDER

DATA_FOLDER holds `risk_client/`, `risk_counselor/` and `transcripts/`; docs/learned-screen.md lists the sets, commits
and licences. Needs the extra `train`. Numbers are those of development data: five folds, three seeds, heads and
thresholds by the training part alone. `--rehearsal RUN` takes a run folder of rehearsal dialogues instead of playing
them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.screen_training import corpora
from benchmarks.screen_training.fitting import (
    HEADS,
    LABELLED,
    Decided,
    Task,
    fit_head,
    nested,
    out_of_fold,
    packed,
    raw_scores,
    task_of,
    thresholds,
    train_and_decide,
)
from benchmarks.screen_training.measuring import alarms, measure
from counselgraph.safety.learned import screen_learned, screen_learned_reply
from counselgraph.safety.learned.weights import Weights, load_weights, trained, write_weights
from counselgraph.safety.levels import Side
from counselgraph.safety.screen import screen
from counselgraph.said import Said

VERSION = "1"
SEEDS = (0, 1, 2)
WEIGHTS = Path(__file__).parents[1] / "counselgraph" / "safety" / "learned" / "weights"
SETS = {"en": "av9ash", "zh": "PsyGUARD", "en-reply": "DiaSafety risk ignorance"}
SOURCES = {
    "en": [
        "av9ash: llm_cssrs_code at 951522ca, CC BY 4.0, arXiv 2505.13480",
        "XSTest safe prompts: exaggerated-safety at d7bb5bd7, CC BY 4.0",
        "DiaSafety contexts (not Risk Ignorance, rules silent): DiaSafety at 5106a041, Apache-2.0",
        "rehearsal dialogues and sentences of our own",
    ],
    "zh": [
        "PsyGUARD: PsyGUARD at e16397ba, MIT",
        "CPsyCounE client turns (rules silent): CPsyCoun at 1954f2e2, CC BY 4.0",
    ],
    "en-reply": [
        "DiaSafety replies of Risk Ignorance: DiaSafety at 5106a041, Apache-2.0",
        "rehearsal dialogues of our own",
    ],
}


def main() -> None:
    """Train every language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rehearsal", type=Path, help="run folder of rehearsal dialogues; played anew if left out")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder of the weights")
    given = parser.parse_args()
    turns = corpora.rehearsal_turns(given.rehearsal)
    train("en", corpora.english(given.data, turns), given)
    train("zh", corpora.chinese(given.data), given)
    train("en-reply", corpora.english_replies(given.data, turns), given)


def train(model: str, rows: list[corpora.Row], given: argparse.Namespace) -> None:
    """Train one model, measure it and write it."""
    started = time.perf_counter()
    weights = trained_on(task_of(rows, model), rows)
    write_weights(given.out, weights)
    # These need the weights as a user gets them.
    load_weights.cache_clear()
    trained.cache_clear()
    measured = {"en": calm_turns, "en-reply": good_replies}.get(model)
    if measured:
        weights.card.about["transcripts"] = measured(given.data)
        write_weights(given.out, weights)
    size = (given.out / f"{model}.npz").stat().st_size / 1000
    print(f"{model}: {size:.0f} kB, thresholds {weights.card.thresholds}, {time.perf_counter() - started:.0f} s")


def trained_on(task: Task, rows: list[corpora.Row]) -> Weights:
    """The weights of one model, with its numbers in the card."""
    limits = np.mean([thresholds(task, out_of_fold(task, seed)) for seed in SEEDS], axis=0)
    about: dict[str, Any] = {
        "made": date.today().isoformat(),  # noqa: DTZ011 - the day of whoever trains
        "sources": SOURCES[task.model],
        "rows": corpora.counts(rows),
        "features": "hashed character, word and word-kind runs; no bucket seen in fewer than five texts has a weight",
        "method": "logistic regression on softly naive-Bayes-scaled buckets; thresholds maximise F1 beside the rules",
        "numbers": "out of fold on development data: rate, low and high end of the 95 % bootstrap interval",
    }
    decided = [nested(task, seed) for seed in SEEDS]
    about["labelled"] = dict(labelled(task, decided))
    about["calm"] = calm_sets(task, decided)
    about["auc"] = auc(task)
    if task.model == "en":
        about["harmless_prompts_two_ways"] = harmless_two_ways(task, rows)
    heads = [fit_head(task, level) for level in HEADS[task.model]]
    return packed(task, heads, [float(limit) for limit in limits], VERSION, about)


def labelled(task: Task, decided: list[Decided]) -> Iterator[tuple[str, Any]]:
    """Each layer at each level, all rows and the odd ones; prints the table."""
    print("\n| set | level | layer | recall | precision | F1 | specificity |\n|---|---|---|---|---|---|---|")
    rows = np.flatnonzero(task.source == LABELLED)
    for half, chosen in (("", rows), (", odd rows", rows[1::2])):
        rules = task.rules[chosen]
        layers = {
            "rules": [rules],
            "learned": [one.alone[chosen] for one in decided],
            "rules + learned": [np.maximum(one.beside[chosen], rules) for one in decided],
        }
        for level in HEADS[task.model]:
            found = {
                name: measure(task.level[chosen] >= level, [one >= level for one in levels])
                for name, levels in layers.items()
            }
            for name, measured in found.items():
                print(f"| {SETS[task.model]}{half} | R{level} | {name} | {measured.cells()} |")
            yield f"R{level}{half}", {name: measured.plain() for name, measured in found.items()}


def auc(task: Task) -> dict[str, float]:
    """Area under the curve of each head on the labelled rows, out of fold."""
    found = {}
    for place, level in enumerate(HEADS[task.model]):
        areas = [
            roc_auc_score((task.level >= level)[~task.calm], raw_scores(task, seed)[place, ~task.calm])
            for seed in SEEDS
        ]
        found[f"R{level}"] = round(float(np.mean(areas)), 3)
    print(f"area under the curve, out of fold: {found}")
    return found


def calm_sets(task: Task, decided: list[Decided]) -> dict[str, Any]:
    """Share of calm texts on which the learned layer speaks, out of fold."""
    found = {}
    for source in sorted(set(task.source[task.calm])):
        places = task.source == source
        found[str(source)] = alarms([one.beside[places] for one in decided], HEADS[task.model])
        print(f"calm, out of fold: {source} {found[str(source)]}")
    return found


def harmless_two_ways(task: Task, rows: list[corpora.Row]) -> dict[str, Any]:
    """Trained with the harmless prompts of half the types, tested on those of the other half; both ways."""
    types = sorted({row.group for row in rows if row.source == "XSTest safe"})
    quiet: dict[str, list[bool]] = {"rules": [], "learned": [], "rules + learned": []}
    for half in (types[::2], types[1::2]):
        test = np.array([row.group in half for row in rows])
        levels = train_and_decide(task, np.flatnonzero(~test), np.flatnonzero(test), 0).beside
        rules = task.rules[test]
        for name, found in zip(quiet, (rules, levels, np.maximum(rules, levels)), strict=True):
            quiet[name].extend(found == 0)
    specificity = {name: round(float(np.mean(values)), 4) for name, values in quiet.items()}
    print(f"harmless prompts of unseen types, share at R0: {specificity}")
    return specificity


def calm_turns(data: Path) -> dict[str, Any]:
    """Share of client turns of counseling sessions at each level, by rules and by both; nothing is trained on them."""
    found = {}
    for name, texts in corpora.calm_sessions(data).items():
        rules = np.array([int(screen(text).level) for text in texts])
        learned = (screen_learned(text, side=Side.CLIENT, language="en") for text in texts)
        both = np.maximum(rules, [int(verdict.level) if verdict else 0 for verdict in learned])
        shares = {name: alarms([levels], HEADS["en"]) for name, levels in (("rules", rules), ("rules + learned", both))}
        found[name] = {"turns": len(texts), **shares}
        print(f"calm sessions: {name} {found[name]}")
    return found


def good_replies(data: Path) -> dict[str, Any]:
    """Share of replies in good sessions on which the learned layer speaks; nothing is trained on them."""
    found = {}
    for name, pairs in corpora.good_replies(data).items():
        said = (screen_learned_reply(reply, before=[Said("client", text)], language="en") for text, reply in pairs)
        found[name] = {
            "replies": len(pairs),
            "spoken": round(float(np.mean([bool(one and one.level) for one in said])), 4),
        }
        print(f"good sessions: {name} {found[name]}")
    return found


if __name__ == "__main__":
    main()
