# A bed that could not be reached in time is not moved under the guest who lies in it.
room 1204: thermostat door motion bed
air 21.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 1204-door open false
08:01 stay 00000001 reserved room 1204 guest 0000aaaa eta 12:00 leaves day2/11:00
08:02 prior 0000aaaa temperature 24 firmness 30
08:05 devices deaf
11:00 saw command firmness attempt=5
11:00 saw request cannot_reach raised
11:55 stay 00000001 checked_in room 1204 guest 0000aaaa eta 12:00 leaves day2/11:00
12:00 1204-door open true
12:01 1204-door open false
12:05 1204-motion occupied true
12:06 link zigbee down
12:06 devices obey
12:10 link zigbee up
23:00 saw no command firmness
