"""Outside formats, one module each. To add one: write the module and name its format here."""

from __future__ import annotations

from counselgraph.dialogues.formats.annomi import ANNOMI
from counselgraph.dialogues.formats.cactus import CACTUS, MAGNET
from counselgraph.dialogues.formats.chat import CHATML, SHAREGPT
from counselgraph.dialogues.formats.cpsycoune import CPSYCOUNE
from counselgraph.dialogues.formats.esconv import ESCONV
from counselgraph.dialogues.formats.form import Format
from counselgraph.dialogues.formats.jsonl import JSONL
from counselgraph.dialogues.formats.kokorochat import KOKOROCHAT
from counselgraph.dialogues.formats.psychosis_bench import PSYCHOSIS_BENCH
from counselgraph.dialogues.formats.session import SESSION
from counselgraph.dialogues.formats.text import TEXT

JSON_FORMATS = (SESSION, JSONL, PSYCHOSIS_BENCH, CHATML, SHAREGPT, ESCONV, KOKOROCHAT, MAGNET, CACTUS, CPSYCOUNE)
"""Formats of JSON files, in the order in which they are tried."""

TABLES = (ANNOMI,)
"""Formats of CSV files."""

FORMATS: tuple[Format, ...] = (TEXT, *JSON_FORMATS, *TABLES)
