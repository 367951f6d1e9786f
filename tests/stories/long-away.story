# Nobody has seen this guest for ten months: what was liked then is asked about, and not applied silently.
room 9: thermostat door
policy comfort 22
air 18.0 warms 3.0 cools 0.5
day 0 08:00 prior 0000ffff stay 00000001 temperature 25 ago 300
08:00 stay 0000000b reserved room 9 guest 0000ffff eta 16:30 leaves day1/11:00
08:01 saw answer 0000ffff target_temperature dormant
08:05 month
08:05 saw note like-is-dormant target_temperature
08:05 saw preference target_temperature dormant like-is-dormant
# Central is told once.
08:06 restart
08:07 month
08:07 saw no preference
16:30 saw command prepare 22
16:30 saw no command prepare 25
16:30 stay 0000000b checked_in room 9 guest 0000ffff leaves day1/11:00
16:40 9-door open true
16:50 9-thermostat target_temperature 24.5
17:00 saw answer 0000ffff target_temperature device
