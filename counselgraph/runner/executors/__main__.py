"""A worker process starts here."""

from counselgraph.garbage import kept_to_the_end

with kept_to_the_end():
    from counselgraph.runner.executors.worker import main

    main()
