# People know what no sensor tells: a room is out of order, locked while somebody works on it, or kept ready for a guest.
room 1: thermostat door motion bed
room 2: thermostat door motion bed
room 3: thermostat door motion bed
policy plant heating
air 18.0 warms 2.0 cools 0.3
day 0 08:00 override 1 out_of_order 20
08:00 saw note override-by-people out_of_order room=1
08:01 override 2 locked 8
08:01 saw note override-by-people locked room=2
08:02 override 2 locked 25
08:02 saw refuse override_too_long
09:00 stay 00000001 reserved room 1 guest 0000aaaa eta 15:00 leaves day2/11:00 wants 23
09:00 stay 00000002 reserved room 2 guest 0000bbbb eta 15:00 leaves day2/11:00 wants 23
09:00 stay 00000003 checked_in room 3 guest 0000cccc leaves day2/11:00 wants 22
09:05 3-door open true
09:05 3-door open false
09:06 3-motion occupied true
# Room 1 stays as it is, and nothing is told to room 2 before the engineer is done.
12:00 restart
15:55 saw no command room=1
15:55 saw no command room=2
16:01 saw note override-is-over locked room=2
16:01 saw command prepare room=2 23
# Room 3 is kept ready: its guest goes out, and it is not set back.
17:00 override 3 kept_ready 6
17:00 3-motion occupied true
17:06 3-motion occupied true
17:10 3-door open true
17:10 3-door open false
19:00 saw no command setback room=3
20:00 override 3
20:00 saw note override-ended-by-people kept_ready room=3
21:30 saw command setback room=3
