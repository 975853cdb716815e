import Testing

@testable import HTTPListener

@Suite("The Date field")
struct HTTPDateTests {
    @Test("a second is written as RFC 9110 has it")
    func format() {
        #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
