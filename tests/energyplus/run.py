#!/usr/bin/env python3
"""Is the room right when the door opens, in a building that EnergyPlus reckons and the real engine keeps?

Runs `innkeeper step` in closed loop against EnergyPlus, and the rules that it is compared with in the same building, weather
and stays. See README.md.
"""

import argparse
import json
import multiprocessing
import pathlib
import random
import sys
import tempfile
import time

import building
import guests
import plant
import rules
import score
import thermostat

HERE = pathlib.Path(__file__).resolve().parent
ZONE_HOURS, MONTH = {"heating": -6, "cooling": -5}, {"heating": 1, "cooling": 7}
RULES = {"innkeeper": None, "fixed 2 h": 120, "always on": "never set back", "check-in only": -10_000}


class Room:
    def __init__(self, name, life, device):
        self.name, self.life, self.device = name, life, device
        self.at = self.next = 0
        self.air, self.watts = [], []


def run(options, seed, rule):
    """One run of one rule. Returns its judged arrivals and what was learnt of the rule itself."""
    minutes = options.days * guests.DAY
    rooms, begun = {}, time.monotonic()
    for name, room in building.ROOMS.items():
        life = guests.tell(minutes, options.eta_error, random.Random(f"{seed} {name} guests"))
        device = thermostat.Thermostat(room[6], room[7], 21.0, random.Random(f"{seed} {name} device"))
        rooms[name] = Room(name, life, device)
    keeper = keeper_of(options, seed, rule)
    knows = {}

    def minute(number, airs, outdoor):
        answers = {}
        for name, room in rooms.items():
            life, air = room.life, airs[name]
            coil = room.device.minute(air, outdoor)
            door = 20.0 * (airs[building.CORRIDOR] - air) if life.is_door_open[number] else 0.0
            room.air.append(air)
            room.watts.append(coil)
            answers[name] = (coil, life.people_w[number] + door, life.changes[number])
        keeper.minute(number, rooms, outdoor)
        if number == minutes - 1 and hasattr(keeper, "knows"):
            knows.update(keeper.knows(number))
        return answers

    with tempfile.TemporaryDirectory() as folder:
        plant.Plant(options.site, options.days, options.air_times, folder, minute).run()
    keeper.end()
    judged_from = options.warm_up * guests.DAY
    found = {"rule": rule, "seed": seed, "arrivals": score.arrivals(rooms, judged_from), "seconds": time.monotonic() - begun,
             "writes_per_room_day": keeper.writes / len(rooms) / options.days, "knows": knows}
    if rule == "innkeeper":
        found["told"], found["preparations"] = score.told(rooms, keeper.notes, judged_from)
        found["refused"] = keeper.refused
        if options.traces:
            folder = pathlib.Path(options.traces)
            folder.mkdir(parents=True, exist_ok=True)
            trace = {name: {"air": [round(a, 2) for a in room.air], "watts": [round(w) for w in room.watts],
                            "who": room.life.who} for name, room in rooms.items()}
            (folder / f"{options.site}-{seed}.json").write_text(json.dumps({"rooms": trace, "notes": keeper.notes}))
    return found


def keeper_of(options, seed, rule):
    if rule != "innkeeper":
        return rules.Fixed(None if rule == "always on" else RULES[rule])
    command = [options.innkeeper, "step", "--only", "command,report,note,refuse", HERE / "hotel.toml",
               HERE / f"{options.site}.toml"]
    return rules.Innkeeper(command, ZONE_HOURS[options.site], MONTH[options.site], random.Random(f"{seed} senses"))


def in_a_process(task):
    """EnergyPlus keeps state of its own: every run has a process to itself."""
    return run(*task)


def main():
    options = arguments()
    seeds = range(options.seed, options.seed + options.seeds)
    tasks = [(options, seed, rule) for seed in seeds for rule in options.rules]
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        runs = pool.map(in_a_process, tasks, chunksize=1)
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(runs))
    report(options, runs)


def report(options, runs):
    pooled = {rule: [a for r in runs if r["rule"] == rule for a in r["arrivals"]] for rule in options.rules}
    always = pooled["always on"]
    print(f"{options.site}, {options.days - options.warm_up} days after {options.warm_up} of learning, "
          f"{options.seeds} seed(s) from {options.seed}, announced arrivals off by {options.eta_error:.0f} min")
    print(f"{'rule':14} arrivals in band attain. late early kWh   vs always writes cold warm walk-ins in band")
    for rule, judged in pooled.items():
        f = score.figures(judged, always)
        of = [r["writes_per_room_day"] for r in runs if r["rule"] == rule]
        print(f"{rule:14} {f['arrivals']:8} {f['in_band']:6.1f} % {f['in_band_attainable']:5.1f} % {f['late_mean_min']:4.1f} "
              f"{f['early_mean_min']:5.0f} {f['kwh_per_arrival']:5.2f} {f['energy_vs_always_on']:+7.1f} % "
              f"{sum(of) / len(of):6.1f} {f['too_cold']:4} {f['too_warm']:4} {f['walk_ins']:8} {f['walk_ins_in_band']:5.0f} %")
    ours = [r for r in runs if r["rule"] == "innkeeper"]
    for r in ours:
        t = r["told"]
        print(f"seed {r['seed']}: {t['preparations']} preparations, told off by {t['told_mae_min']:.0f} min in the mean "
              f"(bias {t['told_bias_min']:+.0f}), {t['told_within_10_min']:.0f} % within 10 min, lead held in "
              f"{t['lead_held']:.0f} %; refused {r['refused'] or 'nothing'}; {r['seconds']:.0f} s")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("site", choices=("heating", "cooling"), help="Chicago from January 1st, or Tampa from July 1st")
    parser.add_argument("--innkeeper", default="innkeeper", help="the program; else the one on the path")
    parser.add_argument("--days", type=int, default=42, help="of which the first are to learn in; 42 at most")
    parser.add_argument("--warm-up", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds, pooled")
    parser.add_argument("--eta-error", type=float, default=60.0, metavar="MIN", help="standard deviation")
    parser.add_argument("--air-times", type=float, default=building.AIR_TIMES, help="what of a room is as quick as its air")
    parser.add_argument("--rules", nargs="+", default=["innkeeper", "fixed 2 h", "always on"], choices=RULES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", metavar="FILE", help="every arrival and preparation, as JSON")
    parser.add_argument("--traces", metavar="FOLDER", help="every minute of each room and every note, as JSON")
    options = parser.parse_args()
    if "always on" not in options.rules:
        options.rules.append("always on")
    if not 0 <= options.warm_up < options.days <= 42:
        parser.error("write 0 <= --warm-up < --days <= 42")
    return options


if __name__ == "__main__":
    sys.exit(main())
