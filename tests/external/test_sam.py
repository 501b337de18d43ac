"""NREL SAM's Single Owner model in our language: its own cases row by row, and the command that compares them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fundappraise.backends.reference import Reference
from fundappraise.timeline import Timeline
from tests.backends.spreadsheets import by_ironcalc, values_of, write_book
from tests.external import sam, sam_model
from tests.external.sam_case import read_case

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
LEVEL = Path(__file__).parent / "cases" / "sam_so_60pct_equal_payment.json"
NAMED = [pytest.param(path, id=path.stem) for path in CASES]


@pytest.mark.parametrize("path", NAMED)
def test_every_row_of_the_program_is_reproduced(path):
    comparison = sam.compare(read_case(path))
    assert comparison.agrees, sam.report(comparison)
    assert not comparison.not_compared
    rows = {name for name in comparison.case.outputs if name.startswith("cf_")}
    assert rows <= {difference.name for difference in comparison.differences}


@pytest.mark.parametrize("path", NAMED)
def test_money_agrees_far_closer_than_the_program_finds_rates_of_return(path):
    differences = sam.compare(read_case(path)).differences
    assert max(difference.error for difference in differences if difference.name not in sam_model.RATES) < 1e-9


def test_the_cases_hold_every_row_and_figure_of_the_models_but_the_later_periods_of_prices():
    known = {name for model in ("single_owner", "rates") for name in sam_model.kernel(model).schedule.model.outputs}
    missing = (known | set(sam_model.RATES)) ^ {name for path in CASES for name in read_case(path).outputs}
    assert all("_dispatch" in name for name in missing)


SOME = ["all_classes_with_credits", "sculpted_to_a_limit", "equal_principal_with_equipment"]
LINES = ["cf_debt_balance", "cf_feddepr_total", "cf_feddepr_me1", "cf_reserve_total", "cf_project_return_aftertax", "lcoe_real"]


@pytest.mark.parametrize("name", SOME)
def test_the_definition_of_the_language_gives_the_same_rows(name):
    case = read_case(LEVEL.with_stem(name))
    model = sam_model.kernel("single_owner").schedule.model
    inputs = {
        key: list(map(float, value[:, 0])) if value.size > 1 else float(value[0, 0])
        for key, value in sam_model.inputs_of(case).items()
    }
    path = Reference(model, Timeline(2000, case.years + 1), inputs, inputs)
    for output in set(LINES) & case.outputs.keys():
        expected = np.broadcast_to(case.outputs[output], case.years + 1)
        assert path.line(model.outputs[output]) == pytest.approx(expected, rel=1e-9, abs=1e-3), output


@pytest.mark.parametrize("name", SOME)
def test_a_workbook_of_the_model_recalculated_elsewhere_gives_the_same_rows(name, tmp_path):
    case = read_case(LEVEL.with_stem(name))
    plan, timeline = sam_model.kernel("single_owner").schedule, Timeline(2000, case.years + 1)
    inputs = sam_model.inputs_of(case)
    printed = write_book(tmp_path / "book.xlsx", {"sam": (plan, timeline, [inputs], inputs)})["sam"]
    found = values_of(printed.main, plan, "sam 0", by_ironcalc(tmp_path / "book.xlsx"), timeline)
    for output in plan.model.outputs.keys() & case.outputs.keys():
        item = plan.model.items[plan.model.outputs[output]]
        expected = np.broadcast_to(case.outputs[output], timeline.n_periods) / (100 if item.unit.startswith("%") else 1)
        assert found[item.name] == pytest.approx(expected, rel=1e-9, abs=1e-9 * max(1.0, np.abs(expected).max())), output


# --- the command ---


def copy(folder, change, source=LEVEL):
    data = json.loads(source.read_text("utf-8"))
    change(data)
    path = folder / "changed case.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def run(capsys, *paths):
    status = sam.main([str(path) for path in paths])
    return status, capsys.readouterr().out


def test_the_command_prints_every_row_and_ends_with_0(capsys):
    status, out = run(
        capsys, *(LEVEL.with_stem(name) for name in ("sam_so_60pct_equal_payment", "sam_so_dscr_sculpted_fixed_ppa"))
    )
    assert status == 0
    names = [line.split()[0] for line in out.splitlines()]
    for path in (LEVEL, LEVEL.with_stem("sam_so_dscr_sculpted_fixed_ppa")):
        assert set(read_case(path).outputs) < set(names)
    assert "25 years, 57 rows and 42 figures" in out
    assert "sam_so_dscr_sculpted_fixed_ppa agrees" in out


def test_the_command_runs_from_the_repository():
    command = [sys.executable, "-m", "tests.external.sam", str(LEVEL)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sam_so_60pct_equal_payment agrees" in done.stdout


@pytest.mark.parametrize(
    ("row", "year"),
    [
        ("cf_debt_balance", 9), ("cf_reserve_interest", 4), ("cf_feddepr_sl_20", 1), ("cf_statax", 13), ("cf_ppa_price", 20),
        ("cf_project_return_aftertax", 0), ("cf_project_return_aftertax_npv", 25), ("cf_project_return_aftertax_irr", 25),
        ("cf_project_return_aftertax_max_irr", 25), ("cf_pretax_dscr", 15),
    ],
)  # fmt: skip
def test_a_row_that_is_off_by_one_in_a_hundred_thousand_fails_by_name(tmp_path, capsys, row, year):
    def shift(data):
        data["outputs"][row][year] *= 1 + 1e-5

    status, out = run(capsys, copy(tmp_path, shift))
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if line.endswith("ABOVE")] == [row]
    assert f"year {year}  ABOVE" in out
    assert "DIFFERS" in out


@pytest.mark.parametrize("figure", ["lcoe_real", "size_of_debt", "wacc", "project_return_aftertax_npv"])
def test_a_figure_that_is_off_fails_by_name(tmp_path, capsys, figure):
    status, out = run(capsys, copy(tmp_path, lambda data: data["outputs"].update({figure: data["outputs"][figure] * 1.00001})))
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if line.endswith("ABOVE")] == [figure]


def test_an_input_that_is_changed_is_seen_in_the_rows(tmp_path, capsys):
    status, out = run(capsys, copy(tmp_path, lambda data: data["inputs"].update(term_int_rate=7.001)))
    assert status == 1
    assert any(line.startswith("  cf_debt_payment_interest") and line.endswith("ABOVE") for line in out.splitlines())


@pytest.mark.parametrize("row", ["cf_debt_balance", "cf_fedtax"])
def test_a_row_without_a_number_or_of_another_length_fails(tmp_path, capsys, row):
    def blank(data):
        data["outputs"][row][3] = None

    status, out = run(capsys, copy(tmp_path, blank), copy(tmp_path, lambda data: data["outputs"][row].pop()))
    assert status == 1
    assert out.count(f"  {row} ") == 2
    assert "inf  year" in out


def test_a_cash_flow_row_that_is_not_computed_fails_by_name(tmp_path, capsys):
    status, out = run(capsys, copy(tmp_path, lambda data: data["outputs"].update(cf_utility_bill=[1.0] * 26, lcoh=1.0)))
    assert status == 1
    assert "NOT COMPUTED: cf_utility_bill" in out
    assert "without a counterpart here: lcoh" in out


def test_rates_that_the_program_does_not_find_are_not_held_against_it(tmp_path, capsys):
    def blank(data):
        data["outputs"]["cf_project_return_pretax_irr"][7] = None

    assert run(capsys, copy(tmp_path, blank))[0] == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data["inputs"].pop("dscr"), "inputs lack a number for dscr"),
        (lambda data: data["inputs"].pop("analysis_period"), "inputs.analysis_period must be one number"),
        (lambda data: data["inputs"].update(analysis_period=0.0), "1 to 100 whole years"),
        (lambda data: data["inputs"].update(dscr="1.3"), "inputs.dscr holds '1.3', which is not a number"),
        (lambda data: data["inputs"].update(dscr=[1.3, 1.4]), "inputs lack a number for dscr (or have several)"),
        (lambda data: data["inputs"].update(flip_target_year=None, ppa_soln_mode=0.0), "flip_target_year must be one number"),
        (lambda data: data["inputs"].pop("depr_itc_fed_sl_5"), "inputs lack a number for depr_itc_fed_sl_5 (or"),
        (lambda data: data["inputs"].pop("federal_tax_rate"), "inputs lack a number for federal_tax_rate (or"),
        (lambda data: data["inputs"].pop("pbi_uti_escal"), "inputs lack a number for pbi_uti_escal (or"),
        (lambda data: data["inputs"].update(en_batt=1.0), "en_batt is on; batteries"),
        (lambda data: data.pop("inputs"), "not a case"),
        (lambda data: data.update(module="Levpartflip"), "a case of the module 'Levpartflip'"),
        (lambda data: data.update(outputs={"lcoe_nom": 7.0}), "its outputs hold no cash-flow row"),
        (lambda data: data["inputs"].update(ppa_multiplier_model=1.0) or data["outputs"].pop("cf_ppa_price"),
         "the row outputs.cf_ppa_price is missing"),
    ],
)  # fmt: skip
def test_a_case_of_another_form_is_refused_in_a_sentence(tmp_path, capsys, change, sentence):
    status, out = run(capsys, copy(tmp_path, change))
    assert status == 1
    assert sentence in out


def test_a_file_that_is_no_case_is_refused_and_the_others_are_compared(tmp_path, capsys):
    (tmp_path / "list.json").write_text("[1, 2]", encoding="utf-8")
    (tmp_path / "text.json").write_text("not JSON", encoding="utf-8")
    status, out = run(capsys, tmp_path / "none.json", tmp_path / "list.json", tmp_path / "text.json", LEVEL)
    assert status == 1
    for words in ("none.json: cannot be read", "list.json: not a case", "text.json: not JSON", "equal_payment agrees"):
        assert words in out


def test_the_command_without_a_case_says_how_it_is_used(capsys):
    assert run(capsys) == (2, "Usage: python -m tests.external.sam CASE.json...\n")


# --- what the cases alone do not show ---


def test_a_price_sought_without_a_reported_one_ends_near_the_return_sought():
    found = read_case(LEVEL.with_stem("price_sought_with_limit"))
    outputs = {name: value for name, value in found.outputs.items() if name not in ("cf_ppa_price", "ppa", "ppa_price")}
    rows = sam_model.compute(type(found)(found.name, found.inputs, outputs))
    assert rows["ppa"][0] == pytest.approx(found.outputs["ppa"], rel=1e-4)
    assert rows["flip_actual_irr"][0] == pytest.approx(9.0, abs=2e-4)


def test_one_number_may_be_written_as_a_list_of_one_and_the_other_way_round(tmp_path, capsys):
    def swap(data):
        for name, value in data["inputs"].items():
            data["inputs"][name] = [value] if not isinstance(value, list) else value[0] if len(value) == 1 else value

    assert run(capsys, copy(tmp_path, swap))[0] == 0


def test_inputs_that_the_program_does_without_may_be_left_out(tmp_path, capsys):
    def leave_out(data):
        for name in ("system_heat_rate", "om_land_lease", "ppa_soln_max", "loan_moratorium", "system_use_recapitalization"):
            del data["inputs"][name]

    assert run(capsys, copy(tmp_path, leave_out))[0] == 0


def test_a_plant_known_by_the_hour_takes_its_first_year_from_the_case(tmp_path, capsys):
    path = copy(tmp_path, lambda data: data["inputs"].pop("gen_kw_constant"), LEVEL.with_stem("costs_by_year"))
    assert run(capsys, path)[0] == 0


def test_a_plant_that_knows_no_battery_has_no_row_of_its_own_energy(tmp_path, capsys):
    """The energy that costs by output are reckoned on is then what it delivers."""

    def leave_out(data):
        del data["outputs"]["cf_energy_without_battery"], data["inputs"]["gen_kw_constant"]

    assert run(capsys, copy(tmp_path, leave_out, LEVEL.with_stem("costs_by_year")))[0] == 0


def test_a_year_is_added_up_hour_by_hour_so_that_what_is_left_over_is_the_programs():
    """8,760 times 197,891.438 kW and their sum differ by 2e-4 kWh, which is all that the program calls curtailed."""
    level = read_case(LEVEL)
    power = {"gen_kw_constant": 197_891.438, "annual_energy_pre_curtailment_ac": 8760 * 197_891.438}
    rows = sam_model.compute(type(level)(level.name, {**level.inputs, **power}, {}))
    assert rows["cf_energy_net"][1] == 1733528996.8798063


def test_a_plant_of_constant_power_sells_by_the_days_of_the_month():
    rows = sam_model.compute(read_case(LEVEL))
    assert rows["cf_energy_sales_feb"][1] == pytest.approx(25_000 * 24 * 28)
    assert rows["cf_revenue_feb"][2] == pytest.approx(25_000 * 24 * 28 * 0.995 * 0.07 * 1.01)


def test_debt_above_the_whole_cost_leaves_negative_equity():
    level = read_case(LEVEL)
    rows = sam_model.compute(type(level)(level.name, {**level.inputs, "debt_percent": 120.0}, {}))
    assert rows["issuance_of_equity"][0] < 0
    assert rows["cf_debt_balance"][15] == pytest.approx(0, abs=1e-6 * rows["size_of_debt"][0])
    assert rows["cf_project_return_aftertax"][0] == pytest.approx(-rows["issuance_of_equity"][0], rel=1e-12)


def test_replacements_are_depreciated_in_full_vintage_by_vintage():
    level = read_case(LEVEL)
    inputs = {
        **level.inputs,
        "analysis_period": 40.0,
        "equip1_reserve_cost": 0.1,
        "equip1_reserve_freq": 4.0,
        "equip_reserve_depr_fed": 3.0,
    }
    rows = sam_model.compute(type(level)(level.name, inputs, {}))
    table = np.array(sam_model._table("depreciation_tables")["sl_15"]) / 100
    expected = np.zeros(41)
    for year in range(4, 41, 4):  # 0.1 USD/W x 100 MW, dearer by inflation from the second year on
        vintage = 0.1 * 1e8 * 1.025 ** (year - 1) * table
        expected[year:] += vintage[: 41 - year].tolist() + [0.0] * max(0, 41 - year - vintage.size)
    assert rows["cf_feddepr_me1"] == pytest.approx(expected, rel=1e-12)
