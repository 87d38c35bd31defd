"""What-if: a floor, a clock and callees that exist in memory only, paced by the code that paces real calls.

`scenario` is what is asked, `callees` what becomes of each dial, `floor` the shift, `figures` what is told of it,
`runs` many shifts at once. Same scenario, same mode, same seed: same figures. Dials nobody, needs no service and no
database.
"""
