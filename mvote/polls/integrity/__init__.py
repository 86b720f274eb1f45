"""What makes faking a place dearer, and shows people where to look. Nothing proves a location.

The way of a position: `nonces` gives out a nonce; `checking` looks at what came with the position
and uses up what is good once; between the two `asking` asks a platform that is elsewhere.
`attesting` is the port, `app_attestor`, `play_integrity` and `development` its adapters; `devices`
knows how many accounts a phone vouches for. Beside all that, `watching` notes positions,
`noticing` finds what is odd about many, and `flags` are what officers look at.
"""
