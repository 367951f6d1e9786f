# Somebody lives in a room that nobody has taken. People look and say so; they are not asked again while it goes on.
room 17: thermostat door motion bed
air 21.0
day 0 08:00 17-door open false
20:00 17-door open true
20:00:20 17-door open false
20:05 17-motion occupied true
20:30 17-bed bed_occupied true
22:10 saw request unsold_occupied front_office unsold-but-occupied
22:30 17-door open true
22:30:20 17-door open false
22:40 central last done
day 1 00:30 17-motion occupied true
06:00 saw no request unsold_occupied
08:00 17-bed bed_occupied false
08:00 17-motion occupied true
08:10 17-motion occupied true
08:20 17-bed bed_occupied true
10:00 saw no request unsold_occupied
# Half a day later it is still so.
11:00 saw request unsold_occupied raised
# The room has been empty; the next one is a new one.
12:00 17-bed bed_occupied false
12:05 17-door open true
12:05:20 17-door open false
15:00 saw request unsold_occupied withdrawn
20:00 17-door open true
20:00:20 17-door open false
20:30 17-bed bed_occupied true
22:00 saw request unsold_occupied raised
