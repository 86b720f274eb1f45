"""The ballot box: keys, sealing, the slot, receipts, the log, opening and counting.

The way of a ballot, module by module: `casting` is the whole act. `vectors` makes bytes of
selections, `sealing` seals them under the poll's keys (`poll_keys`), `writer` gathers those who
cast at the same moment, `slot` calls the function of the database that alone decides, `receipts`
proves it. Then `shuffling` parts ballots from voters and enters them in the `log`; `clerk` has it
signed and shown to witnesses; `counting` opens the box; `bundling` puts together what anybody can
check; `destroying` ends the keys.
"""
