"""Measures of cash flows and of distributions: pure functions of arrays. No model, no files."""

from fundappraise.measures.cover import dscr, llcr, minimum_dscr, plcr
from fundappraise.measures.discounting import (
    discounted_payback,
    half_period_npv,
    merge_half_periods,
    mirr,
    npv,
    payback,
    xnpv,
)
from fundappraise.measures.irr import Rates, irr, xirr
from fundappraise.measures.multiples import dpi, pic, rvpi, tvpi
from fundappraise.measures.pacing import Pacing, pacing
from fundappraise.measures.risk import (
    Estimate,
    cvar,
    cvar_estimate,
    mean_estimate,
    percentile_estimate,
    probability_estimate,
    sd_estimate,
    var,
    var_estimate,
)
from fundappraise.measures.sensitivity import shapley_effects

__all__ = [
    "Estimate",
    "Pacing",
    "Rates",
    "cvar",
    "cvar_estimate",
    "discounted_payback",
    "dpi",
    "dscr",
    "half_period_npv",
    "irr",
    "llcr",
    "mean_estimate",
    "merge_half_periods",
    "minimum_dscr",
    "mirr",
    "npv",
    "pacing",
    "payback",
    "percentile_estimate",
    "pic",
    "plcr",
    "probability_estimate",
    "rvpi",
    "sd_estimate",
    "shapley_effects",
    "tvpi",
    "var",
    "var_estimate",
    "xirr",
    "xnpv",
]
