"""Error measures and published protocols: numbers in, numbers out.

``errors`` holds the measures, one function each; ``protocols`` says which joints, thresholds and
averages a published table means, one file per data set. To add a protocol: write its class in
``protocols/NAME.py`` from the functions of ``errors.py``, and a file in ``evaluation`` that reads
the data and runs it.
"""
