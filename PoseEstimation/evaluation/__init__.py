"""Run a published protocol on a folder: ``metrics.json`` and ``table.md``, beside published rows.

One file per data set runs the pipeline and scores it; ``published.py`` holds the rows of the
literature, ``report.py`` turns numbers into tables, ``provenance.py`` says what they stand on.
"""
