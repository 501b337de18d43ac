"""The columns of the results workbook: key in the result tables, head with unit, number format, width."""

from __future__ import annotations

from fundappraise.workbook.sheets import Column

DECISION = (Column("what", "What", "wrap", 42), Column("answer", "Answer", "wrap", 110))

PROJECTS = (
    Column("id", "Project", "text", 8),
    Column("name", "Name", "text", 34),
    Column("sector", "Sector", "text", 12),
    Column("country", "Country", "text", 14),
    Column("model", "Model", "text", 26),
    Column("ticket", "Ticket, MUSD"),
    Column("stake", "Stake", "share"),
    Column("npv_mean", "Fund NPV, mean, MUSD"),
    Column("npv_se", "± NPV, MUSD"),
    Column("npv_p05", "Fund NPV, P5, MUSD"),
    Column("npv_p50", "Fund NPV, P50, MUSD"),
    Column("npv_p95", "Fund NPV, P95, MUSD"),
    Column("p_below_hurdle", "Futures below the hurdle", "share"),
    Column("p_loss", "Futures with a capital loss", "share"),
    Column("p_loss_se", "± loss futures", "share"),
    Column("loss_cvar", "CVaR of capital loss, MUSD"),
    Column("loss_cvar_se", "± CVaR, MUSD"),
    Column("npv_8", "Fund NPV at 8 %, MUSD"),
    Column("npv_12", "Fund NPV at 12 %, MUSD"),
    Column("project_npv_mean", "Project NPV, mean, MUSD"),
    Column("project_npv_se", "± project NPV, MUSD"),
    Column("project_p_below", "Futures with project NPV < 0", "share"),
    Column("project_irr", "Project IRR of the mean flow", "rate"),
    Column("project_irr_p10", "Project IRR, P10", "rate"),
    Column("project_irr_p50", "Project IRR, P50", "rate"),
    Column("project_irr_p90", "Project IRR, P90", "rate"),
    Column("project_no_irr", "Paths without a project IRR", "share"),
    Column("equity_npv_mean", "Equity NPV, mean, MUSD"),
    Column("equity_npv_se", "± equity NPV, MUSD"),
    Column("equity_irr", "Equity IRR of the mean flow", "rate"),
    Column("equity_irr_p10", "Equity IRR, P10", "rate"),
    Column("equity_irr_p50", "Equity IRR, P50", "rate"),
    Column("equity_irr_p90", "Equity IRR, P90", "rate"),
    Column("equity_no_irr", "Paths without an equity IRR", "share"),
    Column("payback_p50", "Payback, P50, years", "plain"),
    Column("min_cover_p05", "Lowest DSCR, P5", "money"),
    Column("min_cover_p50", "Lowest DSCR, P50", "money"),
    Column("p_default", "Futures with a payment default", "share"),
    Column("debt", "Senior debt, base case, MUSD"),
)

RESCUES = (
    Column("grant", "Grant that brings its NPV to zero, MUSD"),
    Column("price_input", "Price input", "text", 16),
    Column("price_label", "Price", "text", 30),
    Column("price_unit", "Unit of the price", "text", 16),
    Column("price_now", "Price now", "plain"),
    Column("price_needed", "Price at which its NPV is zero", "plain"),
    Column("price_change", "Change of the price", "share"),
)

ALLOCATION = (
    Column("id", "Project", "text", 8),
    Column("name", "Name", "text", 34),
    Column("sector", "Sector", "text", 12),
    Column("country", "Country", "text", 14),
    Column("chosen", "Chosen", "flag", 8),
    Column("ticket", "Ticket, MUSD"),
    Column("npv_mean", "NPV with all candidates, MUSD"),
    Column("npv_se", "± NPV, MUSD"),
    Column("p_loss", "Futures with a loss", "share"),
    Column("joint_npv_mean", "NPV in the chosen set, MUSD"),
    Column("joint_npv_se", "± NPV in the chosen set, MUSD"),
    Column("joint_p_loss", "Futures with a loss, chosen set", "share"),
    Column("joint_loss_cvar", "CVaR of capital loss, chosen set, MUSD"),
    Column("verdict", "Verdict", "text", 26),
    Column("why", "Why", "wrap", 60),
    *RESCUES,
)

LIMITS = (
    Column("limit", "Limit", "wrap", 48),
    Column("of", "Of", "text", 20),
    Column("whom", "Whom", "text", 16),
    Column("year", "Year", "year", 8),
    Column("amount", "Limit", "plain"),
    Column("unit", "Unit", "text", 8),
    Column("used", "Used", "plain"),
    Column("binding", "Binds", "flag", 8),
    Column("why", "Why this limit", "wrap", 60),
)

INPUTS = (
    Column("address", "Address", "text", 28),
    Column("label", "Input", "text", 40),
    Column("unit", "Unit", "text", 14),
    Column("prices", "Prices", "text", 12),
    Column("low", "Low", "plain", 11),
    Column("base", "Base", "plain", 11),
    Column("high", "High", "plain", 11),
    Column("shape", "Shape", "text", 11),
    Column("meaning", "Low, high mean", "text", 11),
    Column("moves_with", "Moves with", "text", 18),
    Column("by", "by", "plain", 7),
    Column("by_year", "By year", "text", 30),
    Column("bank", "Bank case", "text", 10),
    Column("kind", "Kind", "text", 14),
    Column("source", "Source", "text", 44),
    Column("confidence", "Confidence", "text", 11),
    Column("assumption", "Assumption", "text", 11),
    Column("note", "Note", "text", 44),
    Column("place", "Where it was read", "text", 34),
)
