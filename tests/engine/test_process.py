"""Exit codes, one-line errors, closed and full outputs, names that are no text, SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from Engine.errors import DataError, WriteError
from Engine.process import exit_code, stopped_by_term

ROOT = Path(__file__).parents[2]
PREAMBLE = "import os, sys, time\nfrom Engine.process import exit_code\n"
TALKS = (
    PREAMBLE
    + """
def run():
    for number in range(20_000):
        print("line", number)
    print("at the end", file=sys.stderr)
    with open(sys.argv[1], "w") as file:
        file.write("done")
    return 0
sys.exit(exit_code("me", run))
"""
)


def command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(code: str, *arguments: object, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        command(code, *arguments), capture_output=True, env=environment, timeout=60, **options
    )


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (DataError("x: bad"), 2, "me: error: x: bad\n"),
        (DataError("x: a\nb  c\r is bad"), 2, "me: error: x: a\\nb  c\\r is bad\n"),
        (WriteError("x: full"), 1, "me: error: x: full\n"),
        (KeyboardInterrupt(), 1, "me: error: stopped; what was done until then is written\n"),
        (ValueError("a\nb"), 1, "me: error: ValueError: a b; run again with --debug "),
    ],
)
def test_errors_are_one_line_and_a_code(capsys, raised, code, said):
    def fail():
        raise raised

    assert exit_code("me", fail) == code
    error = capsys.readouterr().err
    assert error.startswith(said) and error.count("\n") == 1


def test_codes_and_wanted_ends_pass(capsys):
    assert exit_code("me", lambda: 2) == 2
    with pytest.raises(SystemExit) as stop:
        exit_code("me", lambda: sys.exit(3))
    assert stop.value.code == 3
    with pytest.raises(ZeroDivisionError):
        exit_code("me", lambda: 1 // 0, debug=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("flags", [[], ["-u"]], ids=["buffered", "unbuffered"])
def test_a_reader_that_goes_ends_nothing(tmp_path, flags):
    words = command(TALKS, tmp_path / "made")
    talker = subprocess.Popen(
        [words[0], *flags, *words[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    talker.stdout.close()
    assert talker.wait(60) == 0
    assert talker.stderr.read() == b"at the end\n"
    assert (tmp_path / "made").read_text() == "done"


@pytest.mark.skipif(os.name == "nt", reason="a shell closes streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_end_nothing_and_spoil_no_file(tmp_path, closed):
    words = ["sh", "-c", f'"$0" "$@" {closed}', *command(TALKS, tmp_path / "made")]
    done = subprocess.run(
        words, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60
    )
    assert done.returncode == 0
    assert done.stderr == (b"" if "2>&-" in closed else b"at the end\n")
    assert (tmp_path / "made").read_text() == "done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_under_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(PREAMBLE + "sys.exit(exit_code('me', lambda: print('x') or 0))"),
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"me: error: OSError: ") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "locale",
    [{"PYTHONUTF8": "1"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["UTF-8", "POSIX"],
)
def test_any_name_can_be_printed(locale):
    code = PREAMBLE + (
        "from Engine.errors import DataError\n"
        "def run():\n"
        "    print('f\\udcfcr \\U0001f476 \\xd7')\n"
        "    raise DataError('f\\udcfcr \\xfc')\n"
        "sys.exit(exit_code('me', run))"
    )
    done = run(code, env=locale)
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert done.stdout.startswith(b"f\\udcfcr ") and b"error: f\\udcfcr " in done.stderr
    assert ("👶".encode() in done.stdout) == ("LC_ALL" not in locale)


WAITS = (
    PREAMBLE
    + """
def run():
    if "fork" in sys.argv and os.fork() == 0:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(60)
    try:
        os.write(1, b"ready\\n")
        time.sleep(60)
    finally:
        print("saved", flush=True)
    return 0
sys.exit(exit_code("me", run))
"""
)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_term_does_what_control_c_does(kind):
    process = subprocess.Popen(
        command(WAITS),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    process.stdout.readline()
    process.send_signal(kind)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == b"saved\n"
    assert err == b"me: error: stopped; what was done until then is written\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_processes_end_at_once_and_in_silence():
    process = subprocess.Popen(
        command(WAITS, "fork"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said = {process.stdout.readline(), process.stdout.readline()}
    os.kill(int((said - {b"ready\n"}).pop()), signal.SIGTERM)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == b"saved\n" and err.count(b"\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_the_handler_before_is_back_afterwards(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert exit_code("me", lambda: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(5) or 0) == 1
    assert "stopped" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_leave_signals_alone():
    codes = []
    before = signal.getsignal(signal.SIGTERM)

    def work():
        with stopped_by_term():
            codes.append(signal.getsignal(signal.SIGTERM) is before)
        codes.append(exit_code("me", lambda: 0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert codes == [True, 0]
