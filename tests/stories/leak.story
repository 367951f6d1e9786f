# Water: told at once, called again locally after five seconds, until central has accepted; told when it is over.
room 5: thermostat leak
air 21.0
day 0 02:00 5-leak leak false
02:10 5-leak leak true
02:10 saw emergency call=1 local=false
02:10:06 saw emergency call=2 local=true
02:11:30 saw emergency call=3
02:12 central 5.5-leak.leak.1 accepted
02:30 saw no emergency
02:40 5-leak leak false
02:40 saw emergency over=true
