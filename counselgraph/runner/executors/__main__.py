"""A worker process starts here."""

from counselgraph.runner.executors.worker import main

main()
