# What was erased stays erased, whoever sends it again, and the stay in progress forgets it, too.
room 11: thermostat door
policy comfort 22
air 21.0
day 0 08:00 prior 00001111 stay 00000001 temperature 25 ago 30
08:00 stay 0000000c checked_in room 11 guest 00001111 leaves day1/11:00
08:01 11-door open true
08:01 saw answer 00001111 target_temperature device
09:00 11-thermostat target_temperature 19
09:10 saw preference target_temperature
10:00 prior 00001111 erased 0
10:00 saw note guest-is-erased
10:01 prior 00001111 stay 00000001 temperature 25 ago 30
10:02 saw answer 00001111 target_temperature nothing
day 1 10:00 stay 0000000c checked_out room 11 guest 00001111
10:00 saw no preference is_final=true
