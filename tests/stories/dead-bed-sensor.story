# The bed sensor dies. The sleeper is not set back in the first night, and engineering is told with the evidence.
room 12: thermostat door motion bed
air 21.0
day 0 15:00 stay 00000012 checked_in room 12 leaves day5/11:00
15:05 12-door open false
15:10 12-door open true
15:10:20 12-door open false
15:14 12-motion occupied true
15:20 12-motion occupied true
15:30 12-motion occupied true
23:00 12-bed bed_occupied true
day 1 07:00 12-bed bed_occupied false
07:10 12-motion occupied true
07:20 12-motion occupied true
07:30 12-motion occupied true
08:20 12-motion occupied true
08:30 12-motion occupied true
08:38 12-door open true
08:38:20 12-door open false
09:30 saw presence 12 vacant
# From here on the bed says nothing any more; the guest comes home in the evening and sleeps.
20:00 12-door open true
20:00:20 12-door open false
20:03 12-motion occupied true
20:20 12-motion occupied true
20:41 12-motion occupied true
21:10 12-motion occupied true
21:45 12-motion occupied true
22:20 12-motion occupied true
day 2 00:10 12-motion occupied true
01:40 12-motion occupied true
03:05 12-motion occupied true
04:00 saw request sensor_fault bed-stays-empty-while-somebody-sleeps check-battery-and-cable
04:50 12-motion occupied true
06:20 12-motion occupied true
06:21 saw presence 12 occupied
06:21 saw no command setback
07:00 12-motion occupied true
07:05 12-motion occupied true
07:10 saw presence 12 occupied
07:30 12-door open true
07:30:20 12-door open false
# It moves again.
21:30 12-door open true
21:30:20 12-door open false
21:35 12-motion occupied true
22:00 12-bed bed_occupied true
22:01 saw request sensor_fault withdrawn
