# A thermostat without power is told time and again; people are told, and it is told at once when it is back.
room 1204: thermostat door
air 18.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 1204-door open false
08:01 stay 00000001 reserved room 1204 guest 0000aaaa eta 16:30 leaves day2/11:00 wants 24
08:05 devices deaf
15:50 saw command prepare attempt=1
15:50 saw command prepare attempt=5
15:50 saw request cannot_reach raised device-does-not-obey
16:26 stay 00000001 checked_in room 1204 guest 0000aaaa eta 16:30 leaves day2/11:00 wants 24
16:30 1204-door open true
16:31 1204-door open false
# Hours later it is still told, an hour apart.
21:00 saw command target_temperature attempt=6
21:00 saw no request cannot_reach raised
21:01 devices obey
21:02 link zigbee down
21:03 link zigbee up
21:03 saw no command target_temperature
21:05 saw command target_temperature
21:05 saw request cannot_reach withdrawn device-obeys-again
