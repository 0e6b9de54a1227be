#!/usr/bin/env python3
"""Holds what a lane reads from codes against another parser: biip, from PyPI.

    pip install biip==5.2.0
    python3 crates/catalog/compare-codes.py [--count 10000] [--seed N]

Draws GTIN-8, -12, -13 and -14, UPC-E, and GS1 element strings as scanners send them, as people write
them in brackets and as GS1 Digital Links, one in five of them with something wrong; has both parsers
read each, and prints how many of each kind agree and every one that does not. Ends with 1 where one
does not. The project's tests do without it.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

try:
    import biip
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_messages import GS1Message
    from biip.gtin import Gtin
    from biip.upc import Upc
except ImportError:
    sys.exit("biip is missing: pip install biip==5.2.0")

FOLDER = Path(__file__).parent
SHOWN_MAX = 20
# A scanner sends the symbology before the code, and FNC1 as this.
SYMBOLOGIES = ["]C1", "]e0", "]d2", "]Q3"]
SEPARATOR = "\x1d"
# No separator follows these.
FIXED = {"01", "15", "17", "310"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def check_digit(digits):
    weighed = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits)))
    return str(-weighed % 10)


def digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


def gtin(rng, length, wrong=False):
    body = digits(rng, length - 1)
    check = check_digit(body)
    if wrong:
        check = str((int(check) + rng.randint(1, 9)) % 10)
    return body + check


def text(rng, most):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, most)))


def day(rng):
    return f"{rng.randint(0, 99):02}{rng.randint(1, 12):02}{rng.randint(0, 28):02}"


def elements(rng, wrong):
    """An item's elements, the GTIN first, as (identifier, value)."""
    found = [("01", gtin(rng, 14))]
    others = {
        "10": lambda: ("10", text(rng, 20)),
        "15": lambda: ("15", day(rng)),
        "17": lambda: ("17", day(rng)),
        "21": lambda: ("21", text(rng, 20)),
        "30": lambda: ("30", str(rng.randint(1, 99999))),
        "310": lambda: (f"310{rng.randint(0, 5)}", f"{rng.randint(1000, 99999):06}"),
        "392": lambda: (f"392{rng.randint(0, 2)}", str(rng.randint(1, 999999))),
        "393": lambda: (f"393{rng.randint(0, 2)}", "840" + str(rng.randint(1, 999999))),
    }
    kinds = rng.sample(sorted(others), rng.randint(0, 4))
    if "392" in kinds and "393" in kinds:
        kinds.remove("393")
    found += [others[kind]() for kind in kinds]
    if wrong:
        place = rng.randrange(len(found))
        ai, value = found[place]
        if ai == "01":
            value = gtin(rng, 14, wrong=True)
        elif ai in ("15", "17"):
            value = rng.choice([value[:2] + "13" + value[4:], value[:4] + "32", "2" + text(rng, 1) + "x011"])
        elif ai[:3] in ("310", "392", "393") or ai == "30":
            value = value[:-1] + "x"
        else:
            value = value + "x" * 21
        found[place] = (ai, value)
    return found


def sent(rng, found):
    """As a scanner sends it."""
    out = rng.choice(SYMBOLOGIES)
    for place, (ai, value) in enumerate(found):
        fixed = ai in FIXED or ai[:3] in FIXED
        last = place == len(found) - 1
        out += ai + value + ("" if fixed or last else SEPARATOR)
    return out


def bracketed(found):
    return "".join(f"({ai}){value}" for ai, value in found)


def link(rng, found):
    """Lot and serial number stand in the path, in that order, and all else in the query."""
    path = [f"/{ai}/{value}" for ai, value in found[:1]]
    for key in ("10", "21"):
        path += [f"/{ai}/{value}" for ai, value in found[1:] if ai == key]
    query = [f"{ai}={value}" for ai, value in found[1:] if ai not in ("10", "21")]
    host = rng.choice(["https://id.gs1.org", "https://example.com", "http://example.org/shop"])
    return host + "".join(path) + ("?" + "&".join(query) if query else "")


