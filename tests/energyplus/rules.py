"""What is each thermostat told, and by whom: the real engine, or a rule that it is compared with?"""

from datetime import datetime, timedelta, timezone

import building
import step

SOLD, UNSOLD = (18.0, 27.0), (16.0, 28.0)  # an empty room, as in innkeeper's configuration
OUT_K = 2.0  # the guest is out: so far from comfort
MODE_HOLDS_K = 0.35
SETTLING_IN, MOVES = 20, 0.6
ANSWERS_AFTER_MS = 2_000


def comfort(likes, outdoor):
    """The band that innkeeper holds, for the others too."""
    if outdoor < 12:
        return likes, likes + 0.5
    if outdoor > 20:
        return likes - 0.5, likes
    return likes - 0.1, likes + 0.1


class Fixed:
    """Begins so many minutes before the announced arrival, or when the desk checks in; none: is never set back."""

    def __init__(self, ahead):
        self.ahead, self.writes, self.notes = ahead, 0, []

    def minute(self, number, rooms, outdoor):
        if number % 5 == 0:
            for room in rooms.values():
                low, high = self.band(number, room, outdoor)
                device, mode = room.device, room.device.mode
                mode = "heat" if device.shows < low - MODE_HOLDS_K else "cool" if device.shows > high + MODE_HOLDS_K else mode
                mode = {"off": "heat"}.get(mode, mode)
                setpoint = low if mode == "heat" else high
                self.writes += (setpoint != device.setpoint) + (mode != device.mode)
                device.told(setpoint, mode)

    def band(self, number, room, outdoor):
        stays = room.life.stays
        while room.next < len(stays) and is_over(stays[room.next], number):
            room.next += 1
        if room.next == len(stays):
            return UNSOLD
        stay = stays[room.next]
        likes = stay.dial[1] if stay.dial and number >= stay.dial[0] else stay.likes
        low, high = comfort(likes, outdoor)
        if number >= stay.arrival and not stay.is_no_show:
            out = OUT_K if room.life.who[number] == "out" and self.ahead is not None else 0.0
            return low - out, high + out
        if self.ahead is None:
            return low, high
        is_known = stay.booked is not None and number >= stay.booked
        is_at_desk = number >= stay.check_in and not stay.is_no_show
        if is_at_desk or is_known and stay.eta - self.ahead <= number < stay.eta + 240:
            return low, high
        return SOLD if is_known and stay.eta - number <= 1440 else UNSOLD

    def end(self):
        pass


def is_over(stay, number):
    return number >= stay.eta + 240 if stay.is_no_show else number >= stay.departure


class Innkeeper:
    """The real engine, told what devices, desk and weather would tell it, and obeyed at once; devices show it 2 s later."""

    def __init__(self, command, zone_hours, month, dice):
        self.link, self.dice, self.writes, self.notes, self.refused = step.Step(command), dice, 0, [], {}
        midnight = datetime(2026, month, 1, tzinfo=timezone(timedelta(hours=zone_hours)))
        self.midnight_ms = int(midnight.timestamp() * 1000)
        self.versions, self.told, self.moving = {}, {}, {}

    def at(self, number):
        return self.midnight_ms + number * 60_000

    def minute(self, number, rooms, outdoor):
        events = []
        if number % 15 == 0:
            events.append({"outdoor": {"temperature": round(outdoor + self.dice.gauss(0, 0.3), 1)}})
        for name, room in rooms.items():
            events += self.happened(name, room, number)
            events += self.shown(name, room, number)
        commands = self.take(number, self.link.feed(self.at(number), events))
        while commands:
            answers = [answer for command in commands for answer in self.obey(rooms, command)]
            commands = self.take(number, self.link.feed(self.at(number) + ANSWERS_AFTER_MS, answers))

    def obey(self, rooms, command):
        """The thermostat does what it is told, and shows it."""
        point, value, name = command["point"], command["value"], command["device"].split("-")[1]
        rooms[name].device.told(**{"setpoint" if point == "target_temperature" else "mode": value})
        self.told[name][point] = value
        return [{"written": {"command": command["id"], "result": "sent"}}, reading(command["device"], point, value)]

    def happened(self, name, room, number):
        events, happenings = [], room.life.happenings
        while room.at < len(happenings) and happenings[room.at][0] <= number:
            _, what, value = happenings[room.at]
            room.at += 1
            if what in ("reserved", "checked_in", "checked_out"):
                events.append(self.notice(name, what, value))
            elif what == "dial":
                room.device.told(setpoint=value)
            elif what == "bed":
                events.append(reading(f"bed-{name}", "bed_occupied", value))
            else:
                events.append(reading(f"{what}-{name}", "open", value))
        return events

    def notice(self, name, status, stay):
        token = f"{int(name):04x}{stay.number:04x}"
        self.versions[token] = self.versions.get(token, 0) + 1
        notice = {"stay": token, "version": self.versions[token], "status": status, "room": name,
                  "departure": self.at(max(stay.departure, stay.eta + 60)), "declared": {"temperature": stay.likes}}
        if stay.booked is not None:
            notice["eta"] = self.at(stay.eta)
        return {"stay": notice}

    def shown(self, name, room, number):
        """What the thermostat says this minute, as far as it changed, and its thermometer in any case."""
        device, id = room.device, f"thermostat-{name}"
        heating, cooling = device.outputs()
        says = {"hvac_mode": device.mode, "target_temperature": device.setpoint, "heating": heating, "cooling": cooling}
        known = self.told.setdefault(name, {})
        events = [reading(id, point, value) for point, value in says.items() if known.get(point) != value]
        known.update(says)
        events.append(reading(id, "room_temperature", device.shows))
        if number == 0:
            events += [reading(f"{what}-{name}", "open", False) for what in ("door", "window")]
        if number % 5 == 0:
            moves = self.moves(room.life.who, number)
            if moves or self.moving.get(name):
                events.append(reading(f"motion-{name}", "occupied", moves))
            self.moving[name] = moves
        return events

    def moves(self, who, number):
        """Who has just come in moves for sure; who is awake, in six of ten looks."""
        if who[number] not in ("awake", "staff"):
            return False
        return who[max(0, number - SETTLING_IN)] in ("out", "vacant") or self.dice.random() < MOVES

    def take(self, number, effects):
        """Notes what is wanted. Returns the commands."""
        commands = []
        for effect in effects:
            if command := effect.get("command"):
                self.writes += 1
                name = command["device"].split("-")[1]
                self.notes.append((number, name, {"rule": "command", "facts": [
                    {"name": command["point"], "value": command["value"]}, {"name": "attempt", "value": command["attempt"]},
                    {"name": "because", "value": command["because"]["rule"]}, *command["because"].get("facts", [])]}))
                commands.append(command)
            elif note := effect.get("note"):
                self.notes.append((number, note["room"], note["because"]))
            elif report := effect.get("report", {}).get("readiness"):
                self.notes.append((number, report["room"], {"rule": "readiness", "verdict": report.get("verdict")}))
            elif refusal := effect.get("refuse"):
                self.refused[refusal["reason"]] = self.refused.get(refusal["reason"], 0) + 1
        return commands

    def knows(self, number):
        """What the engine has learnt of each room."""
        return {name: self.link.ask(self.at(number), {"room": name}) for name in building.ROOMS}

    def end(self):
        self.link.end()


def reading(device, point, value):
    return {"reading": {"device": device, "point": point, "value": value}}
