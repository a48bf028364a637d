# SPDX-License-Identifier: GPL-3.0-or-later
"""What a black-holed database costs the live ones: their throughput, and how late they are under a steady load."""
import zones as bench_zones
from frame import drive, rounds
from frame.cluster import DIGEST_SQL, Cluster, CpuMeter, applied_at, changed_at, delivered_at
from frame.proxy import Proxy
from frame.result import Chart, Figure, Result, bar_of, cdf, percentile

TITLE = "3 databases, one of them black-holed, against all three alive: what the other two get, and when"
RATE_BAR, LATE_BAR = 0.95, 1.2
WORKERS = 16
STEADY_WORKERS = 64
STEADY_SHARE = 0.4
LIVE = ("dc1", "dc2")
STATES = {"alive": "all three alive", "dead": "third black-holed", "absent": "third not configured"}


def add_arguments(parser):
    parser.add_argument("--dead-zones", type=int, default=10000, help="of a round at full speed")
    parser.add_argument("--dead-seconds", type=int, default=15, help="of a round at a steady rate")


class Dead:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.live = cluster.servers[:len(LIVE)]
        self.full = ctx.path("full.plan")
        self.count = ctx.size(ctx.args.dead_zones, 300)
        drive.write_plan(self.full, bench_zones.names("z", self.count))
        cluster.make_schema()
        # Not counted but for the steady rate, which is the same for all rounds.
        self.per_second = max(10, round(STEADY_SHARE * self.round("alive", self.full_speed)["rate"]))
        self.steady = ctx.path("steady.plan")
        self.steady_count = self.per_second * ctx.size(ctx.args.dead_seconds, 2)
        drive.write_plan(self.steady, bench_zones.names("s", self.steady_count))

    def round(self, state, load):
        """The third database is behind a proxy in all states; in "dead" that falls silent when its lane is up."""
        self.cluster.reset()
        proxy = Proxy(self.ctx, self.cluster.servers[-1].port)
        try:
            ports = [server.port for server in self.live] + ([proxy.port] if state != "absent" else [])
            zonefan = self.cluster.daemon(ports=ports, wait_up=False)
            for name in zonefan.backends:
                zonefan.wait_lane(name, "up")
            self.cluster.settle()
            if state == "dead":
                proxy.black_hole()
            found = load(zonefan)
            self.check(zonefan, state, found["zones"])
            self.cluster.stop_daemon(zonefan)
        finally:
            proxy.close()
        self.ctx.log(f"{STATES[state]}: " + ", ".join(f"{name} {value:,.0f}" for name, value in found.items()
                                                       if isinstance(value, (int, float))))
        return found

    def check(self, zonefan, state, zones):
        """The live ones hold the same, that many zones, and the third what its state says."""
        digests = [server.sql(DIGEST_SQL)[0] for server in self.live]
        assert digests[0] == digests[1] and int(digests[0][0]) == zones * bench_zones.RECORDS, digests
        pending = zonefan.pending()
        if state == "dead":
            assert pending.pop("dc3") > 0, "the black hole delivered"
        assert not any(pending[name] for name in LIVE), pending

    def full_speed(self, zonefan):
        """As fast as the pushes are answered: from the first push to the last commit at the slower live database."""
        meter = CpuMeter(self.cluster.processes(zonefan))
        pushes = drive.push(self.ctx, zonefan, self.full, WORKERS)
        zonefan.wait_converged(*LIVE, deadline=600)
        seconds = max(delivered_at(zonefan)[name][1] for name in LIVE) - pushes["start_wall_us"] / 1e6
        answered = max(answer for _, answer, _ in pushes["pushes"]) / 1e6
        return {"zones": self.count, "rate": self.count / seconds, "answer_rate": self.count / answered,
                "cpu_us": {name: used / self.count * 1e6
                           for name, used in {**meter.used(), "client": pushes["cpu_seconds"]}.items()}}

    def at_steady_rate(self, zonefan):
        """
        Microseconds from when a push should have begun until it is in both live databases, told by zonefan_state
        ("stamped": before COMMIT) and by zonefan's store ("known": after its answer). Asked for after the round.
        """
        pushes = drive.push(self.ctx, zonefan, self.steady, STEADY_WORKERS, per_second=self.per_second)
        kept_up = self.steady_count / self.per_second / (max(answer for _, answer, _ in pushes["pushes"]) / 1e6)
        zonefan.wait_converged(*LIVE, deadline=600)
        applied = applied_at(zonefan)
        known = [applied[name] for name in LIVE]
        stamped = [changed_at(server) for server in self.live]
        starts = {name + ".": pushes["start_wall_us"] + start
                  for name, (start, _, _) in zip(bench_zones.names("s", self.steady_count), pushes["pushes"])}
        found = {"zones": self.steady_count, "kept_up": kept_up,
                 "answer_us": [answer - begun for begun, answer, _ in pushes["pushes"]]}
        for what, times in (("stamped_us", stamped), ("known_us", known)):
            found[what] = [max(at[zone] for at in times) - begun for zone, begun in starts.items()]
            found[what + "_p99"] = percentile(found[what], 99)
        return found

    def measure(self):
        """{state: [{"full": round, "steady": round}, ...]}; the states by turns, forwards and backwards."""
        found = {state: [] for state in STATES}
        for number in range(self.ctx.pairs):
            for state in STATES if number % 2 == 0 else reversed(STATES):
                found[state].append({"full": self.round(state, self.full_speed),
                                     "steady": self.round(state, self.at_steady_rate)})
        return found


