"""The command line: a thin shell of the Python API."""

from __future__ import annotations

from counselgraph.garbage import kept_to_the_end


def main() -> None:
    """Entry point."""
    with kept_to_the_end():
        from counselgraph.cli.program import main as program

        program()
