"""The house rules that a program can check: layers, sizes, docstrings, what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("Engine", "Datasets", "FasterRCNN", "PoseEstimation")
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".mp4"}

# written in pieces, so that this file does not hold what it forbids
MACHINE_PATH = re.compile(
    "/(?:" + "|".join(("tmp", "work", "farm", "root", "home", "Users")) + r")/\w"
)
REGISTRY = re.compile(
    r"(?:pypi\.org|pythonhosted\.org|download\.pytorch\.org|--(?:extra-)?index-url)"
)
SHARED = re.compile(r"\.\./" + "shared")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def repository_files() -> tuple[Path, ...]:
    """Files that are committed or would be with ``git add``."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: " + listed.stderr.strip())
    return tuple(ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file())


@cache
def modules() -> dict[str, ast.Module]:
    """Every Python file of the packages, parsed."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in files}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every syntax node of the packages with the place where it stands."""
    for path, module in modules().items():
        for node in ast.walk(module):
            yield f"{path}:{getattr(node, 'lineno', 0)}", node


def functions() -> Iterator[tuple[str, Function]]:
    """Every function of the packages with the place where it stands."""
    for place, node in nodes():
        if isinstance(node, Function):
            yield f"{place} {node.name}", node


def public_definitions(module: ast.Module) -> Iterator[ast.ClassDef | Function]:
    """Public functions and classes of a module, and the public methods of those classes."""
    open_bodies = [module.body]
    while open_bodies:
        for node in open_bodies.pop():
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                if not any(ast.unparse(d) == "overload" for d in node.decorator_list):
                    yield node
                if isinstance(node, ast.ClassDef):
                    open_bodies.append(node.body)


def lines_of(function: Function) -> int:
    return function.end_lineno - function.lineno + 1


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository with its content."""
    for path in repository_files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def python_files() -> list[Path]:
    return [path for path in repository_files() if path.suffix == ".py"]


def runs_code_on_load(node: ast.AST) -> bool:
    """Whether a node imports a pickling library or names torch.load, torch.save or allow_pickle."""
    picklers = {"pickle", "cloudpickle", "dill", "joblib", "shelve"}
    match node:
        case ast.Import():
            return any(alias.name in picklers for alias in node.names)
        case ast.ImportFrom():
            return node.module in picklers
        case ast.Attribute(value=ast.Name(id="torch"), attr="load" | "save"):
            return True
        case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
            return True
    return False


SAVERS = {
    *("write_text", "write_bytes", "tofile", "save", "savez", "savez_compressed", "savetxt"),
    *("savemat", "save_file", "savefig", "imwrite", "imsave", "rename"),
}
COPIERS = {"copy", "copy2", "copyfile", "move", "replace"}


def names_in(node: ast.AST) -> set[str]:
    """Names that stand anywhere in a node."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def writes_a_file(node: ast.AST) -> bool:
    """Whether a node writes a file by other means than ``Engine.files``.

    Whatever saves must be given ``temporary``, which ``replacing`` names (or, for a whole folder,
    ``TemporaryDirectory``), or a ``buffer`` in memory. Nobody makes a temporary name of their own.
    Adding lines to a log (mode "a") is no such writing.
    """
    match node:
        case ast.Assign(targets=[ast.Name(id="temporary")], value=value):
            return "replacing" not in names_in(value)
        case ast.Call(func=ast.Attribute(value=target, attr=name), args=args):
            module = target.id if isinstance(target, ast.Name) else ""
            # Path.replace takes one argument, str.replace two, dataclasses.replace keywords
            moved = name == "replace" and len(args) == 1 and not node.keywords
            saves = name in SAVERS or moved or (module in ("os", "shutil") and name in COPIERS)
        case ast.Call(func=ast.Name(id=name)):
            saves = name in SAVERS - {"write_text", "write_bytes"} or name in COPIERS - {"replace"}
        case _:
            return False
    if name in ("mkstemp", "NamedTemporaryFile"):
        return True
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    opens = name in ("open", "File", "ZipFile") and any(
        isinstance(value, ast.Constant) and re.fullmatch("[rbt]*[wx+][rwxbt+]*", str(value.value))
        for value in given
    )
    named = names_in(node.func).union(*map(names_in, given))
    return (saves or opens) and not named & {"temporary", "buffer"}


def test_import_layers_hold():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_files_are_short():
    counts = {str(p.relative_to(ROOT)): p.read_bytes().count(b"\n") for p in python_files()}
    assert {path: count for path, count in counts.items() if count > 400} == {}


def test_functions_are_short():
    sizes = {place: lines_of(node) for place, node in functions()}
    assert {place: size for place, size in sizes.items() if size > 60} == {}
    longer = {place: size for place, size in sizes.items() if size > 35}
    assert len(longer) <= 0.1 * len(sizes), longer


