# A guest who is given another room within the stay has told everything already: nothing is asked again, nothing is lost.
room 7: thermostat door motion bed
room 8: thermostat door motion bed
policy plant heating
air 21.0
day 0 10:00 prior 0000cccc temperature 24 nights 3 ago 40
10:01 stay 00000009 checked_in room 7 guest 0000cccc leaves day2/11:00
16:30 7-door open true
16:30 saw preference target_temperature why=known_from_earlier_stays is-it-as-last-time
16:31 7-door open false
16:35 confirm 00000009 target_temperature 23
16:35 saw note guest-confirmed 23
18:00 stay 00000009 checked_in room 8 guest 0000cccc leaves day2/11:00 version 50
18:00 saw no preference is_final=true
18:00 saw command target_temperature 23
18:10 8-door open true
18:11 8-door open false
18:12 8-motion occupied true
18:30 saw no preference why
day 1 12:00 8-motion occupied true
12:01 saw no preference why
day 2 11:00 stay 00000009 checked_out room 8 guest 0000cccc version 60
11:00 saw preference is_final=true confirmed
11:01 saw answer 0000cccc target_temperature confirmed value=23
