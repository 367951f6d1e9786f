# The room is as the guest likes it when the door opens, and the promise is checked there.
room 1204: thermostat door motion bed
air 18.0 warms 3.0 cools 0.5
day 0 08:00 outdoor 4
08:00 1204-door open false
08:01 stay 00000001 reserved room 1204 guest 0000aaaa eta 16:30 leaves day2/11:00
08:01 saw readiness 22
08:02 prior 0000aaaa temperature 24 firmness 30
08:03 saw readiness 1204
10:00 saw no command prepare
16:00 saw command prepare target_temperature prepare-in-time
16:00 saw command prepare firmness 35 bed-as-this-guest-sets-it
16:25 stay 00000001 checked_in room 1204 guest 0000aaaa eta 16:30 leaves day2/11:00
16:30 1204-door open true
16:30 saw readiness kept
16:30 saw phase 1204 living
