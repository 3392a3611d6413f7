"""Results on disk, a file per format: ``poses_json`` (everything), ``poses_csv`` (tidy), ``coco``.

To add a format: write ``io/<name>.py`` with ``write_<name>(result, path)`` that states its layout
at the top, writes through ``Engine.files``, and name it in ``inference/predict.py``.
"""
