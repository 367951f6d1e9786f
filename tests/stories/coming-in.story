# Who always turns it down on coming in and up again later finds it so: cool on coming in, warmer after an hour.
room 12: thermostat door
policy comfort 22
policy plant heating
air 18.0 warms 3.0 cools 0.5
day 0 07:00 prior 00002222 stay 00000001 arrival_temperature 20 ago 90
07:01 prior 00002222 stay 00000002 arrival_temperature 20 ago 60
07:02 prior 00002222 stay 00000003 target_temperature 23 ago 30
08:00 stay 0000000d reserved room 12 guest 00002222 eta 16:00 leaves day1/11:00
16:00 saw command prepare 20
16:00 stay 0000000d checked_in room 12 guest 00002222 leaves day1/11:00
16:05 12-door open true
17:04 saw no command target_temperature
17:06 saw command target_temperature 23
day 1 11:00 stay 0000000d checked_out room 12 guest 00002222
11:01 saw answer 00002222 arrival_temperature accepted
# What is set by hand stands, in the first hour and after it.
day 31 08:00 stay 0000000e reserved room 12 guest 00002222 eta 16:00 leaves day32/11:00
16:00 saw command target_temperature 20
16:00 stay 0000000e checked_in room 12 guest 00002222 leaves day32/11:00
16:05 12-door open true
16:10 12-thermostat target_temperature 19
16:40 restart
17:20 saw no command target_temperature
18:00 12-thermostat target_temperature 22.5
day 32 11:00 stay 0000000e checked_out room 12 guest 00002222
11:00 saw preference arrival_temperature is_final=true
