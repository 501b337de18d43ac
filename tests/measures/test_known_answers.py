"""NPV, IRR, MIRR and their dated forms against answers of Excel, Apache POI and numpy-financial.

The files also hold functions that are not ours (PMT, DDB, …); OURS names those that are, and their numbers are counted.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from fundappraise.measures import dpi, irr, mirr, npv, rvpi, tvpi, xirr, xnpv

RETURNS = Path(__file__).parent.parent / "validation/returns"
OURS = ("IRR", "MIRR", "NPV", "XIRR", "XNPV")


def cases(name):
    listed = json.loads((RETURNS / name).read_text())["cases"]
    return [case for case in listed if case["fn"].upper() in OURS]


DOCS, CELLS = cases("excel_docs_examples.json"), cases("excel_cached_cells.json")
POI, NUMPY_FINANCIAL = cases("apache_poi.json"), cases("numpy_financial.json")


def label(case):
    return f"{case['fn']} {case.get('src') or case['source']}"[:70]


def is_number(cell):
    """Excel passes over blanks, text and booleans in a range."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def numbers(cells):
    return [float(cell) for cell in cells if is_number(cell)]


def day(cell):
    if isinstance(cell, str):
        return date.fromisoformat(cell)
    return date(1899, 12, 30) + timedelta(days=int(cell))  # Excel drops the fraction of a day


def dated(flows, cells):
    """Flows by day, those of one day added up: our dates rise strictly."""
    sums = {}
    for flow, cell in zip(flows, cells, strict=True):
        sums[day(cell)] = sums.get(day(cell), 0.0) + flow
    assert sorted(sums) == list(sums)
    return list(sums.values()), list(sums)


def answer(case, first_discounted=True):
    fn, args = case["fn"].upper(), case["args"]
    if fn == "NPV":
        flows = [n for a in args[1:] for n in (numbers(a) if isinstance(a, list) else numbers([a]))]
        added = sum(float(a.split()[1]) for a in args[1:] if isinstance(a, str))
        return npv(args[0], [added, *flows] if first_discounted else flows)
    if fn == "IRR":
        return irr(numbers(args[0]))
    if fn == "MIRR":
        return mirr(numbers(args[0]), float(args[1] or 0), float(args[2] or 0))
    if fn == "XNPV":
        return xnpv(args[0], *dated(args[1], args[2]))
    return xirr(*dated(args[0], args[1]))


def test_no_case_is_lost():
    assert [len(listed) for listed in (DOCS, CELLS, POI, NUMPY_FINANCIAL)] == [15, 168, 13, 27]


@pytest.mark.parametrize("case", DOCS, ids=label)
def test_examples_printed_in_excels_documentation(case):
    tolerance = case.get("tolerance", 0.5000001 * 10 ** -case["published_decimals"])
    found = float(answer(case))
    assert found == pytest.approx(case["published"], abs=tolerance)
    assert found == pytest.approx(case["exact"], rel=1e-10)


@pytest.mark.parametrize("case", CELLS, ids=label)
def test_cells_that_excel_calculated(case):
    if case["fn"] == "IRR":
        roots = irr(numbers(case["args"][0]), full=True).rates
        assert roots.tolist() == pytest.approx(case["all_real_roots_gt_-1"], abs=1e-12)
        assert np.min(np.abs(roots - case["excel"])) < 5e-7
    elif case["fn"] == "XIRR":
        flows, dates = dated(*case["args"])
        roots = xirr(flows, dates, full=True).rates
        assert roots.tolist() == pytest.approx(case["all_real_roots_gt_-1"], abs=1e-10)
        assert np.min(np.abs(roots - case["excel"])) < 5e-7
    else:
        size = 1e-12 * max((abs(n) for a in case["args"] if isinstance(a, list) for n in numbers(a)), default=0)
        assert float(answer(case)) == pytest.approx(case["excel"], rel=1e-9, abs=max(size, 1e-12))


@pytest.mark.parametrize("case", POI, ids=label)
def test_cases_of_apache_poi(case):
    if case["expected"] == "#DIV/0!":
        assert np.isnan(answer(case))
    else:
        assert float(answer(case)) == pytest.approx(case["expected"], abs=max(case["tolerance"], 1e-12))


@pytest.mark.parametrize("case", NUMPY_FINANCIAL, ids=label)
def test_cases_of_numpy_financial(case):
    found = answer({**case, "fn": case["fn"].upper()}, first_discounted=False)
    if case["expected"] is None:
        assert np.isnan(found)
        return
    roots = irr(case["args"][0], full=True).rates if case["fn"] == "irr" else np.array([found])
    nearest = float(roots[np.argmin(np.abs(roots - case["expected"]))])
    kind = {"rel": "rel", "abs": "abs"}[case["tol_kind"]]
    assert nearest == pytest.approx(case["expected"], **{kind: case["tol"], "rel" if kind == "abs" else "abs": 0})
    if "all_roots" in case:
        assert roots.tolist() == pytest.approx(case["all_roots"], abs=1e-11)
    if "exact_1_plus_r" in case:
        assert 1 + nearest == pytest.approx(case["exact_1_plus_r"], rel=1e-6)


FUNDS = json.loads((RETURNS.parent / "fund/pme_multiples.json").read_text())["cases"]


@pytest.mark.parametrize("case", [c for c in FUNDS if "nav" in c], ids=lambda c: c["name"])
def test_multiples_as_printed(case):
    paid, back = case["contributions"], case["distributions"]
    ours = {"tvpi": tvpi(paid, back, case["nav"]), "dpi": dpi(paid, back), "rvpi": rvpi(paid, case["nav"])}
    known = {**case.get("computed", {}), **{k: v for k, v in case["published"].items() if is_number(v)}}
    for name in ours.keys() & known.keys():
        assert float(ours[name]) == pytest.approx(known[name], rel=1e-12), name


@pytest.mark.parametrize("case", [c for c in FUNDS if "cashflows" in c], ids=lambda c: c["name"])
def test_returns_of_the_fund_examples(case):
    flows, printed = case["cashflows"], case["published"]
    found = irr(flows) if "irr" in printed else mirr(flows, 0.07, 0.12)
    known = printed.get("irr") or printed["mirr"]
    assert float(found) == pytest.approx(known["ours"], rel=1e-12)
    assert float(found) == pytest.approx(known["published"], abs=0.005)