def draw(rng):
    """A kind, and a code of it."""
    wrong = rng.random() < 0.2
    kind = rng.choice(
        ["GTIN-8", "GTIN-12", "GTIN-13", "GTIN-14", "UPC-E"]
        + ["element string"] * 3
        + ["in brackets", "Digital Link"]
    )
    if kind == "UPC-E":
        body = digits(rng, 6)
        check = Upc.parse("0" + body).check_digit
        if wrong:
            check = (check + rng.randint(1, 9)) % 10
        return kind, f"0{body}{check}"
    if kind == "GTIN-8":
        # One that begins with 0 is a UPC-E to a till, where it can be one.
        body = str(rng.randint(1, 9)) + digits(rng, 6)
        check = int(check_digit(body))
        return kind, body + str((check + (rng.randint(1, 9) if wrong else 0)) % 10)
    if kind.startswith("GTIN"):
        return kind, gtin(rng, int(kind[5:]), wrong)
    found = elements(rng, wrong)
    if kind == "element string":
        return kind, sent(rng, found)
    return kind, bracketed(found) if kind == "in brackets" else link(rng, found)


def of_strings(strings):
    """What a till wants of biip's element strings; None of what the code does not say."""
    out = dict.fromkeys(
        ["price_minor", "weight_milli", "count_milli", "lot", "serial", "best_before", "expires"]
    )
    for one in strings:
        ai = one.ai.ai
        if ai == "01":
            if one.gtin is None:
                raise biip.ParseError(one.gtin_error or "no GTIN")
            out["gtin"] = one.gtin.as_gtin_14()
        elif ai == "10":
            out["lot"] = one.value
        elif ai == "21":
            out["serial"] = one.value
        elif ai in ("15", "17"):
            if one.date is None:
                raise biip.ParseError("no date")
            out["best_before" if ai == "15" else "expires"] = one.date.isoformat()
        elif ai == "30":
            out["count_milli"] = int(one.value) * 1000
        elif ai.startswith("310"):
            grams = (one.decimal * 1000).quantize(Decimal(1), ROUND_HALF_UP)
            out["weight_milli"] = int(grams)
        elif ai.startswith(("392", "393")):
            amount = one.decimal if one.decimal is not None else one.money.amount
            out["price_minor"] = int(amount * 100)
    return out


def other(kind, code):
    """What biip reads; None where it reads nothing."""
    try:
        if kind == "UPC-E":
            return {"gtin": "00" + Upc.parse(code).as_upc_a()}
    except (biip.BiipException, ValueError):
        # Its check digit may be that of a GTIN-8.
        pass
    try:
        if kind.startswith("GTIN") or kind == "UPC-E":
            return {"gtin": Gtin.parse(code).as_gtin_14()}
        if kind == "Digital Link":
            message = GS1DigitalLinkURI.parse(code)
        elif kind == "in brackets":
            message = GS1Message.parse_hri(code)
        else:
            message = GS1Message.parse(code[3:])
        return of_strings(message.element_strings)
    except (biip.BiipException, ValueError):
        return None


def ours(codes):
    command = ["cargo", "run", "--quiet", "-p", "catalog", "--example", "scan"]
    lines = "".join(json.dumps(code) + "\n" for code in codes)
    done = subprocess.run(
        command, input=lines, stdout=subprocess.PIPE, text=True, check=True, cwd=FOLDER
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}, biip {biip.__version__}")
    rng = random.Random(given.seed)
    drawn = [draw(rng) for _ in range(given.count)]
    agree, refused, differ = Counter(), Counter(), []
    for (kind, code), read in zip(drawn, ours([code for _, code in drawn]), strict=True):
        expected = other(kind, code)
        if expected is None:
            same = "error" in read
            refused[kind] += same
        else:
            same = "error" not in read and all(read[key] == expected[key] for key in expected)
        agree[kind] += same
        if not same:
            differ.append((kind, code, read, expected))
    for kind in sorted(agree):
        drawn_of = sum(1 for other_kind, _ in drawn if other_kind == kind)
        print(f"{kind:15} {drawn_of:6} codes, {agree[kind]:6} read alike, {refused[kind]:5} of them refused")
    for kind, code, read, expected in differ[:SHOWN_MAX]:
        print(f"{kind}: {code!r}\n  here {read}\n  biip {expected}")
    print(f"{len(differ)} of {given.count} differ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
