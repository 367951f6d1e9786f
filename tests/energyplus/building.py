"""What is the hotel built of? An EnergyPlus model (epJSON) of five guest rooms and their corridor.

South of the corridor lie 101 (a west window on the corner), 102 (south, heavy walls on both sides) and 103 (a larger corner room, east
window); north of it 104 (light walls, a coil that is small for it) and 105 (under the roof, a coil that is large for it).
Floors and ceilings border on rooms alike. Heat and cold come from fan-coils that the rig works: EnergyPlus sees them, the
people and the corridor's own heating as W into the air. Dimensions in m, coils in W (heating at 50 C water and 21 C air,
cooling at 8 C water and 23 C air).
"""

HEIGHT = 2.7
# name: (x from, x to, y from, y to, window's facade, m2 of window, W of heating, W of cooling)
ROOMS = {
    "101": (0, 4, 0, 6, "west", 2.6, 1700, 1700),
    "102": (4, 8, 0, 6, "south", 3.2, 1600, 1700),
    "103": (8, 14, 0, 6, "east", 4.5, 2800, 2600),
    "104": (0, 4, 8, 14, "north", 2.6, 1400, 1300),
    "105": (4, 8, 8, 14, "north", 3.2, 2200, 2100),
}
CORRIDOR = "corridor"
ROOFED = "105"
# The walls between rooms: which room lies behind, and what the wall is made of.
BEHIND = {("101", "east"): ("102", "concrete"), ("102", "west"): ("101", "concrete"),
          ("102", "east"): ("103", "concrete"), ("103", "west"): ("102", "concrete"),
          ("104", "east"): ("105", "partition"), ("105", "west"): ("104", "partition")}
STAIRS = {("105", "east")}  # a stairwell as warm as the room
FURNITURE = 1.2  # m2 of wood 2.5 cm thick per m2 of floor
# The air and all that follows it at once, times the air alone. With 8 a full coil moves a room by 6 to 10 K/h, as fitted rooms
# show; with 3 by 20 K/h and more, faster than a thermostat four minutes late can hold.
AIR_TIMES = 8.0
AIR_CHANGES = 0.45  # fresh air and leaks, 1/h
GLASS = {"heating": (1.6, 0.42), "cooling": (2.4, 0.32)}  # W/m2K, share of sun that comes in
INSULATION_M2K_W = {"heating": 2.6, "cooling": 1.7}
PERIOD = {"heating": ((1, 1), (2, 11)), "cooling": ((7, 1), (8, 11))}  # 42 days


