import Dispatch
import Supervision
import Synchronization

/// Begins something that waits, in a task of its own, and returns when it waits or has ended.
///
/// Of two calls begun one after the other the first has therefore reached the supervisor first.
func begun<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) -> Task<Value, any Error> {
    Task(executorPreference: FirstStepExecutor(), operation: body)
}

/// Runs the first step of a task at once, on the thread that makes the task, and the others anywhere.
private final class FirstStepExecutor: TaskExecutor {
    private let hasBegun = Atomic(false)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if hasBegun.exchange(true, ordering: .relaxed) {
            DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        } else {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

extension Task where Failure == any Error {
    /// What became of it, in a word: the code of its error, or what it returned.
    var outcome: String {
        get async {
            do {
                return "\(try await value)"
            } catch let error as SupervisorError {
                return "\(error.code)"
            } catch is CancellationError {
                return "cancelled"
            } catch {
                return "\(error)"
            }
        }
    }
}

/// The code of the error that `body` throws, where it throws one of a supervisor's.
func code(_ body: () async throws -> some Any) async -> SupervisorError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? SupervisorError)?.code
    }
}
