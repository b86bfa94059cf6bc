"""The sandbox: loading somebody's function or class, and a child process that survives it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared import InputError, load_case
from tests.processes import LIMIT, marked, started, wait_until, wait_until_gone
from threeways.pool import IS_POSSIBLE, StepPool
from threeways.sandbox import clashes
from threeways.sandbox.child import Child, NoAnswerError
from threeways.sandbox.target import load
from threeways.sandbox.worker import MOST_PROBLEMS

# The handler of these tests: answer(request) = target(name, request).
HANDLER = "handler:make"
MAKE = """
import functools

def make(target, name):
    return "any", functools.partial(target, name), {}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one; what is in the folder beside it can be imported."""
    library, current = tmp_path / "library", tmp_path / "current"
    library.mkdir()
    current.mkdir()
    (library / "handler.py").write_text(MAKE)
    monkeypatch.setenv("PYTHONPATH", str(library), prepend=os.pathsep)
    monkeypatch.chdir(current)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(clashes, "folders", [])
    return current


TARGETS = {
    "no-colon": ("own", "'own': expected MODULE:NAME or FILE.py:NAME, such as net:step"),
    "no-name": ("own:", "'own:': expected MODULE:NAME"),
    "no-module": (":step", "':step': expected MODULE:NAME"),
    "not-a-name": ("own:a.b", "'own:a.b': expected MODULE:NAME"),
    "module": ("owm:step", "there is no module 'owm'; did you mean 'own'?"),
    "package": ("lost.own:step", "there is no module 'lost'"),
    "file": ("lost.py:step", "there is no file lost.py"),
    "name": ("own:stepp", "'stepp' is not a function or class of own; did you mean 'step'?"),
    "names": ("blank:step", "there are no functions or classes in blank"),
    "value": ("own:W", "own:W is not a function or a class but of type list"),
    "fails": ("fails:step", "fails cannot be imported: ZeroDivisionError: division by zero (line "),
    "fails-file": ("fails.py:step", "fails.py cannot be imported: ZeroDivisionError"),
    "import": ("needs:step", "needs cannot be imported: ModuleNotFoundError: No module named 'gon"),
    "syntax": (
        "typo:step",
        "typo cannot be imported: SyntaxError: '(' was never closed (line 2 of",
    ),
    "exits": ("exits:step", "exits cannot be imported: it calls sys.exit (line 3 of exits.py)"),
}
MODULES = {
    "own": "W = []\ndef step(): pass\n",
    "blank": "",
    "fails": "import json\n\n1 / 0\n",
    "needs": "import gone\n",
    "typo": "\nprint(\n",
    "exits": "import sys\n\nsys.exit(3)\n",
}


@pytest.mark.parametrize(("target", "message"), TARGETS.values(), ids=TARGETS)
def test_wrong_target(
    target: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(InputError) as error:
        load(target)
    assert len(error.value.problems) == 1
    assert error.value.problems[0].startswith(message)


def test_a_file_may_import_what_lies_beside_it(folder: Path) -> None:
    (folder / "beside").mkdir()
    (folder / "beside" / "beside_one.py").write_text("def step(): return 7")
    (folder / "beside" / "beside_two.py").write_text("from beside_one import step")
    Path("beside_one.py").write_text("")
    clashes.look_in(str(folder))
    assert load("beside/beside_two.py:step")() == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def stepp(*inputs): pass", "'step' is not a function or class of wrong; did you mean"),
        ("while True: pass", "wrong:step cannot be imported: no answer within 0.5 s"),
        ("import os; os._exit(1)", "wrong:step cannot be imported: ended with exit code 1"),
    ],
)
def test_wrong_target_in_the_child(text: str, message: str, folder: Path) -> None:
    (folder / "wrong.py").write_text(text)
    time_limit = 0.5 if "no answer" in message else 60
    with Child(HANDLER, time_limit) as child, pytest.raises(InputError, match=message):
        child.load("wrong:step", ["any"])


def write_acts(acts: str) -> list[str]:
    """Write acts.py, whose ``acts:act`` calls the function of the number that is asked for."""
    names = re.findall(r"^def (\w+)", acts, re.MULTILINE)
    text = f"""import ctypes, json, os, signal, sys, threading, time
import numpy as np
{acts}
def act(name, k):
    assert name == "acts:act"
    [{", ".join(names)}][k]()
    return {{"k": np.array([k])}}, []
