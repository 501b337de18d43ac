"""Prints each benchmark's figures and ratios."""

from benchmarks import engine, rates, selection

for part in (rates, engine, selection):
    print(f"\n{(part.__doc__ or '').splitlines()[0]}")
    for line in part.measured():
        print(f"  {line}")
