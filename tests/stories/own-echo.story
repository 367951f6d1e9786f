# A command that comes back, early or late, is not the guest; the dial is.
room 3: thermostat door motion
air 18.0
day 0 10:00 3-thermostat target_temperature 18
10:01 3-door open false
10:02 stay 00000006 checked_in room 3 leaves day2/11:00
10:05 saw command prepare 22
10:05 saw no note guest-set-by-hand
10:06 3-thermostat target_temperature 22
10:06 saw no note guest-set-by-hand
10:30 3-thermostat target_temperature 19.5
10:30 saw note guest-set-by-hand
10:31 3-thermostat room_temperature 18.2
12:00 saw no command
12:01 3-thermostat target_temperature 25 replayed
12:01 saw no note guest-set-by-hand
12:01 saw note found-changed
