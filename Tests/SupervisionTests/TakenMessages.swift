@testable import Supervision

/// Everything that is in an inbox, taken out of it.
func taken(from inbox: Inbox) -> [Inbox.Message] {
    var queue = Queue<Inbox.Message>()
    inbox.takeAll(&queue)
    var messages: [Inbox.Message] = []
    while let message = queue.pop() { messages.append(message) }
    return messages
}
