# After a power cut thermostats begin with their makers' setting: nobody wanted that, and an empty room is told its own again.
room 1204: thermostat door motion
air 20.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 1204-thermostat target_temperature 21
08:00 1204-door open true
08:01 1204-door open false
20:00 saw command setback target_temperature
day 1 12:00 link zigbee down
12:30 link zigbee up
12:31 1204-thermostat target_temperature 21
12:31 saw no note somebody-set-by-hand
12:31 saw command setback target_temperature attempt=1
# Where nobody is in, a unit that goes back by itself is told again.
12:31:20 1204-thermostat target_temperature 21
12:35 saw command setback target_temperature attempt=2
# Turned by hand in an empty room while all is well, it is left for a while.
18:00 1204-thermostat target_temperature 21
18:00 saw note somebody-set-by-hand
18:20 saw no command target_temperature
