"""HTTP/1.1 on uvicorn's parser in C, with the bounds that it lacks."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
NO_UPGRADE = "Only HTTP/1.1 is spoken here; send the request without Upgrade."


class Bounded(HttpToolsProtocol):
    """Refuses a head that does not end, and a request that wants to go on in another protocol.

    The parser keeps what is not whole yet: without a bound, a head that never ends takes all the memory.
    After an `Upgrade` it takes no body: what follows would be lost, or be taken for a request of its own.
    """

    _unread = 0
    _why = ""

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(self._why or msg)

    def on_headers_complete(self) -> None:
        self._unread = 0
        if self.parser.should_upgrade():
            self._why = NO_UPGRADE
            raise ValueError(NO_UPGRADE)  # which the parser turns into its own error, and uvicorn into 400
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()
