"""How often the planner's first technique is one of the gold techniques of a Cactus file.

    python benchmarks/planner.py FILE [--model NAME] [--base-url URL] [--seed N]

Compared with always naming the most frequent technique, and with naming one of the fourteen at random. The planner sees
what a planner may see: the head of the intake form, the reason for coming, and the client's first turn. Labels are read
from the records' source, which no role sees.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from pathlib import Path

from counselgraph import RunSpec, Technique, load_personas, read_run, run_sync
from counselgraph.personas.importers.cactus import gold_techniques
from counselgraph.protocols.protocol import load_protocol


def main() -> None:
    """Run the first exchange of every record and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--model", default="rehearsal")
    parser.add_argument("--base-url")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    gold = {persona.id: labels(gold_techniques(persona)) for persona in load_personas(options.file).personas}
    gold = {persona: names for persona, names in gold.items() if names}
    named = first_techniques(options)
    hits = sum(named[persona] in names for persona, names in gold.items())
    often, most = Counter(name for names in gold.values() for name in names).most_common(1)[0]
    chance = sum(len(names) / len(Technique) for names in gold.values())

    print(f"{Path(options.file).name}, {len(gold)} labelled records, model {options.model}, seed {options.seed}\n")
    print("| first technique | among the gold ones |")
    print("|---|---|")
    print(f"| planner | {hits} of {len(gold)} ({hits / len(gold):.0%}) |")
    print(f"| always {often} | {most} of {len(gold)} ({most / len(gold):.0%}) |")
    print(f"| one of fourteen at random | {chance:.1f} of {len(gold)} ({chance / len(gold):.0%}) |")
    print(f"\nNamed: {', '.join(f'{name} {count}' for name, count in Counter(named.values()).most_common())}")


def first_techniques(options: argparse.Namespace) -> dict[str, str]:
    """Persona id to the technique of its first plan."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        spec = RunSpec(
            personas=options.file,
            model=options.model,
            base_url=options.base_url,
            seed=options.seed,
            max_exchanges=4,
            call_limit=6,
            memory="none",
            out=out,
        )
        run_sync(spec)
        return {record.id: record.of("plan")[0]["technique"] for record in read_run(out)}


def labels(names: tuple[str, ...]) -> set[str]:
    """Gold labels as techniques; spelling, case and hyphens vary."""
    known = {_plain(item.label): technique.value for technique, item in load_protocol().techniques.items()}
    unknown = [name for name in names if _plain(name) not in known]
    if unknown:
        raise SystemExit(f"no technique of ours is called {unknown}")
    return {known[_plain(name)] for name in names}


def _plain(name: str) -> str:
    words = re.findall(r"[a-z]+", name.casefold().replace("behaviour", "behavior"))
    return " ".join(word for word in words if word not in {"technique", "training", "skills"})


if __name__ == "__main__":
    main()