def late(found, state, what, share):
    """In milliseconds, one per round."""
    return [percentile(one["steady"][what], share) / 1000 for one in found[state]]


def divided(ours, theirs):
    return [a / b for a, b in zip(ours, theirs)]


def figures(found, per_second):
    rate = {state: [one["full"]["rate"] for one in rounds_found] for state, rounds_found in found.items()}
    for state, label in STATES.items():
        yield Figure(f"two live databases, {label}", "zones/s", rate[state], main=True)
    yield Figure(f"throughput: {STATES['dead']} / {STATES['alive']}", "", divided(rate["dead"], rate["alive"]), bar=RATE_BAR)
    yield Figure(f"throughput: {STATES['dead']} / {STATES['absent']}", "", divided(rate["dead"], rate["absent"]), main=True)
    for what, text in (("stamped_us", "push to commit (stamped just before)"), ("known_us", "push to commit known")):
        for state, label in STATES.items():
            for share in (50, 99):
                yield Figure(f"{per_second} pushes/s, {label}: {text}, p{share}", "ms", late(found, state, what, share),
                             main=share == 99 and what == "stamped_us")
        p99 = {state: late(found, state, what, 99) for state in STATES}
        yield Figure(f"{text}, p99: {STATES['dead']} / {STATES['alive']}", "", divided(p99["dead"], p99["alive"]),
                     bar=LATE_BAR, at_least=False)
        yield Figure(f"{text}, p99: {STATES['dead']} / {STATES['absent']}", "", divided(p99["dead"], p99["absent"]), main=True)
    for state, label in STATES.items():
        yield Figure(f"{per_second} pushes/s, {label}: push to answer, p99", "ms", late(found, state, "answer_us", 99))
        yield Figure(f"{per_second} pushes/s, {label}: share of the rate that was kept", "", [one["steady"]["kept_up"]
                                                                                  for one in found[state]])
        yield from rounds.cpu_figures(f"full speed, {label}", [one["full"] for one in found[state]])


def charts(found, per_second):
    rate = {label: [bar_of("two live databases", [one["full"]["rate"] for one in found[state]])]
            for state, label in STATES.items()}
    steady = {label: cdf([us / 1000 for one in found[state] for us in one["steady"]["stamped_us"]])
              for state, label in STATES.items()}
    return [Chart("rate", "Zones pushed, committed in both live databases", "", "zones/s", rate),
            Chart("steady", f"{per_second} pushes per second: push to commit in both live databases", "milliseconds", "share",
                  steady, kind="cdf", log_x=True)]


def run(ctx):
    with Cluster(ctx, len(LIVE) + 1) as cluster:
        dead = Dead(ctx, cluster)
        found = dead.measure()
        settings = {"zones at full speed": dead.count, "pushes at a time": WORKERS, "zones at a steady rate": dead.steady_count,
                    "steady rate": f"{dead.per_second}/s", "records": bench_zones.RECORDS, **cluster.settings()}
    return Result("dead", TITLE, figures(found, dead.per_second), settings, charts=charts(found, dead.per_second),
                  raw=found)
