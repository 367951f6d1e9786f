# Years of down, then the guest asks for latex: it is so at once, and the next house has latex ready.
room 7: thermostat door
air 21.0
day 0 08:00 prior 0000cccc stay 00000001 pillow down ago 800
08:00 prior 0000cccc stay 00000002 pillow down ago 500
08:00 prior 0000cccc stay 00000003 pillow down ago 100
08:01 stay 00000009 checked_in room 7 guest 0000cccc leaves day2/11:00
08:01 saw answer 0000cccc pillow value=down
20:00 says 7 pillow latex
20:00 saw answer 0000cccc pillow value=latex from=down recent_change
day 2 10:00 stay 00000009 checked_out room 7 guest 0000cccc
day 30 08:00 stay 0000000a reserved room 7 guest 0000cccc eta 16:00 leaves day31/11:00
15:00 saw request arrival_items pillow-latex
15:00 saw no request pillow-down
# An allergy is no like: whatever stays show, it must be so.
day 40 08:00 prior 0000dddd stay 00000004 pillow down ago 20 must pillow-foam
08:00 saw answer 0000dddd pillow value=foam must_have
