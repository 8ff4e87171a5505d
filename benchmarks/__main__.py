"""All benchmarks, one after the other: `python -m benchmarks`."""

from benchmarks import classify, cycle

classify.main()
print()
cycle.main()
