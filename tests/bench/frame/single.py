# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes one at a time, each followed until the databases show it: zones that are new, zones of which a record changed."""
import zones as bench_zones

KINDS = {"new": "new zones", "change": "one record changed"}
SERIALS = {"new": bench_zones.SERIAL, "change": bench_zones.SERIAL + 1}


def found_by(kind):
    """sql(name): the statement that finds a row once that push is committed."""
    def sql(name):
        if kind == "new":
            return f"SELECT 1 FROM zones WHERE zone_name='{name}.'"
        return ("SELECT 1 FROM records r JOIN zones z ON z.id=r.zone_id WHERE "
                f"z.zone_name='{name}.' AND r.hostname='_version' AND r.type='TXT' AND r.data='\"{SERIALS[kind]}\"'")
    return sql


def write_plans(ctx, names):
    """{kind: path of its plan}, in the order in which they must be pushed."""
    plans = {}
    for kind, serial in SERIALS.items():
        plans[kind] = ctx.path(f"{kind}.plan")
        bench_zones.write_plan(plans[kind], [(name, bench_zones.text(name, serial)) for name in names], found_by(kind))
    return plans
