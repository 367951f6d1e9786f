"""Who comes when, and what happens in the room? Minutes from the first local midnight; made up, and the same for every rule.

Stays follow one another; seven rooms of ten are sold again at once. A guest arrives about 16:50, had announced another time,
goes out, sleeps, opens a window, now and then turns the dial. Housekeeping cleans with the door open. Eight of a hundred
walk in without a booking, two of a hundred never come.
"""

from dataclasses import dataclass, field

DAY = 1440
WALK_IN, NO_SHOW = 0.08, 0.02
FRESH, WINDOW = 0.45, 5.0  # air changes an hour: shut, and with the window tilted


@dataclass
class Stay:
    number: int
    arrival: int
    departure: int
    eta: int
    check_in: int
    check_out: int
    booked: int | None
    likes: float
    is_no_show: bool
    dial: tuple | None = None


@dataclass
class Life:
    """One room's story: by the minute who is in, what people give, how the air changes, whether the door is open; and all that
    a device or the desk would tell."""
    minutes: int
    stays: list = field(default_factory=list)
    happenings: list = field(default_factory=list)

    def __post_init__(self):
        n = self.minutes
        self.who, self.people_w = ["vacant"] * n, [0] * n
        self.changes, self.is_door_open = [FRESH] * n, [False] * n

    def tells(self, minute, what, value):
        if 0 <= minute < self.minutes:
            self.happenings.append((minute, what, value))

    def fill(self, begin, end, who, watts):
        for minute in range(max(0, begin), min(end, self.minutes)):
            self.who[minute], self.people_w[minute] = who, watts

    def opens(self, what, begin, end):
        self.tells(begin, what, True)
        self.tells(end, what, False)
        for minute in range(max(0, begin), min(end, self.minutes)):
            if what == "window":
                self.changes[minute] = WINDOW
            else:
                self.is_door_open[minute] = True


def tell(minutes, eta_error, dice):
    life = Life(minutes)
    day, free_from = dice.randrange(2), 0
    while (day + 1) * DAY < minutes:
        stay = draw(len(life.stays), day, free_from, eta_error, dice)
        if stay.departure + 360 >= minutes:
            break
        live(life, stay, dice)
        left_on = day if stay.is_no_show else stay.departure // DAY
        free_from = stay.arrival + 600 if stay.is_no_show else stay.departure + 100
        day = left_on + (0 if dice.random() < 0.7 else 1 + (dice.random() < 0.4)) + (left_on == day)
    life.happenings.sort(key=lambda happening: happening[0])
    return life


def draw(number, day, free_from, eta_error, dice):
    arrival = max(day * DAY + about(dice, 1010, 105, 750, 1410), free_from)
    nights = 1 + int(dice.uniform(0, 2.6))
    departure = (arrival // DAY + nights) * DAY + about(dice, 590, 70, 390, 720)
    is_walk_in = dice.random() < WALK_IN
    is_no_show = dice.random() < NO_SHOW and not is_walk_in
    likes = min(24.5, max(19.5, round((22 + dice.gauss(0, 1)) * 2) / 2))
    later, turned = arrival + int(dice.uniform(200, 900)), likes + dice.choice((-1.0, 1.0))
    dial = (later, turned) if dice.random() < 0.35 and later + 60 < departure else None
    booked = None if is_walk_in else max(0, min(day * DAY - 360, arrival - 300))
    return Stay(number, arrival, departure, arrival + round(eta_error * dice.gauss(0, 1)),
                arrival - about(dice, 13, 7, 4, 45), departure + int(dice.uniform(1, 20)), booked, likes, is_no_show, dial)


def about(dice, mean, spread, low, high):
    return int(min(high, max(low, dice.gauss(mean, spread))))


def live(life, stay, dice):
    life.stays.append(stay)
    if stay.booked is not None:
        life.tells(stay.booked, "reserved", stay)
    if stay.is_no_show:
        return
    life.tells(stay.check_in, "checked_in", stay)
    life.tells(stay.check_out, "checked_out", stay)
    watts = 170 if dice.random() < 0.6 else 95
    life.fill(stay.arrival, stay.departure, "awake", watts)
    life.opens("door", stay.arrival, stay.arrival + 1)
    life.opens("door", stay.departure, stay.departure + 1)
    for midnight in range(stay.arrival // DAY * DAY, stay.departure + 1, DAY):
        if dice.random() < 0.8:
            goes_out(life, stay, midnight + about(dice, 560, 50, 480, 680), midnight + about(dice, 1020, 70, 900, 1140), dice)
        if dice.random() < 0.5:
            goes_out(life, stay, midnight + about(dice, 1150, 30, 1100, 1210), midnight + about(dice, 1265, 20, 1230, 1285), dice)
        sleeps(life, stay, midnight + about(dice, 1395, 45, 1310, 1500), midnight + DAY + about(dice, 430, 45, 330, 540), watts)
        if dice.random() < 0.12:
            airs(life, stay, midnight + about(dice, 1300, 30, 1220, 1380), about(dice, 25, 10, 8, 50))
    if stay.dial and life.who[stay.dial[0]] == "awake":
        life.tells(stay.dial[0], "dial", stay.dial[1])
    else:
        stay.dial = None
    begin = stay.departure + 15 + int(dice.uniform(0, 45))
    end = begin + int(dice.uniform(25, 40))
    life.fill(begin, end, "staff", 100)
    life.opens("door", begin, end)


def goes_out(life, stay, begin, end, dice):
    if begin < stay.arrival + 45 or end > stay.departure - 30 or end - begin < 30:
        return
    life.fill(begin, end, "out", 0)
    life.opens("door", begin, begin + 1)
    life.opens("door", end, end + 1)
    if end - begin > 240 and dice.random() < 0.85:
        clean = begin + 30 + int(dice.uniform(0, end - begin - 120))
        life.opens("door", clean, clean + about(dice, 25, 8, 12, 45))


def sleeps(life, stay, begin, end, watts):
    begin, end = max(begin, stay.arrival + 30), min(end, stay.departure - 25)
    if end - begin >= 60 and life.who[begin] == "awake":
        life.fill(begin, end, "asleep", watts * 7 // 10)
        life.tells(begin, "bed", True)
        life.tells(end, "bed", False)


def airs(life, stay, begin, minutes):
    end = begin + minutes
    if begin > stay.arrival + 60 and end + 30 < stay.departure and set(life.who[begin:end]) == {"awake"}:
        life.opens("window", begin, end)
