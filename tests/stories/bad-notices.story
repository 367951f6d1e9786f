# Stays that overlap, check-outs of strangers, repeated and late messages: each is refused under its own name.
room 1: thermostat door
room 2: thermostat door
air 21.0
day 0 10:00 stay 0000000a reserved room 1 eta 15:00 leaves day2/11:00 version 5
10:01 stay 0000000a cancelled room 1 version 5
10:01 saw refuse stay_stale_version
10:02 stay 0000000b reserved room 1 eta day1/12:00 leaves day3/11:00
10:02 saw refuse stay_overlap
10:03 stay 0000000c checked_out room 1
10:03 saw refuse stay_unknown
10:04 stay 0000000d reserved room 99 eta 15:00
10:04 saw refuse stay_unknown_room
10:05 stay 0000000e reserved room 2 eta 15:00 leaves 14:00
10:05 saw refuse stay_departure_before_eta
10:06 9-door open true
10:06 saw refuse device_unknown
10:07 central nobody.knows.this done
10:07 saw refuse request_unknown
