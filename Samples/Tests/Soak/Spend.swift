/// Lets time pass as work would, or the pause between two pieces of it: the load of the soak is made of it.
///
/// Nothing is waited for that way. It is real time, which the limits under trial are too, on the clock that
/// supervisors go by; whoever is cancelled in it, because its tree stops or its connection is cut, ends at once.
func spend(_ time: Duration) async throws {
    try await Task.sleep(for: time, clock: .suspending)
}
