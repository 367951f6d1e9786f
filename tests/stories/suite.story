# A suite of two rooms, 51 with the salon and 52 with the bed, booked under 51. Both are made ready, the guest comes in by the
# door of 52, sleeps there while 51 is kept as well, and goes out by the door of 51. What is asked of people is asked once.
room 51: thermostat door motion suite royal
room 52: thermostat door motion bed suite royal
air 18.0 warms 3.0 cools 0.5
day 0 08:00 51-door open false
08:00 52-door open false
08:00 prior 0000aaaa temperature 23
08:10 stay 00000051 reserved room 51 guest 0000aaaa eta 16:30 leaves day2/11:00 items hangers
15:00 saw request arrival_items room=51
16:20 saw phase 51 preparing
16:20 saw phase 52 preparing
16:25 stay 00000051 checked_in room 51 guest 0000aaaa eta 16:30 leaves day2/11:00 items hangers
16:26 saw phase 51 held
16:26 saw phase 52 held
# In by the door of 52: what was promised of both is settled.
16:30 52-door open true
16:30:01 saw readiness room=51 kept
16:30:01 saw readiness room=52 kept
16:30:20 52-door open false
16:35 52-motion occupied true
16:36 saw phase 51 living
16:36 saw phase 52 living
17:00 51-motion occupied true
17:10 51-motion occupied true
22:50 52-motion occupied true
23:00 52-bed bed_occupied true
day 1 03:00 saw phase 52 living
03:00 saw phase 51 living
03:00 restart
07:30 52-bed bed_occupied false
07:40 52-motion occupied true
08:00 51-motion occupied true
08:50 51-motion occupied true
08:58 51-motion occupied true
# Out by the door of 51: neither room is kept for the other's sake.
09:00 51-door open true
09:00:20 51-door open false
11:30 saw phase 51 away
11:30 saw phase 52 away
11:30 saw no request sensor_fault
day 2 10:00 stay 00000051 checked_out room 51
10:01 saw phase 51 resting
10:01 saw phase 52 resting
