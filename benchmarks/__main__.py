"""Prints each benchmark's figures and ratios."""

from benchmarks import draws, engine, memory, rates, selection, terminal

for part in (rates, draws, terminal, engine, selection, memory):
    print(f"\n{(part.__doc__ or '').splitlines()[0]}")
    for line in part.measured():
        print(f"  {line}")
