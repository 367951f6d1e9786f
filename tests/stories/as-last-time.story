# "24 C, as last time?" is asked once a stay and never at night. The answer counts at once; a hand on the dial says more.
room 7: thermostat door motion bed
room 8: thermostat door motion bed
policy plant heating
air 21.0
day 0 10:00 prior 0000aaaa temperature 24 nights 3 ago 300
10:00 prior 0000bbbb temperature 20 nights 3 ago 40
10:01 stay 00000007 checked_in room 7 guest 0000aaaa leaves day3/11:00
10:02 stay 00000008 checked_in room 8 guest 0000bbbb leaves day3/11:00
16:30 saw no preference confirm
16:30 7-door open true
16:30 saw preference target_temperature value=23.5 why=dormant unit=C is-it-as-last-time
16:31 7-door open false
16:33 7-motion occupied true
# What was seen so long ago is asked about, not applied.
16:40 saw no command target_temperature 24
16:41 confirm 00000007 target_temperature 24
16:41 saw note guest-confirmed 24
16:41 saw command target_temperature 24
16:42 confirm 00000007 target_temperature 19
16:42 saw refuse question_unknown
16:42 saw no command target_temperature
# Nobody is asked at night, nor out of sleep.
23:30 8-door open true
23:31 8-door open false
23:33 8-motion occupied true
23:50 8-bed bed_occupied true
day 1 08:30 saw no preference why
08:40 8-bed bed_occupied false
08:41 saw preference target_temperature value=20.5 why=known_from_earlier_stays
08:45 restart
08:50 7-motion occupied true
09:00 8-thermostat target_temperature 23
09:01 confirm 00000008 target_temperature 20
09:02 saw note hand-came-before-the-answer
09:10 saw no command target_temperature 20
day 2 12:00 saw no preference why
day 3 11:00 stay 00000007 checked_out room 7 guest 0000aaaa
11:00 saw preference is_final=true confirmed
