"""What ``fundappraise models NAME`` prints: inputs, items with the factors between units, checks, what it is made of."""

from small_models import given, item, load

from fundappraise.model.description import description
from fundappraise.model.load import load_model


def test_a_whole_model_as_text(tmp_path):
    (tmp_path / "tax.toml").write_text(
        'requires = ["profit", "rate"]\n' + item("tax", "rate * profit", "MUSD", "flow"), encoding="utf-8"
    )
    model = load(
        tmp_path,
        given("boxes", "kTEU/year", by_period=True, more="bounds = [0, 900]\n"),
        given("fee", "USD/TEU", more='prices = "real"\ndefault = 95\n'),
        given("rate", "%"),
        given("sea", "m", more='driver = "sea_level"\n'),
        item("revenue", "boxes * fee * fee_index * years_per_period", "MUSD", "flow", role="output"),
        '[checks.some]\nlabel = "There is some"\nformula = "revenue >= 0"\n[outputs]\nsales = "revenue"\n',
        head='include = [{file = "tax.toml", as = "early", with = {profit = "0.5 * revenue"}}]',
    )
    assert description(model).split("\n\n") == [
        "M (m.toml), it\nS",
        "Includes\n  tax.toml as early_… with profit = 0.5 * revenue\nRequires\n  rate",
        "Inputs\n"
        "  boxes  kTEU/year      boxes, by year, 0 to 900\n"
        "  fee    USD/TEU        fee, real prices, default 95\n"
        "  rate   %              rate",
        "Given by\n  sea  m              sea, driver sea_level",
        "Line items\n"
        "  revenue = boxes * fee * fee_index * years_per_period * 0.001    [MUSD, flow, output] revenue\n"
        "  early_tax = rate * (0.5 * revenue)    [MUSD, flow] tax",
        "Checks\n  revenue >= 0    There is some",
        "Outputs\n  sales = revenue",
    ]


def test_every_part_of_a_shipped_model_is_shown():
    model = load_model("it/data_hall")
    shown = description(model)
    for name in (*model.items, *(row.name for row in model.asked)):
        assert f"  {name} " in shown
    assert "finance/tax.toml as levered_…" in shown
