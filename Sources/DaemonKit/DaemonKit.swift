@_exported public import Supervision
@_exported public import Systemd
