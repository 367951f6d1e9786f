# What the booking and earlier stays ask for is to be placed before arrival; it is withdrawn when the stay is cancelled.
room 8: thermostat door
air 18.0
day 0 09:00 stay 00000008 reserved room 8 guest 0000dddd eta 16:00 leaves day2/11:00 items hangers
09:01 prior 0000dddd items latex-pillow must no-down
13:00 saw no request arrival_items
14:35 saw request arrival_items hangers latex-pillow must-have:no-down raised
14:40 stay 00000008 cancelled room 8
14:40 saw request arrival_items withdrawn
14:40 saw readiness no_arrival