def test_public_definitions_have_docstrings():
    bare = [
        f"{path}:{node.lineno} {node.name}"
        for path, module in modules().items()
        for node in public_definitions(module)
        if ast.get_docstring(node) is None
    ]
    bare += [path for path, module in modules().items() if ast.get_docstring(module) is None]
    assert bare == []


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        (MACHINE_PATH, "see /" + "home/someone/data"),
        (REGISTRY, "https://pypi" + ".org/simple"),
        (SHARED, "../" + "shared/specs"),
    ],
    ids=["a path of one machine", "a registry's address", "a folder outside the repository"],
)
def test_no_file_depends_on_where_it_was_written(pattern, example):
    assert pattern.search(example)
    found = {path: match.group() for path, text in texts() if (match := pattern.search(text))}
    assert found == {}


def test_no_pickles():
    """Weights and data are safetensors, JSON and plain arrays: loading a file never runs code."""
    assert [place for place, node in nodes() if runs_code_on_load(node)] == []


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("import pickle", True),
        ("from joblib import load", True),
        ("torch.load(path)", True),
        ("np.load(path, allow_pickle=True)", True),
        ("np.load(path)", False),
        ("safetensors.torch.load_file(path)", False),
    ],
)
def test_the_pickle_rule_sees(line, forbidden):
    assert any(runs_code_on_load(node) for node in ast.walk(ast.parse(line))) == forbidden


def test_files_are_written_whole_or_not_at_all():
    """One writer, ``Engine.files``: a failure in the middle of a save leaves the old file."""
    written = [place for place, node in nodes() if writes_a_file(node)]
    assert [place for place in written if not place.startswith("Engine/files.py:")] == []
    assert written != []


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("path.write_text(text)", True),
        ("(folder / 'a.bin').write_bytes(content)", True),
        ("np.savez_compressed(path, a=a)", True),
        ("Image.fromarray(rgb).save(path, 'JPEG')", True),
        ("savemat(path, content)", True),
        ("scipy.io.savemat(path, content)", True),
        ("save_file(tensors, path)", True),
        ("figure.savefig(path)", True),
        ("open(path, 'w')", True),
        ("open(path, mode='xb')", True),
        ("path.open('w', newline='')", True),
        ("path.open('r+b')", True),
        ("h5py.File(path, 'w')", True),
        ("av.open(str(path), 'w')", True),
        ("os.replace(made, path)", True),
        ("made.replace(path)", True),
        ("made.rename(path)", True),
        ("shutil.copyfile(source, path)", True),
        ("temporary = path.with_suffix('.tmp')", True),
        ("tempfile.mkstemp()", True),
        ("temporary = stack.enter_context(replacing(path))", False),
        ("write_text(path, text)", False),
        ("write_bytes(path, content)", False),
        ("np.savez(temporary, a=a)", False),
        ("np.save(temporary / 'a.npy', a)", False),
        ("temporary.rename(folder)", False),
        ("save_file(tensors, temporary, metadata)", False),
        ("av.open(str(temporary), 'w')", False),
        ("savemat(buffer, content)", False),
        ("image.save(buffer, 'JPEG')", False),
        ("path.open('rb')", False),
        ("path.open(newline='')", False),
        ("h5py.File(path, 'r')", False),
        ("log.open('a')", False),
        ("text.replace('a', 'b')", False),
        ("dataclasses.replace(sample, box=box)", False),
        ("values.copy()", False),
    ],
)
def test_the_writing_rule_sees(line, forbidden):
    assert any(writes_a_file(node) for node in ast.walk(ast.parse(line))) == forbidden


def test_pictures_stand_in_images_only():
    pictures = [path.relative_to(ROOT) for path in repository_files() if path.suffix in IMAGES]
    assert [str(path) for path in pictures if path.parts[0] != "Images"] == []


def test_lock_holds_hashes_and_no_addresses():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock and " @ " not in lock
    entries = re.split(r"\n(?=[\w-]+(?:\[.*\])?==)", lock)
    assert [e.splitlines()[0] for e in entries if "--hash=sha256:" not in e] == []
    names = {re.split(r"==|\[", entry)[0] for entry in entries}
    # setuptools builds the editable installation, without a download of its own
    assert {"torch", "torchvision", "anny", "pytest", "ruff", "setuptools"} <= names


HELP = """
import sys
from PoseEstimation.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
loaded = sorted({"torch", "lightning", "matplotlib", "scipy"} & set(sys.modules))
assert not loaded, loaded
"""


COMMANDS = sorted(path.stem for path in (ROOT / "PoseEstimation/commands").glob("[a-z]*.py"))


@pytest.mark.parametrize("command", ["", *COMMANDS], ids=lambda c: c or "-")
def test_help_imports_no_heavy_library(command):
    words = [word for word in (command, "--help") if word]
    run = subprocess.run(
        [sys.executable, "-c", HELP, *words], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("usage:")
