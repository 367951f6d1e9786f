# Years at 24; then the guest says 20, and the room follows at once. One word is enough, and says what it was before.
room 8: thermostat door motion
air 22.0
day 0 08:00 prior 0000eeee stay 00000001 temperature 24 ago 400
08:00 prior 0000eeee stay 00000002 temperature 24 ago 200
08:00 prior 0000eeee stay 00000003 temperature 24 ago 60
16:00 stay 00000009 checked_in room 8 guest 0000eeee leaves day2/11:00
16:01 saw answer 0000eeee target_temperature device
16:10 8-door open true
16:10 8-door open false
16:12 8-motion occupied true
16:20 says 8 target_temperature 20
16:20 saw command comfort 20
16:20 saw answer 0000eeee target_temperature value=20 recent_change explicit
