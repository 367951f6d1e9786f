# The gateway restarts while the guest sleeps: nothing is told to any device, the choice stands, the morning goes on.
room 1204: thermostat door motion bed
air 21.0
day 0 15:00 stay 00000001 checked_in room 1204 leaves day2/11:00
15:05 1204-door open false
15:10 1204-door open true
15:11 1204-door open false
15:12 1204-motion occupied true
15:20 1204-motion occupied true
15:28 1204-motion occupied true
15:30 saw command held-until-the-door-moves
18:00 1204-thermostat target_temperature 20
23:00 1204-bed bed_occupied true
day 1 03:00 restart
03:01 1204-thermostat target_temperature 20 replayed
03:01 1204-bed bed_occupied true replayed
07:00 saw no command
07:00 saw presence 1204 asleep