def model(site, days=42, air_times=AIR_TIMES):
    """The whole model as epJSON; `days` shortens the period for a trial."""
    (month, day), end = PERIOD[site]
    if days < 42:
        end = (month, day + days - 1)
    u, sun = GLASS[site]
    m = {
        "Version": {"v": {"version_identifier": "25.2"}},
        "Building": {"hotel": {"terrain": "Suburbs", "solar_distribution": "FullExterior"}},
        "GlobalGeometryRules": {"g": {"starting_vertex_position": "UpperLeftCorner",
                                      "vertex_entry_direction": "Counterclockwise", "coordinate_system": "World"}},
        "Timestep": {"t": {"number_of_timesteps_per_hour": 60}},
        "SimulationControl": {"s": {"run_simulation_for_sizing_periods": "No"}},
        "RunPeriod": {"p": {"begin_month": month, "begin_day_of_month": day, "begin_year": 2026, "end_month": end[0],
                            "end_day_of_month": end[1], "end_year": 2026,
                            "use_weather_file_daylight_saving_period": "No"}},
        "ZoneCapacitanceMultiplier:ResearchSpecial": {"c": {"temperature_capacity_multiplier": air_times}},
        "ScheduleTypeLimits": {"any": {}},
        "Schedule:Constant": {"always": {"schedule_type_limits_name": "any", "hourly_value": 1.0}},
        "Material": {
            "concrete": material(0.15, 1.4, 2200, 900), "carpet": material(0.008, 0.06, 300, 1400),
            "plaster": material(0.013, 0.25, 900, 1000), "wood": material(0.025, 0.15, 600, 1600),
            "brick": material(0.10, 0.8, 1700, 850), "screed": material(0.05, 1.2, 2000, 900)},
        "Material:NoMass": {
            "insulation": {"roughness": "Rough", "thermal_resistance": INSULATION_M2K_W[site]},
            "cavity": {"roughness": "Rough", "thermal_resistance": 0.9},
            "door": {"roughness": "Smooth", "thermal_resistance": 0.35}},
        "WindowMaterial:SimpleGlazingSystem": {"glass": {"u_factor": u, "solar_heat_gain_coefficient": sun}},
        "Construction": {
            "outer": layers("brick", "insulation", "plaster"), "partition": layers("plaster", "cavity", "plaster"),
            "concrete": layers("plaster", "concrete", "plaster"), "slab": layers("concrete", "screed", "carpet"),
            "ceiling": layers("carpet", "screed", "concrete"), "roof": layers("insulation", "concrete", "plaster"),
            "furniture": layers("wood"), "window": layers("glass")},
        "Zone": {}, "BuildingSurface:Detailed": {}, "FenestrationSurface:Detailed": {}, "InternalMass": {},
        "ZoneInfiltration:DesignFlowRate": {}, "OtherEquipment": {},
        "Output:Variable": {"air": {"variable_name": "Zone Mean Air Temperature", "reporting_frequency": "Hourly"}},
    }
    for name, room in ROOMS.items():
        zone(m, name, room)
    corridor(m)
    return m


def material(thickness, conductivity, density, heat):
    return {"roughness": "MediumRough", "thickness": thickness, "conductivity": conductivity, "density": density,
            "specific_heat": heat}


def layers(*names):
    keys = ["outside_layer"] + [f"layer_{n}" for n in range(2, 9)]
    return dict(zip(keys, names))


def zone(m, name, room):
    x0, x1, y0, y1, facade, glass, _, _ = room
    is_south = y1 <= 6
    add_zone(m, name, (x1 - x0) * (y1 - y0))
    for side, corners in walls(x0, x1, y0, y1).items():
        surface = f"{name} {side}"
        is_to_corridor = side == ("north" if is_south else "south")
        if (name, side) in STAIRS:
            wall(m, surface, name, "partition", corners, "Adiabatic")
        elif is_to_corridor:
            wall(m, surface, name, "partition", corners, "Surface", f"{CORRIDOR} {name}")
        elif (name, side) in BEHIND:
            other, made = BEHIND[name, side]
            back = {"east": "west", "west": "east"}[side]
            wall(m, surface, name, made, corners, "Surface", f"{other} {back}")
        else:
            wall(m, surface, name, "outer", corners, "Outdoors")
            if side == facade:
                window(m, surface, corners, glass)
    wall(m, f"{name} floor", name, "slab", level(x0, x1, y0, y1, 0.0)[::-1], "Adiabatic", kind="Floor")
    top = level(x0, x1, y0, y1, HEIGHT)
    if name == ROOFED:
        wall(m, f"{name} roof", name, "roof", top, "Outdoors", kind="Roof")
    else:
        wall(m, f"{name} ceiling", name, "ceiling", top, "Adiabatic", kind="Ceiling")


def corridor(m):
    """14 m long, heated to 20 C and cooled to 25 C by the rig; its ends look outside."""
    add_zone(m, CORRIDOR, 14 * 2)
    ends = walls(0, 14, 6, 8)
    wall(m, f"{CORRIDOR} west", CORRIDOR, "outer", ends["west"], "Outdoors")
    wall(m, f"{CORRIDOR} east", CORRIDOR, "outer", ends["east"], "Outdoors")
    for name, (x0, x1, y0, y1, *_) in ROOMS.items():
        side, back = ("south", "north") if y1 <= 6 else ("north", "south")
        wall(m, f"{CORRIDOR} {name}", CORRIDOR, "partition", walls(x0, x1, 6, 8)[side], "Surface", f"{name} {back}")
    wall(m, f"{CORRIDOR} stairs", CORRIDOR, "partition", walls(8, 14, 6, 8)["north"], "Adiabatic")
    wall(m, f"{CORRIDOR} floor", CORRIDOR, "slab", level(0, 14, 6, 8, 0.0)[::-1], "Adiabatic", kind="Floor")
    wall(m, f"{CORRIDOR} ceiling", CORRIDOR, "ceiling", level(0, 14, 6, 8, HEIGHT), "Adiabatic", kind="Ceiling")


