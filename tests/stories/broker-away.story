# A broker that is away is one fault and not one a device: nobody is sent to look at devices that cannot be heard.
room 4: thermostat door sensor
air 21.0
day 0 09:00 4-sensor humidity 40
09:01 link zigbee down
day 1 09:00 saw no request device_offline
09:10 link zigbee up
# Each device has its whole time again before it counts as missing.
09:50 saw no request device_offline
10:30 saw request device_offline raised
# Down again: what was asked stands, nobody can tell whether it has healed.
10:31 link zigbee down
12:00 saw no request device_offline
12:01 link zigbee up
12:02 4-sensor humidity 41
12:02 saw request device_offline withdrawn
