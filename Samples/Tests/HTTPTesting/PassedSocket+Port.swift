import DaemonKit
import Glibc
public import SupervisionTesting

extension PassedSocket {
    /// Its port; 0 where it has none.
    public var port: Int { address.port ?? 0 }

    /// Ends its listening, for all who hold it: who accepts there fails.
    ///
    /// - Throws: What kept it from being reached.
    public func shutDown() throws {
        let descriptor = try handOver().number
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
    }
}
