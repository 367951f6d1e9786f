# A guest who is in and has not moved for a day: people look, nothing is set back.
room 16: thermostat door motion lock
air 21.0
day 0 15:00 stay 00000016 checked_in room 16 leaves day5/11:00
15:05 16-door open false
15:10 16-door open true
15:10:20 16-door open false
15:14 16-motion occupied true
15:30 16-lock deadbolt true
day 1 15:00 saw no request welfare
15:31 saw request welfare front_office in-and-motionless-for-a-day knock
15:31 saw no command setback
16:00 16-motion occupied true
16:01 saw request welfare withdrawn
