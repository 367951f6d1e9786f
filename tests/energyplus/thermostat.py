"""What does the thermostat on the wall show, and what does its fan-coil give?

One set-point and a mode, as most hotel thermostats have: a thermometer that is four minutes late, its noise and its steps, a
proportional-integral loop, a valve that takes two minutes.
"""

import math

SENSOR_LATE_MIN, VALVE_LATE_MIN = 4.0, 2.0
NOISE_K, STEP_K = 0.15, 0.1
BAND_K, INTEGRAL_MIN = 1.0, 20.0
COLD_WATER_C = 8.0


class Thermostat:
    def __init__(self, heating_w, cooling_w, air, dice):
        self.heating_w_per_k, self.cooling_w_per_k = heating_w / 29.0, cooling_w / 15.0
        self.sensor, self.dice = air, dice
        self.setpoint, self.mode, self.integral, self.open, self.gives = 21.0, "heat", 0.0, 0.0, 0.0
        self.shows = round(air, 1)

    def told(self, setpoint=None, mode=None):
        if mode is not None and mode != self.mode:
            self.mode, self.integral = mode, 0.0
        self.setpoint = self.setpoint if setpoint is None else setpoint

    def minute(self, air, outdoor):
        """Lives through a minute. Returns the W that the coil gives to the air, negative when it cools."""
        self.sensor += (air - self.sensor) * (1 - math.exp(-1 / SENSOR_LATE_MIN))
        self.shows = round(round((self.sensor + self.dice.gauss(0, NOISE_K)) / STEP_K) * STEP_K, 1)
        self.open = self.loop()
        self.gives += (self.open - self.gives) * (1 - math.exp(-1 / VALVE_LATE_MIN))
        if self.mode == "cool":
            return -self.gives * self.cooling_w_per_k * max(0.0, air - COLD_WATER_C)
        return self.gives * self.heating_w_per_k * max(0.0, warm_water(outdoor) - air)

    def loop(self):
        """How far the valve is to open, 0 to 1."""
        if self.mode == "off":
            self.integral = 0.0
            return 0.0
        short = (self.setpoint - self.shows) * (1 if self.mode == "heat" else -1)
        if abs(short) < BAND_K:
            self.integral = min(1.0, max(0.0, self.integral + short / BAND_K / INTEGRAL_MIN))
        elif short < 0:
            self.integral = 0.0
        return min(1.0, max(0.0, short / BAND_K + self.integral))

    def outputs(self):
        """Heating and cooling in whole %, as the device reports them."""
        share = round(self.open * 100)
        return (share, 0) if self.mode == "heat" else (0, share)


def warm_water(outdoor):
    """The boiler's water by the weather, C: nobody tells innkeeper."""
    return min(50.0, max(40.0, 45.0 - 0.5 * outdoor))
