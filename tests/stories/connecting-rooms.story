# Two rooms with a connecting door. The guest of 20 walks over to 21 and leaves by its door: neither stays sealed, neither is
# set back while somebody is in the other, and nobody calls 21 unsold but occupied.
room 20: thermostat door motion connecting to 21
room 21: thermostat door motion to 20
air 21.0
day 0 08:00 20-door open false
08:00 21-door open false
08:00 20-connecting open false
15:00 stay 00000020 checked_in room 20 leaves day3/11:00 wants 23
15:05 20-door open true
15:05:20 20-door open false
15:10 20-motion occupied true
15:20 20-motion occupied true
15:25 20-motion occupied true
15:26 saw phase 20 living
15:26 saw phase 21 resting
# The connecting door is opened: 21 goes with the stay of 20.
15:30 20-connecting open true
15:31 saw phase 21 living
15:32 21-motion occupied true
15:40 21-motion occupied true
15:50 21-motion occupied true
16:10 21-motion occupied true
18:00 21-motion occupied true
18:00 saw phase 20 living
18:00 saw no request unsold_occupied
# Out by the door of 21: both are empty, both are set back.
18:10 21-door open true
18:10:20 21-door open false
20:30 saw phase 20 away
20:30 saw phase 21 away
20:30 saw no request sensor_fault
# Home by the door of 20, over to 21 without any door of it, and the connecting door closed behind: 20 is empty.
22:00 20-door open true
22:00:20 20-door open false
22:01 20-motion occupied true
22:02 saw phase 21 living
22:04 21-motion occupied true
22:06 20-connecting open false
22:08 21-motion occupied true
22:12 21-motion occupied true
22:16 21-motion occupied true
day 1 01:00 restart
09:00 saw phase 20 away
09:00 saw no request sensor_fault
