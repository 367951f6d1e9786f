# The guest is out, and the set-back told in vain. Something moves: who came has not been seen to come, and the room still counts
# as empty. It may be somebody: until ten minutes have passed without another movement, nothing sets the room back.
room 1204: thermostat door motion bed
air 22.0
day 0 08:00 outdoor 4
08:00 1204-door open false
08:00 1204-bed bed_occupied false
08:01 stay 00000001 checked_in room 1204 guest 0000aaaa leaves day4/11:00 wants 22
08:05 1204-door open true
08:06 1204-door open false
08:07 1204-motion occupied true
08:30 1204-motion occupied true
09:30 1204-motion occupied true
10:00 1204-motion occupied true
10:01 1204-door open true
10:02 1204-door open false
10:03 devices deaf
17:54 saw command setback attempt=10
# The next is due at 19:27.
19:20 1204-motion occupied true
19:20 saw presence 1204 vacant
19:29 saw no command setback
19:32 saw presence 1204 vacant
19:32 saw command setback
