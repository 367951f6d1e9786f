# Make up room is asked for by a button, taken back by it, and barred by do-not-disturb.
room 6: thermostat door motion panel
air 21.0
day 0 10:00 stay 00000007 checked_in room 6 leaves day3/11:00
10:10 6-panel action 2_single
10:10 saw request make_up_room raised
10:20 6-panel action 2_single
10:20 saw request make_up_room withdrawn
10:30 6-panel action 2_single
10:30 saw request make_up_room id=6.00000007.make-up-room.2
10:40 6-panel action 1_single
10:40 saw request make_up_room withdrawn
