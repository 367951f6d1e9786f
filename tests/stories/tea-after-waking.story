# A wish that keeps time with waking is foreseen from the real waking, however late it is.
room 9: thermostat door motion bed
air 21.0
day 0 14:00 stay 00000005 checked_in room 9 guest 0000cccc leaves day9/11:00
14:10 9-door open true
14:11 9-door open false
23:00 9-bed bed_occupied true
day 1 06:40 9-bed bed_occupied false
07:01 central order-1 done room 9 item tea
22:30 9-bed bed_occupied true
day 2 08:10 9-bed bed_occupied false
08:29 central order-2 done room 9 item tea
23:40 9-bed bed_occupied true
day 3 07:20 9-bed bed_occupied false
07:25 saw request routine tea staged wake
07:41 central order-3 done room 9 item tea
23:10 9-bed bed_occupied true
# Later than ever: nothing is brought to the sleeper, and the tea moves with the waking.
day 4 09:00 saw no request routine raised
09:10 9-bed bed_occupied false
09:25 saw request routine tea raised wake 2026-11-25T08:35:00.000Z
