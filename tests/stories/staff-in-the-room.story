# Staff seal nothing: what moves while they are in says nothing of the guest, and when they have gone the room is checked.
room 14: thermostat door motion bed lock
air 21.0
day 0 15:00 stay 00000014 checked_in room 14 leaves day3/11:00
15:05 14-door open false
15:10 14-door open true
15:10:20 14-door open false
15:14 14-motion occupied true
15:20 14-motion occupied true
15:30 14-motion occupied true
15:35 14-motion occupied true
15:40 14-door open true
15:40:20 14-door open false
16:30 saw presence 14 vacant
17:00 14-lock staff_key true
17:00:05 14-door open true
17:01 14-motion occupied true
17:05 14-motion occupied true
17:10 14-motion occupied true
17:15 14-motion occupied true
17:20 saw presence 14 occupied
17:25 14-door open false
17:25:10 14-lock staff_key false
17:26 saw note staff-have-gone
18:00 saw presence 14 vacant
# The guest throws the bolt from inside: nobody is taken for absent behind it.
19:00 14-door open true
19:00:10 14-door open false
19:01 14-lock deadbolt true
23:00 saw presence 14 occupied
