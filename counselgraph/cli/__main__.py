"""`python -m counselgraph.cli`."""

from counselgraph.cli import main

main()