"""
    Path("acts.py").write_text(text)
    return names


def run_acts(acts: str, time_limit: float = 60) -> list[tuple[str, list[str], str | None]]:
    """The name of each function of acts.py, the problems of its call, and what it printed."""
    results = []
    names = write_acts(acts)
    with Child(HANDLER, time_limit) as child:
        child.load("acts:act", ["any"])
        for k, name in enumerate(names):
            arrays, problems = child.ask(k, {"k": (1,)}, "int64")
            assert problems or arrays["k"] == k
            results.append((name, problems, child.printed()))
    return results


def test_what_a_child_survives() -> None:
    results = run_acts("""
def copies():
    os.fork()
def fails():
    json.loads("{")
def many_lines():
    raise RuntimeError("first\\nsecond")
def leaves():
    sys.exit(7)
def too_much():
    np.zeros(2**58)
def interrupts():
    raise KeyboardInterrupt
def own_error():
    class Secret(Exception):
        def __str__(self): raise ValueError
    raise Secret
def prints():
    print("one\\x1b[31m"); os.write(2, b"two\\n"); os.system("echo three"); print("four", end="")
def prints_a_lot():
    sys.stdout.write(("x" * 99 + "\\n") * 100_000)
def closes():
    sys.stdout.close(); sys.stderr.close()
def reads():
    assert sys.stdin.read() == ""
def changes_folder():
    os.chdir("/")
def has_no_arguments():
    assert sys.argv[1:] == []
