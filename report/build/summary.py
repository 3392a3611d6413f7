"""The report, rebuilt from stored results: ``make report``.

``report/template.md`` holds the words, with a name in braces where a table, a picture or a number
belongs; every number comes from ``report/results``. The tables of results also go into other pages
(README, model cards) between the two ``MARKS``, those of photos between the ``PHOTO_MARKS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from Engine.errors import DataError
from Engine.files import write_text
from Engine.reading import load_json, require_file, require_folder
from PoseEstimation.evaluation import compare
from PoseEstimation.evaluation.mini_rgbd_tables import mini_rgbd_tables
from PoseEstimation.evaluation.report import SCHEMA, Table, number
from report.build import figures, lifter_tables, looks_tables
from report.build import photo_record as real_record
from report.build.page import to_html
from report.build.photo_record import record_tables
from report.experiments import movement

MARKS = ("<!-- results: begin, written by make report -->", "<!-- results: end -->")
PHOTO_MARKS = ("<!-- photos: begin, written by make report -->", "<!-- photos: end -->")
CHAINS = "chains"


class Results:
    """Everything in a folder of results, by the files' names.

    Attributes:
        metrics: contents of each ``metrics.json`` of ``infantpose evaluate``.
        comparisons: rows of each ``compare.json`` of ``infantpose compare``.
        chains: stages of each chain, of ``chains.json``.
        photos: what each set of weights does on photos, of ``real_record``.
        looks: what a network that knows photos finds on generated people, of ``looks``.
        lifters: lifters over infants, of ``report.experiments.lifter``.
        movements: generated beside real infants, of ``report.experiments.movement``.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            DataError: no such folder, nothing in it, or a file of something else.
        """
        self.metrics: dict[str, dict[str, Any]] = {}
        self.comparisons: dict[str, dict[str, Any]] = {}
        self.chains: dict[str, list[dict[str, Any]]] = {}
        self.photos: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, dict[str, Any]] = {}
        self.lifters: dict[str, dict[str, Any]] = {}
        self.movements: dict[str, dict[str, Any]] = {}
        paths = sorted(require_folder(folder, "results").glob("[!.]*.json"))
        if not paths:
            raise DataError(f"results: {folder} holds none; copy a metrics.json there as NAME.json")
        for path in paths:
            self._add(path, load_json(path, "result"))

    def _add(self, path: Path, content: Any) -> None:
        about = content.get("about", {}) if isinstance(content, dict) else {}
        if isinstance(content, dict) and path.stem == CHAINS:
            self.chains = content
        elif isinstance(about, dict) and about.get("schema") == compare.SCHEMA:
            self.comparisons[path.stem] = content
        elif isinstance(content, dict) and content.get("schema") == real_record.SCHEMA:
            self.photos[path.stem] = content
        elif isinstance(content, dict) and content.get("schema") == looks_tables.SCHEMA:
            self.looks[path.stem] = content
        elif isinstance(content, dict) and content.get("schema") == lifter_tables.SCHEMA:
            self.lifters[path.stem] = content
        elif isinstance(content, dict) and content.get("schema") == movement.SCHEMA:
            self.movements[path.stem] = content
        elif isinstance(content, dict) and _is_metrics(content):
            self.metrics[path.stem] = content
        else:
            raise DataError(
                f"result: {path} is neither of schema {SCHEMA} and protocol mini_rgbd nor of "
                f"{compare.SCHEMA}; copy a metrics.json or a compare.json"
            )


def _is_metrics(content: Mapping[str, Any]) -> bool:
    return content.get("schema") == SCHEMA and content.get("protocol") == "mini_rgbd"


def write_report(results: Results, template: Path, folder: Path, pictures: Path) -> list[Path]:
    """Write ``report.md``, ``report.html`` and, into ``pictures``, the plots that they show.

    Raises:
        DataError: no template, or it names what the results do not hold.
    """
    text = require_file(template, "template").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    try:
        page = environment.from_string(text).render(Names(results, folder, pictures).words())
    except (jinja2.TemplateError, KeyError, IndexError) as error:
        raise DataError(f"report: {template} asks for what there is not ({error})") from error
    write_text(folder / "report.md", page)
    write_text(folder / "report.html", to_html(page, folder))
    return [folder / "report.md", folder / "report.html"]


class Names:
    """What a template may name."""

    def __init__(self, results: Results, folder: Path, pictures: Path) -> None:
        self.results, self.folder, self.pictures = results, folder, pictures

    def words(self) -> dict[str, Any]:
        """Functions by the names that templates use."""
        names = (
            "tables",
            "comparison",
            "stages",
            "sources",
            "value",
            "plot",
            "picture",
            "row",
            "photo_tables",
            "looks_tables",
            "lifter_tables",
            "movement_table",
        )
        found = self.results
        stored = {
            "metrics": found.metrics,
            "comparisons": found.comparisons,
            "chains": found.chains,
            "photos": found.photos,
            "looks": found.looks,
            "lifters": found.lifters,
            "movements": found.movements,
        }
        return {**stored, **{name: getattr(self, name) for name in names}}

    def tables(self) -> str:
        """Our rows above the published ones."""
        return _markdown(result_tables(self.results))

    def comparison(self, name: str) -> str:
        """A comparison's table."""
        content = self.results.comparisons[name]
        return _markdown([compare.table(content["about"]["title"], _rows(content))])

    def row(self, name: str, row: str) -> Mapping[str, Any]:
        """A row of a comparison."""
        return self.results.comparisons[name][row]

    def value(self, number_: float, decimals: int = 2) -> str:
        """A number."""
        return number(number_, decimals)

    def photo_tables(self, name: str) -> str:
        """Everything that was measured on photos."""
        return _markdown(record_tables(self.results.photos[name]))

    def looks_tables(self, name: str) -> str:
        """How well generated people are found by a network that knows photos."""
        return _markdown(looks_tables.looks_tables(self.results.looks[name]))

    def lifter_tables(self, name: str) -> str:
        """Lifters over infants."""
        return _markdown(lifter_tables.lifter_tables(self.results.lifters[name]))

    def movement_table(self, name: str) -> str:
        """Generated beside real infants."""
        return _markdown([movement.movement_table(self.results.movements[name])])

    def stages(self) -> str:
        """What each stage of each chain cost and began with."""
        return _markdown([_stage_table(chain, s) for chain, s in self.results.chains.items()])

    def sources(self) -> str:
        """What made each result and on which labels."""
        return _markdown([_sources(self.results.metrics)])

    def plot(self, kind: str, *names: str) -> str:
        """Draw one of ``figures`` from results: metrics, or rows of a comparison.

        ``names`` are of metrics for ``per_joint``; for ``calibration`` ``3d`` or ``2d``, and the
        rows if not all.
        """
        found = self.results
        if kind == "learning_curves":
            figure = figures.learning_curves(found.chains)
        elif kind == "per_joint":
            figure = figures.per_joint({name: found.metrics[name] for name in names})
        elif kind == "ablation":
            figure = figures.ablation(_rows(found.comparisons["ablation"]))
        else:
            rows = _rows(found.comparisons["calibration"])
            shown = names[1:] or [name for name, row in rows.items() if row["calibration"]]
            figure = figures.calibration({name: rows[name] for name in shown}, names[0])
        name = f"{kind}_{names[0]}" if kind == "calibration" else kind
        figures.write_figure(self.pictures / f"report_{name}.png", figure)
        return self.picture(f"report_{name}.png", kind.replace("_", " "))

    def picture(self, name: str, words: str) -> str:
        """A picture, by its name."""
        path = require_file(self.pictures / name, "picture")
        return f"![{words}]({Path(os.path.relpath(path, self.folder)).as_posix()})"


