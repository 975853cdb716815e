/// Proverbs that belong to everybody, and a few about this trade.
enum Quotes {
    /// Each in ASCII, and with its line's end below the 512 characters that a datagram may have (RFC 865).
    static let all: [String] = [
        "A bird in the hand is worth two in the bush.",
        "A chain is only as strong as its weakest link.",
        "A journey of a thousand miles begins with a single step.",
        "A stitch in time saves nine.",
        "A watched pot never boils.",
        "All that glitters is not gold.",
        "Better late than never.",
        "Birds of a feather flock together.",
        "Do not count your chickens before they are hatched.",
        "Do not cross the bridge until you come to it.",
        "Empty vessels make the most noise.",
        "Every cloud has a silver lining.",
        "Fall seven times, stand up eight.",
        "Fortune favours the bold.",
        "Good fences make good neighbours.",
        "Haste makes waste.",
        "He who restarts for ever has never asked why it fell.",
        "If it stops when it is asked to, it is software; if not, it is a guest.",
        "Little strokes fell great oaks.",
        "Look before you leap.",
        "Many hands make light work.",
        "Measure twice, cut once.",
        "Necessity is the mother of invention.",
        "Rome was not built in a day.",
        "Slow and steady wins the race.",
        "Still waters run deep.",
        "The best time to plant a tree was twenty years ago. The second best time is now.",
        "The early bird catches the worm.",
        "The last one to leave closes the socket.",
        "Too many cooks spoil the broth.",
        "Trust the child, but supervise it.",
        "Where there is a will, there is a way.",
    ]

    /// One of them, as a line.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    static func random(using generator: inout some RandomNumberGenerator) -> String {
        all[Int.random(in: all.indices, using: &generator)] + "\r\n"
    }
}