""")
    assert {name: problems for name, problems, _ in results if problems} == {
        "fails": [
            "JSONDecodeError: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1) (line 7 of acts.py)",
        ],
        "many_lines": ["RuntimeError: first (line 9 of acts.py)"],
        "leaves": ["it calls sys.exit (line 11 of acts.py)"],
        "too_much": [
            "MemoryError: Unable to allocate 2.00 EiB for an array with shape "
            "(288230376151711744,) and data type float64 (line 13 of acts.py)",
        ],
        "interrupts": ["KeyboardInterrupt (line 15 of acts.py)"],
        "own_error": ["Secret (line 19 of acts.py)"],
    }
    assert {name: printed for name, _, printed in results if printed} == {
        "prints": "it printed 4 lines, the first: one?[31m",
        "prints_a_lot": "it printed 100000 lines, the first: " + "x" * 79 + "…",
    }


DEADLY = {
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9 (killed)"),
    "segfault": ("ctypes.string_at(0)", "ended by signal 11 (segmentation fault)"),
    "exit": ("os._exit(3)", "ended with exit code 3: os._exit?"),
    "loop": ("print('begun')\n    while True: pass", "no answer within 0.5 s: an endless loop?"),
    "stubborn": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n    time.sleep(60)",
        "no answer within 0.5 s: an endless loop?",
    ),
    "flood": ("while True: print('x' * 999)", "no answer within 0.5 s: an endless loop?"),
    "stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", "no answer within 0.5 s: an endless loop?"),
    # A copy of the process holds its pipes open after its end.
    "daemon": (
        "if os.fork() == 0:\n        os.setsid(); time.sleep(30)\n    os._exit(4)",
        "ended with exit code 4: os._exit?",
    ),
    "closes": (
        "os.closerange(0, 100); time.sleep(60)",
        "no answer: does it close file descriptors of others?",
    ),
    "garbles": (
        "for fd in range(3, 20):\n"
        "        try: os.write(fd, b'\\0\\0\\0\\2[]')\n        except OSError: pass",
        "its answer is garbled: does it write to file descriptors of others?",
    ),
    "floods-the-answer": (
        "for fd in range(3, 20):\n"
        "        try: os.write(fd, b'\\xff' * 100)\n        except OSError: pass",
        "its answer is garbled: does it write to file descriptors of others?",
    ),
}


@pytest.mark.parametrize(("act", "message"), DEADLY.values(), ids=DEADLY)
def test_what_ends_a_child(act: str, message: str) -> None:
    write_acts(f"def fine(): pass\ndef deadly():\n    {act}")
    with Child(HANDLER, time_limit=60) as child:
        child.load("acts:act", ["any"])
        child.ask(0, {"k": (1,)}, "int64")
        if "no answer" in message:
            child.time_limit = 0.5
        with pytest.raises(NoAnswerError) as error:
            child.ask(1, {"k": (1,)}, "int64")
        assert str(error.value) == message
        if "begun" in act:
            assert child.printed() == "it printed 1 line: begun"


def test_ctrl_c_ends_the_child_and_its_children() -> None:
    os.mkfifo("held")
    main_thread = threading.get_ident()

    def interrupt() -> None:
        with open("held", "rb") as held:  # waits until the child opens it
            signal.pthread_kill(main_thread, signal.SIGINT)
            held.read()  # waits until all that hold it open have ended

    waiting = threading.Thread(target=interrupt, daemon=True)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        run_acts("def holds():\n    held = open('held', 'wb'); os.fork(); time.sleep(600)")
    waiting.join(LIMIT)
    assert not waiting.is_alive()


def test_only_expected_arrays_are_accepted() -> None:
    write_acts("def fine(): pass")
    with Child(HANDLER, time_limit=60) as child:
        child.load("acts:act", ["any"])
        with pytest.raises(NoAnswerError, match="garbled"):
            child.ask(0, {"other": (1,)}, "int64")


def test_a_long_list_of_problems_is_cut() -> None:
    Path("many.py").write_text("def step(name, request): return {}, ['x'] * request")
    with Child(HANDLER, time_limit=60) as child:
        child.load("many:step", ["any"])
        _, problems = child.ask(1000, {}, "float64")
    assert problems == ["x"] * MOST_PROBLEMS + [f"and {1000 - MOST_PROBLEMS} more"]


ESCAPES = {
    "session": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "twice-forked": """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: time.sleep(600)
        os._exit(0)
    os.wait()""",
    "killed": """
    subprocess.Popen(['sleep', '600'], start_new_session=True)
    os.kill(os.getpid(), signal.SIGKILL)""",
    "kills-its-group": """
    subprocess.Popen(['sleep', '600'], start_new_session=True)
    os.killpg(0, signal.SIGKILL)""",
    "stops-its-parent": """
    subprocess.Popen(['sleep', '600'], start_new_session=True)
    os.kill(os.getppid(), signal.SIGSTOP)""",
    "forks-and-forks": """
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork(): os._exit(0)""",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux finds all descendants")
@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_nothing_outlives_a_child(
    escape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    write_acts(f"import subprocess\ndef escapes():\n    {escape.strip()}")
    with Child(HANDLER, time_limit=60) as child:
        child.load("acts:act", ["any"])
        with suppress(NoAnswerError):
            child.ask(0, {"k": (1,)}, "int64")
        assert "kill" in escape or marked(str(tmp_path))
    assert marked(str(tmp_path)) == []


def test_a_thread_that_starts_a_child_may_end() -> None:
    write_acts("def fine(): pass")
    children = []
    starter = threading.Thread(target=lambda: children.append(Child(HANDLER, 60).__enter__()))
    starter.start()
    starter.join()
    with closing_all(children) as (child,):
        child.load("acts:act", ["any"])
        assert child.ask(0, {"k": (1,)}, "int64")[0]["k"] == 0


@contextmanager
def closing_all(children: list[Child]) -> Iterator[list[Child]]:
    try:
        yield children
    finally:
        for child in children:
            child.__exit__()


PARENT = """
import signal
from threeways.sandbox.child import Child
signal.signal(signal.SIGINT, signal.SIG_IGN)
with Child("handler:make", 600) as child:
    child.load("acts:act", ["any"])
    child.ask(0, {"k": (1,)}, "int64")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux finds all descendants")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_ends_with_its_parent(number: int, tmp_path: Path) -> None:
    """And Ctrl-C is not ignored in it, where its parent ignores it."""
    write_acts("""import subprocess
def loops():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    open("looping", "w").close()
    while True: pass
""")
    environment = os.environ | {"MARK": str(tmp_path)}
    with started([sys.executable, "-c", PARENT], env=environment) as parent:
        wait_until(lambda: Path("looping").exists() or parent.poll() is not None, "it never loops")
        wait_until(lambda: len(marked(str(tmp_path))) == 4, "there are not four processes")
        parent.send_signal(number)
        assert parent.wait(LIMIT) == -number
    wait_until_gone(str(tmp_path))


