# An empty room that is damp for two hours in summer is dried; a guest's room, and a room in winter, is not.
room 7: thermostat door motion sensor
policy plant auto
air 24.0 warms 3.0 cools 3.0
day 0 08:00 outdoor 27
08:00 7-door open true
08:00 7-door open false
08:01 7-sensor humidity 70
09:00 7-sensor humidity 71
09:00 saw no command damp-while-empty
09:50 7-sensor humidity 70
10:05 saw command damp-while-empty 70
10:15 7-sensor humidity 58
10:16 saw command target_temperature nobody-in-nobody-expected
10:30 7-sensor humidity 70
10:55 stay 00000001 checked_in room 7 guest 0000aaaa leaves day2/11:00
10:56 7-door open true
10:56 7-door open false
10:59 7-motion occupied true
13:00 7-sensor humidity 72
13:00 saw no command damp-while-empty
