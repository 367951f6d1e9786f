"""How good was the rule? The same figures as `innkeeper evaluate preparation`, from each room's minutes."""

BAND_K, GOAL_K = 0.5, 0.25
LATE_MAX, EARLY_MAX = 240, 720
ENERGY_BEFORE, ENERGY_AFTER = 720, 180


def arrivals(rooms, judged_from):
    """Every arrival that was judged, with what the guest met."""
    judged = []
    for name, room in rooms.items():
        left = 0
        for stay in room.life.stays:
            if stay.is_no_show:
                continue
            a, likes, air = stay.arrival, stay.likes, room.air
            if a >= judged_from:
                is_right = lambda minute: abs(air[minute] - likes) <= BAND_K
                early = next((n for n in range(min(EARLY_MAX, a)) if not is_right(a - n)), EARLY_MAX)
                late = next((n for n in range(LATE_MAX) if a + n < len(air) and is_right(a + n)), LATE_MAX)
                begin = max(left, a - ENERGY_BEFORE)
                kwh = sum(abs(w) for w in room.watts[begin:a + ENERGY_AFTER]) / 60_000
                judged.append({"room": name, "minute": a, "walk_in": stay.booked is None, "likes": likes,
                               "met": round(air[a], 2), "early_min": early, "late_min": late, "kwh": round(kwh, 3)})
            left = stay.departure
    return judged


def figures(judged, always):
    """Figures over booked arrivals; `always` are the same arrivals in rooms never set back."""
    is_met = lambda a: abs(a["met"] - a["likes"]) <= BAND_K
    pairs = [(a, b) for a, b in zip(judged, always, strict=True) if not a["walk_in"]]
    booked, could = [a for a, _ in pairs], [a for a, b in pairs if is_met(b)]
    walk_ins = [a for a in judged if a["walk_in"]]
    mean = lambda values: sum(values) / max(1, len(values))
    kwh = mean([a["kwh"] for a in booked])
    return {
        "arrivals": len(booked), "in_band": 100 * mean([is_met(a) for a in booked]),
        "attainable": len(could), "in_band_attainable": 100 * mean([is_met(a) for a in could]),
        "too_cold": sum(a["met"] < a["likes"] - BAND_K for a in booked),
        "too_warm": sum(a["met"] > a["likes"] + BAND_K for a in booked),
        "late_mean_min": mean([a["late_min"] for a in booked]), "early_mean_min": mean([a["early_min"] for a in booked]),
        "kwh_per_arrival": kwh, "energy_vs_always_on": 100 * (kwh / max(1e-9, mean([b["kwh"] for _, b in pairs])) - 1),
        "walk_ins": len(walk_ins), "walk_ins_in_band": 100 * mean([is_met(a) for a in walk_ins]),
    }


def told(rooms, notes, judged_from):
    """How right the engine's own forecasts were: each preparation's told minutes beside those it took."""
    found = []
    for number, name, because in notes:
        facts = {fact["name"]: fact["value"] for fact in because.get("facts", [])}
        if because["rule"] != "prepare-in-time" or number < judged_from or facts.get("needs_min", 0) < 5:
            continue
        room = rooms[name]
        stay = next((s for s in room.life.stays if s.arrival > number and not s.is_no_show), None)
        if stay is None:
            continue
        until = min(stay.arrival + LATE_MAX, len(room.air))
        first = lambda off: next((m - number for m in range(number, until) if abs(room.air[m] - stay.likes) <= off), None)
        took, in_band = first(GOAL_K), first(BAND_K)
        found.append({"room": name, "minute": number, "told": facts["needs_min"], "lead": facts["lead_min"], "took": took,
                      "in_band": in_band, "from": facts.get("temperature"), "to": stay.likes})
    known = [f for f in found if f["took"] is not None]
    off = [f["took"] - f["told"] for f in known]
    return {
        "preparations": len(found), "crossed": len(known),
        "told_mae_min": sum(map(abs, off)) / max(1, len(off)), "told_bias_min": sum(off) / max(1, len(off)),
        "told_within_10_min": 100 * sum(abs(x) <= 10 for x in off) / max(1, len(off)),
        "lead_held": 100 * sum(f["in_band"] is not None and f["in_band"] <= f["lead"] for f in found) / max(1, len(found)),
    }, found
