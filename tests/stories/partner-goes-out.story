# Two guests: one goes out, the other sleeps. The room is not set back.
room 7: thermostat door motion bed
air 21.0
day 0 14:00 stay 00000002 checked_in room 7 leaves day2/11:00
14:05 7-door open false
14:10 7-door open true
14:11 7-door open false
14:15 7-motion occupied true
14:20 7-motion occupied true
14:25 7-motion occupied true
16:40 7-motion occupied true
18:55 7-motion occupied true
20:00 7-bed bed_occupied true
20:30 7-door open true
20:31 7-door open false
23:59 saw no command setback
23:59 saw phase 7 living
