# Nobody comes: four hours after the expected arrival the room goes back to rest.
room 2: thermostat door motion
air 18.0
day 0 09:00 2-door open false
09:00 2-door open true
09:01 2-door open false
12:00 saw presence 2 vacant
12:01 stay 00000009 reserved room 2 eta 15:00 leaves day1/11:00
15:00 saw command prepare
19:30 saw readiness no_arrival
19:30 saw command setback 16
19:30 saw phase 2 resting
