"""The wires that clients speak, a file each: pure functions from bodies to requests and from what the engine says to bodies.

A surface is a module with what `surface.Surface` names, and one row in `table.py`:

    WIRE                  the wire's name; a provider of the same one is sent the body as it came, and its answer goes back as it came
    read(body, headers)   the body as an `Asked`; raises `BadMember` (400) for what cannot be kept, naming the member
    document(answer, labels)  a whole answer as a body, from our record of it: of another wire, or from the cache
    Writer(labels)          writes one stream: `feed` what the engine says, `pass_on` an event of the same wire as it came, `end` it
    error(problem)          an error as a body of the wire; `error_event(problem)` as an event in the middle of a stream

Where tokens are counted is a module with `read` and `document`, and a row of `COUNTS` there (`surface.TokenCounter`). What a wire calls its
wishes (stop texts, how long to think) is a writer in `members.py`; what two wires read alike is in `reading.py`. A request that only its
own wire can carry says so in `Given.only`, which names the member.

Nothing here reads a socket, a clock or the settings. Chunks of bytes that are returned are whole events, each one write.
"""
