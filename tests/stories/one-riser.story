# The plant runs one room at full output at a time: of two arrivals at once each begins earlier, one after the other, and both are
# ready; nobody is told of a miss.
room 101: thermostat door motion limiter
room 102: thermostat door motion limiter
policy plant rooms 1
air 18.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 101-door open true
08:00 101-door open false
08:00 102-door open true
08:00 102-door open false
08:01 stay 00000001 reserved room 101 guest 0000aaaa eta 18:30 leaves day2/11:00
08:02 stay 00000002 reserved room 102 guest 0000bbbb eta 18:30 leaves day2/11:00
12:00 saw no command prepare
18:25 saw command room=101 prepare target_temperature
18:25 saw command room=102 prepare target_temperature
18:25 saw note room=102 gives-way-to-the-plant waits
18:25 saw note room=102 plant-suffices-again
18:25 saw no readiness will_miss
18:26 stay 00000001 checked_in room 101 guest 0000aaaa eta 18:30 leaves day2/11:00
18:27 stay 00000002 checked_in room 102 guest 0000bbbb eta 18:30 leaves day2/11:00
18:30 101-door open true
18:30 saw readiness kept
18:31 102-door open true
18:31 saw readiness kept
