"""How evidence beside the pages comes out on its labelled sets, in figures.

    python -m benchmarks.evidence

The cases of several channels by kind, each as the table of weights in docs/sources.md has it, and
coordinators' mails: how many are read rightly, and how many are marked to be read closely. Exit
status 1 where a goal is missed.
"""

from __future__ import annotations

import sys
from collections import Counter

from benchmarks.coordinators import mails
from benchmarks.evidence_cases import cases

LEAST_CASES, LEAST_MAILS, GOAL = 120, 40, 0.95


def main() -> None:
    found = cases()
    kinds, right = (Counter(c.kind for c in found if ok or c.right) for ok in (True, False))
    for kind, number in kinds.items():
        print(f"{kind:12} {number:4} cases, {right[kind]} as the table says")
    print(f"{'all':12} {len(found):4} cases, {right.total()} as the table says")
    for case in found:
        if not case.right:
            print(f"  not so: line {case.line} of the cases")

    letters = mails()
    rightly = [mail for mail in letters if mail.right]
    wrong = [mail.understood.doubtful for mail in letters if not mail.right]
    marked = sum(mail.understood.doubtful for mail in rightly if mail.whole)
    share = len(rightly) / len(letters)
    print(f"{'mails':12} {len(letters):4} in all, {len(rightly)} read rightly ({share:.3f})")
    print(f"{'':12} {len(wrong):4} read wrongly, {sum(wrong)} of them marked needs_review")
    whole = sum(mail.whole for mail in rightly)
    print(f"{'':12} {marked:4} of {whole} right ones that say something of both are marked, too")
    met = (
        right.total() == len(found) >= LEAST_CASES
        and len(letters) >= LEAST_MAILS
        and share >= GOAL
        and all(wrong)
    )
    print("goals met" if met else "a goal is missed")
    sys.exit(not met)


if __name__ == "__main__":
    main()
