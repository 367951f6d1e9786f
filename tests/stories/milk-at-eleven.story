# The 23:00 milk is foreseen once it is a habit; it is not brought to a sleeper.
room 9: thermostat door motion bed
air 21.0
day 0 14:00 stay 00000005 checked_in room 9 guest 0000cccc leaves day6/11:00
14:05 9-door open false
14:10 9-door open true
14:11 9-door open false
14:12 9-motion occupied true
14:16 9-motion occupied true
14:20 9-motion occupied true
22:58 central order-1 done room 9 item hot-milk
day 1 23:01 central order-2 done room 9 item hot-milk
day 2 23:00 central order-3 done room 9 item hot-milk
day 3 22:45 saw no request routine
22:46 9-motion occupied true
22:48 9-motion occupied true
23:00 saw request routine hot-milk wanted-every-night-at-this-time
23:02 central last done
day 4 22:00 9-bed bed_occupied true
day 5 08:00 saw no request routine
