# A low battery and a silent device become requests, once, and are withdrawn when they heal.
room 4: thermostat door sensor
air 21.0
day 0 09:00 4-door battery 80
09:01 4-sensor humidity 40
09:10 4-door battery 9
09:10 saw request battery raised
09:20 4-door battery 8
09:20 saw no request battery
09:30 4-door battery 100
09:30 saw request battery withdrawn
11:00 saw request device_offline raised
11:05 4-sensor humidity 41
11:05 saw request device_offline withdrawn
