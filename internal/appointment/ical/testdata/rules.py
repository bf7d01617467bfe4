"""Writes rules.json: random RRULEs and what python-dateutil makes of them, up to 25 occurrences each, as times on the wall.

Left out is what dateutil reads otherwise than RFC 5545: BYSETPOS by the week (it cuts the first week), BYWEEKNO without a weekday.
"""
import json
import random
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr

random.seed(5545)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def some(low, high, most, minus=False):
    picked = random.sample(range(low, high + 1), random.randint(1, most))
    return ",".join(str(-n if minus and random.random() < 0.3 else n) for n in picked)


def rule():
    freq = random.choice(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] * 3 + ["HOURLY", "MINUTELY", "SECONDLY"])
    parts = {"FREQ": freq}
    if random.random() < 0.5:
        parts["INTERVAL"] = str(random.randint(2, 7))
    if random.random() < 0.3:
        parts["WKST"] = random.choice(DAYS)
    if random.random() < 0.3:
        parts["BYMONTH"] = some(1, 12, 4)
    if freq in ("MONTHLY", "YEARLY", "DAILY") and random.random() < 0.3:
        parts["BYMONTHDAY"] = some(1, 31, 4, freq != "DAILY")
    if freq == "YEARLY" and random.random() < 0.2:
        parts["BYYEARDAY"] = some(1, 366, 5, True)
    if random.random() < 0.5:
        days = random.sample(DAYS, random.randint(1, 3))
        if freq in ("MONTHLY", "YEARLY") and random.random() < 0.5:
            days = [random.choice(["1", "2", "-1", "3", "-2"]) + d for d in days]
        parts["BYDAY"] = ",".join(days)
    if freq == "YEARLY" and "BYDAY" in parts and parts["BYDAY"][0] in "MTWFS" and random.random() < 0.3:
        parts["BYWEEKNO"] = some(1, 53, 3, True)
    if freq not in ("HOURLY", "MINUTELY", "SECONDLY"):
        if random.random() < 0.2:
            parts["BYHOUR"] = some(0, 23, 2)
        if random.random() < 0.2:
            parts["BYMINUTE"] = some(0, 59, 2)
        if freq != "WEEKLY" and random.random() < 0.2:
            parts["BYSETPOS"] = some(1, 4, 2, True)
    elif random.random() < 0.3:
        parts["BYHOUR"] = some(0, 23, 2)
    return parts


out = []
while len(out) < 400:
    start = datetime(2012, 1, 1) + timedelta(minutes=random.randint(0, 8 * 366 * 1440))
    parts = rule()
    end = random.random()
    if end < 0.3:
        parts["COUNT"] = str(random.randint(1, 40))
    elif end < 0.5:
        parts["UNTIL"] = (start + timedelta(days=random.randint(1, 2000))).strftime("%Y%m%dT%H%M%S")
    text = ";".join(f"{k}={v}" for k, v in parts.items())
    sub = parts["FREQ"] in ("HOURLY", "MINUTELY", "SECONDLY")
    after = start + timedelta(hours=random.randint(0, 3)) if sub else start + timedelta(days=random.choice([0, 0, 30, 900]))
    before = after + (timedelta(hours=60) if sub else timedelta(days=2500))
    try:
        rules = rrulestr("RRULE:" + text, dtstart=start)
    except ValueError:  # dateutil sees at once that it never happens
        continue
    found, complete = [], True
    for t in rules.xafter(after, inc=True):
        if t >= before or len(found) == 25:
            complete = t >= before
            break
        found.append(t)
    if not complete:
        before = t
    out.append({"start": start.strftime("%Y%m%dT%H%M%S"), "rule": text, "from": after.strftime("%Y%m%dT%H%M%S"),
                "to": before.strftime("%Y%m%dT%H%M%S"), "found": " ".join(t.strftime("%Y%m%dT%H%M%S") for t in found)})
with open("rules.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]\n")
