# Somebody walks in every evening at eight: after a week one free room is kept nearly ready for that hour, and not at noon.
room 1: thermostat door motion
room 2: thermostat door motion
policy walk-ins 1
air 16.0 warms 2.0 cools 1.0
day 0 08:00 outdoor 4
08:00 1-door open false
08:00 2-door open true
08:00 2-door open false
day 0 20:00 stay 00000010 checked_in room 1 guest 0000aaa0 leaves day1/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 1 09:00 stay 00000010 checked_out room 1
day 1 20:00 stay 00000011 checked_in room 1 guest 0000aaa1 leaves day2/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 2 09:00 stay 00000011 checked_out room 1
day 2 20:00 stay 00000012 checked_in room 1 guest 0000aaa2 leaves day3/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 3 09:00 stay 00000012 checked_out room 1
day 3 20:00 stay 00000013 checked_in room 1 guest 0000aaa3 leaves day4/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 4 09:00 stay 00000013 checked_out room 1
day 4 20:00 stay 00000014 checked_in room 1 guest 0000aaa4 leaves day5/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 5 09:00 stay 00000014 checked_out room 1
day 5 20:00 stay 00000015 checked_in room 1 guest 0000aaa5 leaves day6/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 6 09:00 stay 00000015 checked_out room 1
day 6 20:00 stay 00000016 checked_in room 1 guest 0000aaa6 leaves day7/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 7 09:00 stay 00000016 checked_out room 1
day 7 20:00 stay 00000017 checked_in room 1 guest 0000aaa7 leaves day8/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 8 09:00 stay 00000017 checked_out room 1
day 8 20:00 stay 00000018 checked_in room 1 guest 0000aaa8 leaves day9/10:00
20:03 1-door open true
20:03 1-door open false
20:06 1-motion occupied true
day 9 09:00 stay 00000018 checked_out room 1
12:30 saw no note kept-for-walk-ins
18:30 saw note kept-for-walk-ins
18:30 saw command setback 18
