#!/usr/bin/env python3
"""Sums a basket file independently of the project: what all its lines cost at regular prices.

Prints one number: Σ (sales_value + retail_disc) over all lines, in cents.
"""

import csv
import gzip
import sys
from decimal import Decimal

path = sys.argv[1]
opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
with opened as lines:
    rows = csv.DictReader(lines)
    total = sum((Decimal(r["sales_value"]) + Decimal(r["retail_disc"]) for r in rows), Decimal(0))
print(int(total * 100))