def add_zone(m, name, floor):
    m["Zone"][name] = {"volume": floor * HEIGHT, "floor_area": floor}
    m["InternalMass"][f"{name} furniture"] = {"construction_name": "furniture", "zone_or_zonelist_name": name,
                                              "surface_area": FURNITURE * floor}
    m["ZoneInfiltration:DesignFlowRate"][f"{name} fresh air"] = {
        "zone_or_zonelist_or_space_or_spacelist_name": name, "schedule_name": "always",
        "design_flow_rate_calculation_method": "AirChanges/Hour", "air_changes_per_hour": AIR_CHANGES}
    for gain, radiant in (("coil", 0.0), ("people", 0.4)):
        m["OtherEquipment"][f"{name} {gain}"] = {
            "zone_or_zonelist_or_space_or_spacelist_name": name, "schedule_name": "always",
            "design_level_calculation_method": "EquipmentLevel", "design_level": 0.0, "fraction_radiant": radiant}


def walls(x0, x1, y0, y1):
    """The four walls, each as two corners on the floor, left to right as seen from outside."""
    return {"south": ((x0, y0), (x1, y0)), "east": ((x1, y0), (x1, y1)),
            "north": ((x1, y1), (x0, y1)), "west": ((x0, y1), (x0, y0))}


def level(x0, x1, y0, y1, z):
    """The rectangle at a height, counterclockwise as seen from above."""
    return [(x0, y1, z), (x0, y0, z), (x1, y0, z), (x1, y1, z)]


def wall(m, name, of, construction, corners, boundary, behind=None, kind="Wall"):
    if kind == "Wall":
        (ax, ay), (bx, by) = corners
        corners = [(ax, ay, HEIGHT), (ax, ay, 0.0), (bx, by, 0.0), (bx, by, HEIGHT)]
    is_outside = boundary == "Outdoors"
    m["BuildingSurface:Detailed"][name] = {
        "surface_type": kind, "construction_name": construction, "zone_name": of,
        "outside_boundary_condition": boundary, **({"outside_boundary_condition_object": behind} if behind else {}),
        "sun_exposure": "SunExposed" if is_outside else "NoSun",
        "wind_exposure": "WindExposed" if is_outside else "NoWind",
        "vertices": [{"vertex_x_coordinate": x, "vertex_y_coordinate": y, "vertex_z_coordinate": z}
                     for x, y, z in corners]}


def window(m, in_wall, corners, area):
    """A window 1.5 m high in the middle of its wall, 0.8 m above the floor."""
    (ax, ay), (bx, by) = corners
    length = abs(bx - ax) + abs(by - ay)
    share = area / 1.5 / length
    at = lambda s: (ax + (bx - ax) * s, ay + (by - ay) * s)
    (lx, ly), (rx, ry) = at(0.5 - share / 2), at(0.5 + share / 2)
    points = [(lx, ly, 2.3), (lx, ly, 0.8), (rx, ry, 0.8), (rx, ry, 2.3)]
    entry = {"surface_type": "Window", "construction_name": "window", "building_surface_name": in_wall,
             "number_of_vertices": 4}
    for n, point in enumerate(points, 1):
        entry.update({f"vertex_{n}_{axis}_coordinate": v for axis, v in zip("xyz", point)})
    m["FenestrationSurface:Detailed"][f"{in_wall} window"] = entry
