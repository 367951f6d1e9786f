# Somebody sleeps in a room that nobody has taken: the front office is told, no device acts.
room 15: thermostat door motion bed
air 21.0
day 0 08:00 15-door open false
20:00 15-door open true
20:00:20 15-door open false
20:05 15-motion occupied true
20:15 15-motion occupied true
20:30 15-bed bed_occupied true
21:00 saw no request unsold_occupied
22:10 saw request unsold_occupied front_office unsold-but-occupied
day 1 07:00 15-bed bed_occupied false
07:10 15-motion occupied true
07:15 15-motion occupied true
07:20 15-door open true
07:20:20 15-door open false
09:00 saw request unsold_occupied withdrawn
