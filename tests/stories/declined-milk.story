# What was brought or offered and not wanted falls back: from brought, to offered, to merely told to those who serve.
room 9: thermostat door motion bed
air 21.0
day 0 14:00 stay 00000005 checked_in room 9 guest 0000cccc leaves day9/11:00
14:10 9-door open true
14:11 9-door open false
22:58 central order-1 done room 9 item hot-milk
day 1 23:01 central order-2 done room 9 item hot-milk
day 2 22:59 central order-3 done room 9 item hot-milk
day 3 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:55 saw request routine raised deliver
22:56 central last declined
day 4 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:55 saw no request routine deliver
22:55 saw request routine offered knock=none
22:56 central last declined
day 5 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:55 saw no request routine deliver
22:56 central last declined
day 6 21:30 9-door open true
21:31 9-door open false
21:33 9-motion occupied true
21:36 9-motion occupied true
21:39 9-motion occupied true
22:55 saw no request routine offered
