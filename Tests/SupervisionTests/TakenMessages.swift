@testable import Supervision

/// Everything that is in an inbox, taken out of it.
func taken(from inbox: Inbox) -> [Inbox.Message] {
    var messages: [Inbox.Message] = []
    inbox.takeAll(&messages)
    return messages
}
