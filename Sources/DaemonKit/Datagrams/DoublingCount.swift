/// Counts what may happen as often as a stranger likes, and says which of them are worth a line.
struct DoublingCount {
    private var count = 0

    /// Counts one more.
    ///
    /// - Returns: The count where it is a power of two, else nil.
    mutating func add() -> Int? {
        count += 1
        return count & (count - 1) == 0 ? count : nil
    }
}
