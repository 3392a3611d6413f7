"""The one program of the report: ``python -m report.build``.

    python -m report.build RESULTS --template FILE --output DIR --pictures DIR [--into PAGE ...]
    python -m report.build chains CHAIN ... --output chains.json
    python -m report.build photos EVALUATION [--detector NAME=DIR ...] ... --output real.json

The first writes the report (``make report``), the others records that it is made from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from Engine.files import write_json, write_text
from Engine.process import exit_code
from report.build import photo_record, training_record
from report.build.summary import Results, with_tables, write_report


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report or a record; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    records = {"chains": _chains, "photos": _photos}
    run = records.get(given[0], _report) if given else _report
    return exit_code("infantpose", lambda: run(given[run is not _report :]))


def _report(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("report.build", description="Write the report.")
    parser.add_argument("results", type=Path, help="folder of NAME.json")
    parser.add_argument("--template", type=Path, required=True, help="the report's words")
    parser.add_argument("--output", type=Path, required=True, help="folder of report.md and .html")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of its pictures")
    parser.add_argument("--into", type=Path, nargs="*", default=[], help="pages with the marks")
    options = parser.parse_args(arguments)
    results = Results(options.results)
    pages = {
        path: with_tables(path.read_text(encoding="utf-8"), results, path) for path in options.into
    }
    written = write_report(results, options.template, options.output, options.pictures)
    for path, text in pages.items():
        write_text(path, text)
    print(*written, *pages, sep="\n")
    return 0


def _chains(arguments: Sequence[str]) -> int:
    """Write the records of chains; others in the file stay."""
    parser = argparse.ArgumentParser("report.build chains", description=training_record.__doc__)
    parser.add_argument("chains", type=Path, nargs="+", help="folders of chains")
    parser.add_argument("--output", type=Path, required=True, help="chains.json")
    options = parser.parse_args(arguments)
    write_json(options.output, training_record.merged(options.output, options.chains))
    print(options.output)
    return 0


def _photos(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("report.build photos", description=photo_record.__doc__)
    parser.add_argument("photos", type=Path, help="folder of 'infantpose evaluate syrip'")
    parser.add_argument("--detector", type=_named, action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--mix", type=_named, action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--generated", type=Path, help="the same of generated photos")
    parser.add_argument("--output", type=Path, required=True, help="real.json")
    options = parser.parse_args(arguments)
    sources = options.photos, dict(options.detector), dict(options.mix), options.generated
    write_json(options.output, photo_record.real_record(*sources))
    print(options.output)
    return 0


def _named(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not folder:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=DIR")
    return name, Path(folder)


if __name__ == "__main__":
    sys.exit(main())
