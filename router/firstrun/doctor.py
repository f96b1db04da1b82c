"""`make doctor`: what is missing on this machine or in this instance, and how to mend it.

Standard library only: it has to work where nothing else does.
"""

import os
import sys
from pathlib import Path

from router.firstrun.doctor_instance import instance_findings
from router.firstrun.doctor_machine import machine_findings

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print every finding; 1 if something has to be mended."""
    ill = 0
    for title, findings in (
        ("This machine", machine_findings(CHECKOUT, os.environ)),
        ("This instance", instance_findings(CHECKOUT, os.environ)),
    ):
        print(title)
        for finding in findings:
            mark = {True: "✓", False: "✗", None: "·"}[finding.well]
            print(f"  {mark} {finding.what:<28} {finding.detail}".rstrip())
            if finding.well is False:
                ill += 1
                print(f"    → {finding.mend}")
    print("\nall well" if not ill else f"\n{ill} to mend: see the arrows")
    return 1 if ill else 0


if __name__ == "__main__":
    sys.exit(main())
