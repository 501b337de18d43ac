"""What the commands do, as functions that return the text to print."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fundappraise.errors import InputError, ModelError, Problem, RunFolderError, did_you_mean
from fundappraise.fund.fund import Fund, Project
from fundappraise.model.load import load_model, model_names
from fundappraise.model.read_file import WATERFALL
from fundappraise.problem_list import as_json as json_list
from fundappraise.problem_list import render
from fundappraise.reading import example, read, read_fund, scenario_of, under_scenario

if TYPE_CHECKING:
    from fundappraise.decide import Allocation
    from fundappraise.outcome.changes import Changes
    from fundappraise.runs import Key
    from fundappraise.simulate.paths import Workers
    from fundappraise.simulate.plan import Plan
    from fundappraise.simulate.run import Appraisal
    from fundappraise.simulate.trace import Trace


def new_workbook(path: Path, example_name: str | None, source: Path | None, projects: tuple[str, ...]) -> str:
    """Write a workbook; say what to do next."""
    from fundappraise.fund.build import empty_fund
    from fundappraise.workbook.template import write_template

    if path.exists():
        raise _one(str(path), "this file exists already.", "Choose another name; nothing was written.")
    if not path.parent.is_dir():
        raise _one(str(path.parent), "this folder does not exist.", "Create it first.")
    fund = example(example_name) if example_name else read_fund(source) if source else empty_fund(datetime.now().year)
    fund = replace(fund, projects=(*fund.projects, *(_new_project(text, fund) for text in projects)))
    folder = source.parent if source else None
    models = {name: load_model(name, folder) for name in {*(p.model for p in fund.projects), *(m.model for m in fund.markets)}}
    write_template(fund, path, models)
    counts = f"{len(fund.projects)} projects, {len(fund.drivers)} drivers"
    return f'{path}: {counts}.\nNext: fill it in, then: fundappraise check "{path}"'


def _new_project(text: str, fund: Fund) -> Project:
    head, equals, model = text.partition("=")
    project_id, _, name = head.strip().partition(" ")
    if not equals or not project_id:
        raise _one(
            text,
            "not a project.",
            'Write "ID NAME=sector/model", as in "A20 Grain terminal=logistics/container_terminal".',
        )
    if any(project.id == project_id for project in fund.projects):
        raise _one(text, f"{project_id} is taken.", "Choose another id.")
    loaded = load_model(model.strip())
    return Project(id=project_id, name=name.strip() or loaded.title, model=model.strip(), sector=loaded.sector)


def check_file(path: Path, *, as_json: bool) -> tuple[str, bool]:
    """The problems of a fund or model file as text or JSON, and whether there are none (remarks aside)."""
    if path.suffix == ".toml" and path.is_file() and _is_model(path):
        return _check_model(path, as_json=as_json)
    fund, found = read(path)
    clean = not any(problem.severity == "problem" for problem in found)
    if as_json:
        return json_list(found), clean
    marked = None
    if not clean and path.suffix.lower() == ".xlsx" and path.is_file() and fund.projects:
        marked = _marked_copy(path, found)
    header = [_saved(path), _counts(fund)] if fund.projects else [_saved(path)]
    return render(found, header, f'fundappraise run "{path}"', marked), clean


def _marked_copy(path: Path, found: tuple[Problem, ...]) -> str | None:
    from fundappraise.workbook.checked_copy import write_checked_copy

    target = path.with_name(f"{path.stem}-checked.xlsx")
    refused = write_checked_copy(path, found, target)
    if refused:
        print(refused, file=sys.stderr)
        return None
    return target.name


def _is_model(path: Path) -> bool:
    text = path.read_bytes()
    return (
        bool(re.search(rb"^\s*\[(items|assumptions|checks|outputs)[].]", text, re.MULTILINE))
        or b"include" in text.split(b"[", 1)[0]
    )


def _check_model(path: Path, *, as_json: bool) -> tuple[str, bool]:
    from fundappraise.model.lint import remarks

    header, clean = [str(path)], True
    try:
        model = load_model(path.name, path.parent.resolve())
        header.append(f"{model.title}: {len(model.asked)} inputs, {len(model.items)} line items, {len(model.checks)} checks")
        found = remarks(model)
    except ModelError as error:
        found, clean = error.problems, False
    if as_json:
        return json_list(found), clean
    return render(found, header, f"write {path.name} as a project's model, in a workbook beside it"), clean


def _saved(path: Path) -> str:
    if not path.is_file():
        return str(path)
    at = datetime.fromtimestamp(path.stat().st_mtime)
    day = "" if at.date() == datetime.now().date() else f"{at:%Y-%m-%d} "
    open_too = " (open in Excel: unsaved changes are not seen)" if path.suffix.lower() == ".xlsx" else ""
    return f"{path.name}, as saved {day}{at:%H:%M}{open_too}"


def _counts(fund: Fund) -> str:
    inputs = sum(len(project.inputs) for project in fund.projects)
    counts = {"project": len(fund.projects), "input": inputs, "driver": len(fund.drivers), "limit": len(fund.limits)}
    return " · ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items())


def run_fund(path: Path, tell: Callable[[str], None], **options: Any) -> tuple[str, bool]:
    """Run a fund and ``tell`` the answer as soon as it is there; what is said at the end, and whether no portfolio meets the
    limits."""
    from fundappraise import runs
    from fundappraise.summary import answer
    from fundappraise.unfinished import simulated, unfinished

    stage, folder = Stages(quiet=options["quiet"]), path.resolve().parent
    with stage("read and checked"):
        fund, found = read(path)
        if any(problem.severity == "problem" for problem in found):
            return _refuse(path, fund, found)
        stated, fund = fund, under_scenario(fund, options["scenario"], folder)
    with stage("models"):
        key = _key(path, fund, options)
    target = _target(path, options["output"], key)
    before = runs.same_run(runs.runs_folder(path), key)
    if before is not None and options["output"] is None:
        clash = runs.read_record(before)["status"] == "infeasible"
        return f"Already done, with the same input, models, paths and seed: {before}", clash
    earlier = _earlier(path, options["since"])
    plain = replace(key, scenario="", without=())
    is_kept = key == plain and options["output"] is None
    # as many paths as are sure without a scenario need not be enough under it
    is_known = key != plain and not (options["scenario"] and options["paths"] == "auto")
    with (
        unfinished(target.parent, key, is_kept=is_kept) as file,
        simulated(runs.runs_folder(path), plain) if is_known else nullcontext() as stands,
    ):
        known = None if stands is None else (stated, stands)
        decision = decision_of(fund, folder, options, stage, file=file, known=known)
        key = replace(key, paths=decision.run.n_paths)  # the number that "auto" came to
        under = f"Under the scenario: {options['scenario']}\n" if options["scenario"] else ""
        tell(f"{under}{answer(decision)}\n")
        text = _written(path, stated, decision, (key, target, earlier), stage)
    return text, decision.status == "infeasible"


def _written(path: Path, stated: Fund, decision: Allocation, place: tuple[Any, Path, Any], stage: Stages) -> str:
    """What ends a run whose folder is written: its key, where it goes, and the earlier run beside which it is put."""
    from fundappraise import runs
    from fundappraise.as_read import keep_as_read
    from fundappraise.summary import ending

    (key, target, earlier), changes = place, None
    if earlier is not None:
        from fundappraise.outcome.changes import changes_since

        changes = changes_since(earlier, decision)
    refused: list[str] = []

    def write(folder: Path) -> None:
        keep_as_read(stated, folder)
        refused.extend(_write_all(decision, folder, changes, target.name))

    with stage("paper and workbook"):
        timings = {**stage.seconds, "all": stage.all}
        runs.write_run(target, path, decision, key, changes=changes, timings=timings, write=write)
    return ending(decision, changes, target, refused, stage.all)


def _refuse(path: Path, fund: Fund, found: tuple[Problem, ...]) -> tuple[str, bool]:
    header = [_saved(path), _counts(fund)] if fund.projects else [_saved(path)]
    print(render(found, header, ""), file=sys.stderr)
    raise SystemExit(1)


def _key(path: Path, fund: Fund, options: Mapping[str, Any]) -> Key:
    """What a run is made from; 0 paths for as many as it takes."""
    from fundappraise import runs
    from fundappraise.simulate.engine import engine_of

    return runs.key_of(
        path,
        _texts(fund, path.resolve().parent),
        paths=0 if options["paths"] == "auto" else options["paths"],
        seed=options["seed"],
        engine=engine_of(options["engine"], options["paths"]),
        scenario=options["scenario"],
        without=tuple(options["without"]),
    )


def _texts(fund: Fund, folder: Path) -> dict[str, str]:
    names = {WATERFALL, *(project.model for project in fund.included), *(market.model for market in fund.markets)}
    return {file: text for name in names for file, text in load_model(name, folder).texts.items()}


def _target(path: Path, output: Path | None, key: Any) -> Path:
    from fundappraise import runs

    if output is None:
        return runs.fresh_name(runs.runs_folder(path), datetime.now())
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise _one(str(output), "this folder holds something already.", "Name a new or an empty one.")
    return output


def _earlier(path: Path, since: str) -> Any:
    from fundappraise import runs

    if since == "none":
        return None
    if since:
        return runs.earlier_run(Path(since))
    for folder in reversed(runs.finished(runs.runs_folder(path))):
        record = runs.read_record(folder)
        if not record["key"]["scenario"] and not record["key"]["without"]:
            try:
                return runs.earlier_run(folder)
            except RunFolderError as error:
                print(f"No comparison with {folder.name}: {error}", file=sys.stderr)
                return None
    return None


Known = tuple[Fund, BinaryIO]
"""The fund as it stands, without any scenario, and its simulated paths (see ``unfinished.simulated``)."""


def decision_of(
    fund: Fund,
    folder: Path,
    options: Mapping[str, Any],
    stage: Stages,
    *,
    file: BinaryIO | None = None,
    known: Known | None = None,
) -> Allocation:
    """The fund simulated and decided on; ``folder`` is where ``mine.toml`` models are sought.

    ``file`` keeps what is simulated and may hold some of it, see ``unfinished``. Of what is ``known`` only that is simulated
    again which the scenario reaches.
    """
    from fundappraise.decide import allocate
    from fundappraise.simulate.run import plan_of

    unknown = [name for name in options["without"] if name not in {p.id for p in fund.included}]
    if unknown:
        raise _one(
            f"--without {unknown[0]}",
            "not a project of this fund.",
            did_you_mean(unknown[0], [p.id for p in fund.included]),
        )
    if file is not None and os.fstat(file.fileno()).st_size:
        stage.say("goes on with the run that was interrupted")
    auto = options["paths"] == "auto"
    note = "as many paths as it takes" if auto else f"{options['paths']:,} paths"
    with stage("simulated", note + ", those of the run before" * (known is not None)):
        result = _simulated(plan_of(fund, options["paths"], folder, options["engine"]), options, stage, file=file, known=known)
    if result.effort is not None:
        stage.say(result.effort.text)
    with stage("portfolio chosen"):
        return allocate(result, exclude=options["without"], workers=options["workers"], on="processes")


def _simulated(plan: Plan, options: Mapping[str, Any], stage: Stages, *, file: BinaryIO | None, known: Known | None) -> Appraisal:
    from fundappraise.outcome.worlds import under_plan
    from fundappraise.simulate.run import plan_of, simulate_plan

    on: Workers = "processes"
    asked = {name: options[name] for name in ("paths", "seed", "workers")}
    if known is None:
        return simulate_plan(plan, **asked, on=on, progress=stage.progress(), file=file)
    (stated, before), scenario = known, options["scenario"]
    if not scenario:
        return simulate_plan(plan, **asked, on=on, file=before)
    as_it_stands = plan_of(stated, options["paths"], plan.models_folder, options["engine"])
    base = simulate_plan(as_it_stands, **asked, on=on, file=before)
    return under_plan(base, plan, dict(scenario_of(stated, scenario).overrides), options["workers"], on)


def _write_all(decision: Allocation, folder: Path, changes: Changes | None, name: str) -> list[str]:
    """The paper, its PDF where a browser is found, the workbook and the charts; sentences for what could not be done."""
    from fundappraise.report.charts import write_pngs
    from fundappraise.report.committee import write_report
    from fundappraise.report.pdf import print_pdf
    from fundappraise.workbook.results import write_results

    write_report(decision, folder / "report.html", changes=changes, run_folder_name=name)
    with ThreadPoolExecutor(max_workers=1) as pictures:  # the browser prints while the tables are written, then charts are drawn
        printing = pictures.submit(print_pdf, folder / "report.html", folder / "report.pdf")
        drawing = pictures.submit(write_pngs, decision, folder / "charts")
        write_results(decision, folder / "results.xlsx", changes=changes)
        refused = printing.result()
        drawing.result()
    return [refused] if refused else []


class Stages:
    """One line a stage on the error stream, with its seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self._start = quiet, time.perf_counter()
        self.seconds: dict[str, float] = {}

    @property
    def all(self) -> float:
        """Seconds since the first stage began."""
        return time.perf_counter() - self._start

    @contextmanager
    def __call__(self, name: str, note: str = "") -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.say(f"✔ {name:<22}{self.seconds[name]:6.1f} s   {note}")

    def say(self, line: str) -> None:
        if not self.quiet:
            from fundappraise.problem_list import plain

            print(plain(f"  {line}".rstrip(), getattr(sys.stderr, "encoding", None)), file=sys.stderr, flush=True)

    def progress(self) -> bool | Callable[[int, int], None]:
        """A bar in a terminal; elsewhere the stage lines are enough."""
        return not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def trace_figure(folder: Path, address: str, year: int | None, path: int | None) -> str:
    """A figure of a run and what it is made of, and how to go on."""
    from fundappraise.kept import open_folder
    from fundappraise.simulate.follow import concerned, follow
    from fundappraise.simulate.prepare import plan_fund

    run = open_folder(folder)
    if path is not None and not 0 <= path < run.key.paths:
        raise _one(f"--path {path}", "not a path of this run.", f"Allowed: 0 to {run.key.paths - 1:,}.")
    plan = plan_fund(run.fund, only=concerned(run.fund, address), models_folder=run.folder)
    trace = follow(plan, run.key.seed, address, year=year, path=path)
    lines = [f"Under the scenario {run.key.scenario}: {run.scenario}", str(trace)] if run.key.scenario else [str(trace)]
    deeper = next((part for part in trace.parts.values() if part.origin.formula), None)
    if deeper is not None:
        lines.append(f'  next: fundappraise trace "{folder}" {_asked(deeper)}')
    return "\n".join(lines)


def _asked(trace: Trace) -> str:
    """The arguments that ask for a trace."""
    year, _, within = trace.when.partition(" ")
    address = f"{trace.address}[{trace.when}]" if within else trace.address
    quoted = f'"{address}"' if set(address) & set("()[ ") else address
    parts = (quoted, f"--year {year}" * bool(year and not within), "" if trace.path is None else f"--path {trace.path}")
    return " ".join(part for part in parts if part)


def list_models() -> str:
    """All models, a line each."""
    rows = [(name, load_model(name)) for name in model_names()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {model.title}. {model.summary}" for name, model in rows)


def show_model(name: str) -> str:
    """What a model takes, computes, checks and is made of."""
    from fundappraise.model.description import description

    return description(load_model(name, Path.cwd()))


def _one(where: str, found: str, hint: str = "") -> InputError:
    return InputError([Problem(where, found, hint=hint)])
