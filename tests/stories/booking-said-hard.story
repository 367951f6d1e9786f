# The guest booked a hard bed and softens it each night: what the bed saw overrules what the booking said, and says so.
room 12: thermostat door motion bed
air 21.0
day 0 14:00 stay 00000003 checked_in room 12 guest 0000bbbb leaves day3/11:00 hard 80
14:05 12-door open false
14:10 12-door open true
14:11 12-door open false
14:12 12-motion occupied true
14:16 12-motion occupied true
14:20 12-motion occupied true
14:21 12-bed firmness 80
22:00 12-bed firmness 35
22:10 saw preference firmness declared=80
22:10 saw no preference booking_vs_device
day 1 09:00 12-bed firmness 80
22:00 12-bed firmness 30
22:10 saw preference booking_vs_device declared=80
day 3 10:00 stay 00000003 checked_out room 12 guest 0000bbbb
10:00 saw preference is_final=true
day 5 12:00 12-bed firmness 80
day 9 08:00 stay 00000004 reserved room 12 guest 0000bbbb eta 15:00 leaves day10/11:00 hard 80
15:00 saw command firmness bed-as-this-guest-sets-it
15:00 saw no command firmness 80
15:00 saw answer 0000bbbb firmness booking_vs_device