CLASHES = {
    # target, files, how the message begins
    "theirs": ("net:step", {"shared/own.py": "", "net.py": "import shared.own"}, "net.py: imports"),
    "both-have-it": (
        "net.py:step",
        {"shared/__init__.py": "class Layer: pass", "net.py": "from shared import Layer"},
        "net.py: imports 'shared', but that is a package of threeways; "
        "rename the 'shared' beside it",
    ),
    "in-a-helper": (
        "net:step",
        {"threeways.py": "", "own.py": "import threeways", "net.py": "import own"},
        "own.py: imports 'threeways', but that is a package of threeways; ",
    ),
    "by-its-name": (
        "net.py:step",
        {"shared.py": "", "net.py": "import importlib\nimportlib.import_module('shared')"},
        "net.py: imports 'shared', but that is a package of threeways; ",
    ),
    "our-name": (
        "impl_numpy:step",
        {"impl_numpy.py": "def step(): pass"},
        "impl_numpy:step: 'impl_numpy' is a package of threeways; rename your 'impl_numpy.py', "
        "or name the file, impl_numpy.py:step",
    ),
    "python's-name": (
        "random:step",
        {"random.py": "def step(): pass"},
        "random:step: 'random' is a module of Python; rename your 'random.py', or name the file, ",
    ),
    "from-python's": (
        "net:step",
        {"random.py": "own = 3", "net.py": "from random import own"},
        "net cannot be imported: ImportError: cannot import name 'own' from 'random' ",
    ),
    "of-python's": (
        "net.py:step",
        {"random.py": "own = 3", "net.py": "import random\nrandom.own"},
        "net.py cannot be imported: AttributeError: module 'random' has no attribute 'own' "
        "(line 2 of net.py); 'random' is a module of Python, not your 'random.py'; rename that",
    ),
}


@pytest.mark.parametrize(("target", "files", "message"), CLASHES.values(), ids=CLASHES)
def test_a_name_that_is_taken(target: str, files: dict[str, str], message: str) -> None:
    write(files)
    with Child(HANDLER, 60) as child, pytest.raises(InputError) as error:
        child.load(target, ["any"])
    (line,) = error.value.problems
    assert line.startswith(message)
    assert "'random'" not in line or "is a module of Python" in line


def test_a_clash_that_shows_only_in_a_step() -> None:
    write({"shared.py": "", "net.py": "def step(*_):\n    import shared"})
    with Child(HANDLER, 60) as child:
        child.load("net:step", ["any"])
        with pytest.raises(InputError, match=r"net.py: imports 'shared', but that is a package"):
            child.ask(0, {}, "int64")


@pytest.mark.parametrize("name", ["random", "json", "queue", "shared", "threeways", "scipy"])
def test_a_file_may_have_a_name_that_is_taken(name: str) -> None:
    """Beside it, Python's own is found; numpy.random needs it."""
    own = (
        "from __future__ import annotations\nimport dataclasses\nimport numpy.random, random, queue"
    )
    text = f"{own}\n@dataclasses.dataclass\nclass Own:\n    x: int\n"
    write({f"{name}.py": f"{text}def step(*_): return {{}}, [str(random.random()), queue.Queue]"})
    with Child(HANDLER, 60) as child:
        assert child.load(f"{name}.py:step", ["any"]) == "any"


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)


POISON = "open('executed', 'a').write(__name__ + ' '); raise ImportError(__name__)"
NAMES = "random json socket struct pickle queue tempfile secrets numpy scipy keras click shared"
STEPS = """
import os
from shared import load_case
from threeways.pool import StepPool
(step,) = StepPool(["numpy"]).timed_steps([load_case("mazur")])
assert "loss" in step["numpy"][0]
"""


@pytest.mark.skipif(not IS_POSSIBLE, reason="the pool is for Linux")
def test_no_process_looks_for_modules_in_the_current_folder(tmp_path: Path) -> None:
    """Nor needs the pool a temporary folder whose path is short enough for a socket."""
    write({f"{name}.py": POISON for name in NAMES.split()})
    write({"net.py": "from impl_numpy import FeedForward"})
    long = tmp_path / ("x" * 140)
    long.mkdir()
    environment = os.environ | {"TMPDIR": str(long)}
    for command in (
        ["-P", "-c", STEPS],
        ["-m", "threeways", "check", "net:FeedForward", "mazur"],
    ):
        run = subprocess.run(
            [sys.executable, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert not Path("executed").exists(), Path("executed").read_text()
        assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(not IS_POSSIBLE, reason="the pool is for Linux")
def test_a_pool_in_a_folder_that_was_deleted(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    try:
        (step,) = StepPool(["numpy"]).timed_steps([load_case("mazur")])
    finally:
        os.chdir(tmp_path)
    assert "loss" in step["numpy"][0]


@pytest.mark.skipif(not IS_POSSIBLE, reason="the pool is for Linux")
def test_a_pool_whose_server_is_killed() -> None:
    pool = StepPool(["numpy"])
    os.killpg(pool.server.process.pid, signal.SIGKILL)
    with pytest.raises(InputError, match=r"^a process ended unexpectedly \(signal 9 \(killed\)\)"):
        list(pool.timed_steps([load_case("mazur")]))
