# One wild reading moves no plant; a thermometer that goes on so is not believed, and people are told.
room 1204: thermostat door motion
policy plant auto
air 21.0
day 0 13:00 outdoor 4
13:01 1204-door open false
13:02 stay 00000001 checked_in room 1204 guest 0000aaaa leaves day4/11:00 wants 21
13:03 1204-door open true
13:04 1204-door open false
13:05 1204-motion occupied true
13:30 1204-motion occupied true
14:00 saw command hvac_mode heat
14:02 1204-thermostat room_temperature 39
14:02 saw refuse reading_unlikely
14:09 saw no command
14:09 saw no request sensor_fault
14:32 1204-thermostat room_temperature 39
14:33 1204-thermostat room_temperature 6
14:34 1204-thermostat room_temperature 31
14:34 saw request sensor_fault raised thermometer-says-what-no-air-does
15:20 saw no command
15:20 saw no request_state
16:00 saw request sensor_fault withdrawn thermometer-is-sensible-again
# What is said twice counts, and no number of tenths makes it wild.
16:01 1204-thermostat room_temperature 26
16:01 saw refuse reading_unlikely
16:03 1204-thermostat room_temperature 26.2
16:03 saw no refuse
