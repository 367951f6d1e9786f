# The 23:00 milk is foreseen once it is a habit; those who serve know an hour before; it is not brought to a sleeper.
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
day 2 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:15 saw request routine hot-milk staged knock=none wanted-on-other-nights
22:45 saw no request routine raised
# What the guest asks for by himself is not brought twice.
22:47 central order-3 accepted room 9 item hot-milk
22:48 saw request routine withdrawn asked-for-already
23:10 saw no request routine offered
day 3 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:15 saw request routine staged
22:40 9-motion occupied true
22:55 saw request routine hot-milk raised knock=door wanted-on-other-nights clock deliver
23:02 central last done
# The guest lies down before it is due: nobody knocks.
day 4 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:05 saw request routine staged
22:20 9-bed bed_occupied true
22:26 saw request routine withdrawn guest-asleep
22:27 9-motion occupied true
day 5 08:00 saw no request routine
