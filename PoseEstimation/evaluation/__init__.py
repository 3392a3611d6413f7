"""Run a published protocol on a folder: ``metrics.json`` and ``table.md``, beside published rows.

One file per data set runs the predictor and scores it; ``frames.py`` turns labelled samples into
frames and runs them, ``people.py`` holds what protocols of photos share, ``published.py`` the rows
of the literature; ``report.py`` turns numbers into tables, ``provenance.py`` says what they were
measured on. To add a protocol: its file here, its class in ``metrics/protocols``, its row in
``recipes.py``.
"""
