"""Measures of cash flows and of distributions: pure functions of arrays."""

from fundappraise.measures.discounting import discounted_payback, mirr, npv, payback, xnpv
from fundappraise.measures.irr import Rates, irr, xirr
from fundappraise.measures.risk import Estimate, cvar, var

__all__ = ["Estimate", "Rates", "cvar", "discounted_payback", "irr", "mirr", "npv", "payback", "var", "xirr", "xnpv"]
