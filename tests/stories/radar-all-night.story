# Radar says "somebody" once and holds it for hours. Without a bed sensor the sleeper is not set back all night; when the guest
# has gone, it is no different from other rooms. Stuck, it loses its voice.
room 21: thermostat door motion
air 21.0
day 0 13:00 21-motion occupied true
13:02 21-motion occupied false
15:00 stay 00000021 checked_in room 21 leaves day6/11:00
15:10 21-door open true
15:10:20 21-door open false
15:10:40 21-motion occupied true
day 1 07:30 saw presence 21 occupied
07:30 saw no command setback
07:40 21-door open true
07:40:20 21-door open false
07:40:50 21-motion occupied false
08:00 saw presence 21 checking
10:00 saw presence 21 vacant
10:00 saw command setback
# It loses sight of somebody who sits still. That is the end of a movement, and the silence begins only then.
18:00 21-door open true
18:00:20 21-door open false
18:00:40 21-motion occupied true
20:10 21-motion occupied false
20:21 saw presence 21 occupied
20:30 21-motion occupied true
# The guest goes, and from here on it is stuck.
day 2 08:00 21-door open true
08:00:20 21-door open false
16:29 saw no request sensor_fault
16:31 saw request sensor_fault moves-without-a-pause sees_since
16:31 saw no command setback
18:00 21-motion occupied false
18:01 saw request sensor_fault withdrawn
