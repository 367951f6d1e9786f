# A sleeping guest is never set back, whatever the silence; one who is out is, in two stages, and gets the own setting back.
room 1204: thermostat door motion bed
air 21.0

day 0 15:00 stay 00000001 checked_in room 1204 leaves day2/11:00
15:05 1204-door open false       # the first state the door tells
15:10 1204-door open true
15:10:20 1204-door open false
15:12 1204-motion occupied true
15:20 1204-motion occupied true
15:28 1204-motion occupied true
15:30 saw phase 1204 living
18:00 1204-thermostat target_temperature 23.5
18:30 saw note guest-set-by-hand
18:30 saw preference target_temperature
22:30 1204-bed bed_occupied true
day 1 09:30 saw no command
09:30 saw presence 1204 asleep
09:35 1204-bed bed_occupied false
09:41 1204-motion occupied true
09:50 1204-motion occupied true
09:57 1204-motion occupied true
10:00 1204-door open true
10:00:10 1204-door open false
10:30 saw command setback 22.5
10:30 saw phase 1204 away
11:40 saw command setback 21.5 guest-is-out-for-long
14:00 1204-door open true
14:01 saw command comfort 23.5
14:01 saw phase 1204 living
