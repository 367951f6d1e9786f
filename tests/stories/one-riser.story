# The plant runs one room at full output at a time: two arrivals share it, each begins earlier, and nobody's guest is touched.
room 101: thermostat door motion limiter
room 102: thermostat door motion limiter
room 103: thermostat door motion limiter
policy plant rooms 1
air 18.0 warms 1.2 cools 0.5
day 0 08:00 outdoor 4
08:00 101-door open false
08:00 102-door open false
08:01 stay 00000001 reserved room 101 guest 0000aaaa eta 18:30 leaves day2/11:00
08:02 stay 00000002 reserved room 102 guest 0000bbbb eta 18:30 leaves day2/11:00
18:29 saw command room=109
