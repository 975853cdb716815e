import Glibc

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.chosen.attempt(Input(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Ends the process when something does not hold: libFuzzer then keeps the input.
func claim(_ holds: Bool, _ fact: @autoclosure () -> String) {
    if !holds { failed(fact()) }
}

/// Ends the process, and says why.
func failed(_ fact: String) -> Never {
    say("claim: \(fact)")
    abort()
}

/// Writes a line to the standard error.
func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(2, line, line.count)
}
