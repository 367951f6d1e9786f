# The grid asks for less: rooms without a present guest give way, unsold ones first; the guest who is in notices nothing.
room 1: thermostat door motion
room 2: thermostat door motion
room 3: thermostat door motion
air 14.0 warms 2.0 cools 0.2
day 0 12:00 outdoor -5
12:00 1-door open true
12:00 1-door open false
12:00 2-door open true
12:00 2-door open false
12:00 3-door open true
12:00 3-door open false
12:01 stay 00000001 checked_in room 1 guest 0000aaaa leaves day2/11:00
12:05 1-door open true
12:05 1-door open false
12:08 1-motion occupied true
12:10 saw phase 1 living
12:11 limit 20
12:11 saw note gives-way-to-the-plant room=2 sheds
12:11 saw command room=2 setback
12:11 saw no note gives-way-to-the-plant room=1
12:30 saw no command room=1
12:31 limit none
12:31 saw note plant-suffices-again room=2
