# Awake 23, asleep 18.5: the room changes when the guest falls asleep and when he is up, and the hand stands above both.
room 14: thermostat door motion bed
air 21.0
day 0 08:00 prior 00002222 stay 00000001 temperature 23 ago 30
08:00 prior 00002222 stay 00000002 asleep_temperature 18.5 ago 20
15:00 stay 0000000d checked_in room 14 guest 00002222 leaves day2/11:00
15:10 14-door open true
15:10 14-door open false
15:12 14-motion occupied true
15:14 saw command 23
23:00 14-bed bed_occupied true
23:10 saw command comfort 18.5
day 1 07:00 14-bed bed_occupied false
07:30 14-motion occupied true
07:31 saw command comfort 23
22:00 14-thermostat target_temperature 20.5
23:00 14-bed bed_occupied true
23:30 saw no command comfort 18.5