def _rows(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row for name, row in content.items() if name != "about"}


def _markdown(tables: list[Table]) -> str:
    """Tables under headings below those of a page's sections."""
    return "\n".join(table.markdown(3) for table in tables)


def result_tables(results: Results) -> list[Table]:
    """A table per kind of pose, our rows above the published ones."""
    by_title: dict[str, list[Table]] = {}
    for name, metrics in results.metrics.items():
        for table in mini_rgbd_tables({**metrics, "weights": {"name": name}}):
            if table.ours:
                by_title.setdefault(table.title, []).append(table)
    return [_merged(same) for same in by_title.values()]


def with_tables(text: str, results: Results, where: Path) -> str:
    """Return a page with what stands between its marks replaced by the tables.

    Raises:
        DataError: ``where``, the page's path, has neither ``MARKS`` nor ``PHOTO_MARKS``.
    """
    photos = [table for record in results.photos.values() for table in record_tables(record)]
    kinds = {MARKS: result_tables(results), PHOTO_MARKS: photos}
    found = [marks for marks in kinds if all(text.count(mark) == 1 for mark in marks)]
    if not found:
        raise DataError(f"{where}: needs one line '{MARKS[0]}' and one line '{MARKS[1]}'")
    for begin, end in found:
        before, rest = text.split(begin)
        tables = _markdown(kinds[begin, end])
        text = f"{before}{begin}\n\n{tables}\n{end}{rest.split(end)[1]}"
    return text


def _merged(tables: list[Table]) -> Table:
    """Our rows of every table, then the published rows, which are the same in each."""
    first = tables[0]
    ours = [table.rows[i] for table in tables for i in sorted(table.ours)]
    published = [row for i, row in enumerate(first.rows) if i not in first.ours]
    return Table(first.title, first.header, (*ours, *published), frozenset(range(len(ours))))


def _sources(metrics: Mapping[str, Mapping[str, Any]]) -> Table:
    header = ("result", "frames", "sequences", "labels sha256", "code", "command")
    rows = tuple(
        (
            name,
            str(found["data"]["frames"]),
            ", ".join(found["data"]["sequences"]),
            found["data"]["root_sha256"][:12],
            found["code_version"],
            f"`{found['command']}`",
        )
        for name, found in metrics.items()
    )
    return Table("Sources", header, rows)


def _stage_table(chain: str, stages: list[dict[str, Any]]) -> Table:
    header = ("stage", "minutes", "steps", "stopped by", "begins with")
    rows = tuple(
        (
            stage["name"],
            number(stage["minutes"], 1),
            str(stage["summary"].get("steps", "-")),
            str(stage["summary"].get("stopped_by", "-")),
            ", ".join(f"{key} {digest[:8]}" for key, digest in stage["begins_with"].items()) or "-",
        )
        for stage in stages
    )
    return Table(f"Chain {chain}", header, rows)
