# A dial turned while nothing could be heard of it is found when the link is back: respected, not learnt from.
room 1204: thermostat door motion
air 21.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 1204-thermostat target_temperature 18
08:00 1204-door open false
08:01 stay 00000001 reserved room 1204 guest 0000aaaa eta 12:00 leaves day2/11:00 wants 24
08:05 devices deaf
11:55 stay 00000001 checked_in room 1204 guest 0000aaaa eta 12:00 leaves day2/11:00 wants 24
12:00 1204-door open true
12:01 1204-door open false
12:05 1204-motion occupied true
12:10 1204-motion occupied false
12:30 link zigbee down
12:30 saw request cannot_reach raised
13:10 devices obey
13:11 link zigbee up
13:11 1204-thermostat target_temperature 20
13:11 saw note found-changed 20
13:11 saw request cannot_reach withdrawn device-obeys-again
15:00 saw no command target_temperature
