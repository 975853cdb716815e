import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The present as the `Date` field has it (IMF-fixdate), formatted once a second.
final class HTTPDate: Sendable {
    private struct Formatted {
        var second: time_t = -1
        var text = ""
    }

    private let formatted = NIOLockedValueBox(Formatted())

    /// The present second on the wall clock.
    var now: String {
        let second = time(nil)
        return formatted.withLockedValue { formatted in
            if formatted.second != second {
                formatted = Formatted(second: second, text: Self.format(second))
            }
            return formatted.text
        }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, whatever the locale.
    static func format(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][Int(parts.tm_mon)]
        let date = "\(twoDigits(parts.tm_mday)) \(month) \(parts.tm_year + 1900)"
        let time = "\(twoDigits(parts.tm_hour)):\(twoDigits(parts.tm_min)):\(twoDigits(parts.tm_sec))"
        return "\(day), \(date) \(time) GMT"
    }

    private static func twoDigits(_ number: CInt) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
