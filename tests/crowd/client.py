"""A browser tab without the browser: Streamlit's protocol, spoken to the running app.

What Chrome does, in the order it does it: the page, the health check (which sets the XSRF cookie),
the host's settings, then a WebSocket whose subprotocols carry the XSRF token and, on a reconnect,
the session id. Replies are kept as bytes and taken apart only when somebody looks: reading them
must not be what a load test measures. Only this is noticed on arrival, and only in small
frames: how a script run begins and ends, what is to be polled, where an upload may go.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

_SMALL = 16_384
"""Frames up to this size are looked into on arrival."""
_CACHED_RUNS = 2  # global.maxCachedMessageAge: so many runs a browser keeps an unused message
_DONE = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
_FRAGMENT = ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
_BROKEN = ForwardMsg.ScriptFinishedStatus.FINISHED_WITH_COMPILE_ERROR
_WIDGETS = ("button", "download_button", "selectbox", "button_group", "number_input", "checkbox",
            "radio", "multiselect", "slider", "text_input", "dataframe", "plotly_chart",
            "bidi_component", "file_uploader")
_names = count(1)


class TabError(AssertionError):
    """The app did not do what a person would have waited for."""


@dataclass(frozen=True)
class Answer:
    """What one request cost: seconds from send to script_finished, and bytes received for it."""

    what: str
    seconds: float
    bytes: int


@dataclass
class _Node:
    """An element on the page and the run that put it there."""

    element: Any
    kind: str
    run: str
    fragment: str


@dataclass
class _Kept:
    """A large message the browser keeps, so that the server can refer to it."""

    message: ForwardMsg
    used: int


@dataclass
class Tab:
    """One browser tab on `url` (http://host:port). Make it, `await open()`, and `await close()`.

    `seen` is called with every byte string that reaches the tab, frames and HTTP bodies alike.
    """

    url: str
    seen: Callable[[bytes], None] | None = None
    name: str = field(default_factory=lambda: f"tab{next(_names)}")
    patience: float = 60.0
    answers: list[Answer] = field(default_factory=list)
    received: int = 0
    frames: int = 0
    session: str = ""
    query: str = ""
    page: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    """Script runs seen to their end (fragments not counted)."""
    closed: str = ""
    """Why the connection is gone, as long as nobody asked for it."""

    def __post_init__(self) -> None:
        host = urlsplit(self.url)
        self._host, self._port = host.hostname or "", host.port or 80
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._cookie = ""
        self._inbox: list[bytes] = []
        self._nodes: dict[tuple[int, ...], _Node] = {}
        self._widgets: dict[str, WidgetState] = {}
        self._cache: dict[str, _Kept] = {}
        self._finished = asyncio.Event()
        self._running = self._begun = False
        self._run = ""  # only the frames around a run name it; what lies between belongs to it
        self._ended = 0.0
        self._urls: asyncio.Queue[Any] = asyncio.Queue()
        self._turns = 0
        self._pathname = ""

    # Opening and closing

    async def open(self, page: str = "", query: str = "") -> Answer:
        """Open `/<page>?<query>` like somebody following a link; returns the first rendering."""
        started, before = time.perf_counter(), self.received
        await asyncio.to_thread(self._fetch_page, page, query)
        await self.connect()
        self.page, self.query, self._pathname = "", query, page
        await self._ask("first render", started=started, before=before)
        return self.answers[-1]

    async def connect(self) -> None:
        """The WebSocket alone, in the session this tab had before, if it had one."""
        headers = {"Cookie": f"_streamlit_xsrf={self._cookie}"} if self._cookie else {}
        protocols = ["streamlit", self._cookie or "PLACEHOLDER_AUTH_TOKEN"]
        if self.session:
            protocols.append(self.session)
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(address, subprotocols=protocols, max_size=None,
                                     origin=self.url, additional_headers=headers,
                                     open_timeout=self.patience, ping_interval=None,
                                     user_agent_header="Mozilla/5.0 (crowd)")
        self.closed = ""
        self._reader = asyncio.create_task(self._read(self._socket), name=f"{self.name} reads")

    async def reconnect(self) -> Answer:
        """Come back after `drop`, as a browser does: same session id, all widget states."""
        await self.connect()
        return await self._ask("reconnect")

    async def drop(self) -> None:
        """The connection is cut, without a word to the server."""
        socket, self._socket = self._socket, None
        self._stop_timers()
        if socket is not None:
            socket.transport.abort()
        await self._end_reader()

    async def close(self) -> None:
        """Close the tab."""
        socket, self._socket = self._socket, None
        self._stop_timers()
        if socket is not None:
            with suppress(Exception):
                await asyncio.wait_for(socket.close(), 5)
        await self._end_reader()

    # What a person does

    async def go(self, page: str) -> Answer:
        """Click a page in the sidebar; `page` as in its address ('' is the first one)."""
        self.look()
        if page not in self.pages:
            raise TabError(f"{self.name}: no page {page!r} among {sorted(self.pages)}")
        self.page, self._pathname = self.pages[page], page
        self.query = ""  # the sidebar's links carry none
        return await self._ask(f"go to {page or 'start'}")

    async def click(self, label: str = "", key: str = "") -> Answer:
        """Press a button, by its label or its key."""
        button = self.find("button", label, key)
        if button.disabled:
            raise TabError(f"{self.name}: the button {button.label!r} cannot be pressed now")
        return await self._ask(f"press {button.label}", WidgetState(id=button.id,
                                                                   trigger_value=True))

    async def press_often(self, times: int, pause: float, label: str = "", key: str = "") -> Answer:
        """Press a button `times` times without waiting for the answers."""
        button = self.find("button", label, key)
        for _ in range(times - 1):
            await self._send(WidgetState(id=button.id, trigger_value=True))
            await asyncio.sleep(pause)
        return await self._ask(f"press {button.label}", WidgetState(id=button.id,
                                                                   trigger_value=True))

    async def choose(self, option: str, label: str = "", key: str = "") -> Answer:
        """Choose in a selectbox, radio or row of buttons; `option` may be the start of its text."""
        box = self.find(("selectbox", "radio", "button_group"), label, key)
        texts = [getattr(given, "content", given) for given in box.options]
        found = [text for text in texts if text.startswith(option)]
        if not found:
            raise TabError(f"{self.name}: no option {option!r} among {texts[:9]}")
        state = WidgetState(id=box.id)
        if type(box).__name__ == "ButtonGroup":
            state.string_array_value.data.append(found[0])
        else:
            state.string_value = found[0]
        return await self._change(f"choose in {box.label}", state)

    async def type_number(self, value: float, label: str = "", key: str = "") -> Answer:
        """Type a number into its field."""
        box = self.find("number_input", label, key)
        return await self._change(f"type {box.label}", WidgetState(id=box.id, double_value=value))

    async def edit_table(self, edits: Mapping[int, Mapping[str, Any]], key: str = "") -> Answer:
        """Change cells of an editable table: row -> column -> value."""
        table = self.find("dataframe", key=key, where=lambda found: found.editing_mode)
        told = {"edited_rows": {str(row): dict(cells) for row, cells in edits.items()},
                "added_rows": [], "deleted_rows": []}
        return await self._change("edit the table",
                                  WidgetState(id=table.id, string_value=json.dumps(told)))

    async def lasso(self, key: str, places: list[int]) -> Answer:
        """Draw around points of a map, or over bars: their places among the rows."""
        view = self.find("bidi_component", key=key)
        told = self.told(key)
        bits = bytearray(-(-told["n"] // 8))
        for place in places:
            bits[place // 8] |= 128 >> place % 8
        self._turns += 1
        chosen = {"bits": base64.b64encode(bits).decode(), "count": len(places), "n": told["n"],
                  "rows": told["rows"], "origin": self.name, "turn": self._turns}
        state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{view.id}__events",
                            json_trigger_value=json.dumps([{"event": "chosen", "value": chosen}]))
        return await self._ask(f"lasso on {key}", state)

    def told(self, key: str) -> dict[str, Any]:
        """What a view of ours was given."""
        view = self.find("bidi_component", key=key)
        found: dict[str, Any] = json.loads(view.json or view.mixed.json)
        return found

    async def upload(self, name: str, content: bytes, *, cut: int | None = None) -> Answer:
        """Give a file to the page's uploader, by the server's own way: address, PUT, widget state.

        `cut`: break the connection after so many bytes of the body.
        """
        box = self.find("file_uploader")
        message = BackMsg()
        message.file_urls_request.request_id = f"{self.name}-{next(_names)}"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        await self._write(message)
        (urls,) = (await asyncio.wait_for(self._urls.get(), self.patience)).file_urls
        await asyncio.to_thread(self._put, urls.upload_url, name, content, cut)
        state = WidgetState(id=box.id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(content), urls.file_id
        info.file_urls.CopyFrom(urls)
        return await self._change("upload", state)

    async def rerun(self) -> Answer:
        """Press R."""
        return await self._ask("rerun")

    async def wait_for(self, wanted: Callable[[Tab], Any], what: str, seconds: float = 0) -> Any:
        """Wait until the page has settled and `wanted(tab)` is true (it may change by itself)."""
        limit = time.monotonic() + (seconds or self.patience)
        while not (found := wanted(self)) or self._running:
            if self.closed:
                raise TabError(f"{self.name}: the connection is gone: {self.closed}")
            if time.monotonic() > limit:
                raise TabError(f"{self.name}: waited in vain for {what}; the page says: "
                               f"{' | '.join(self.texts())[:1500]}")
            await asyncio.sleep(0.05)
        return found

    # Looking

    def look(self) -> None:
        """Take in what has arrived."""
        pending, self._inbox = self._inbox, []
        for data in pending:
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "ref_hash":
                kept = self._cache.get(message.ref_hash)
                if kept is None:
                    raise TabError(f"{self.name}: the server refers to a message never sent")
                kept.used = self.runs
                whole = ForwardMsg()
                whole.CopyFrom(kept.message)
                whole.metadata.CopyFrom(message.metadata)
                message = whole
            elif message.metadata.cacheable and message.hash:
                self._cache[message.hash] = _Kept(message, self.runs)
            self._take(message)

    def elements(self, kind: str) -> list[Any]:
        """The elements of that kind on the page, in its order."""
        self.look()
        return [node.element for _, node in sorted(self._nodes.items()) if node.kind == kind]

    def find(self, kinds: str | tuple[str, ...], label: str = "", key: str = "",
             where: Callable[[Any], Any] = lambda found: True) -> Any:
        """The one widget of that kind with a label (its start) or a key."""
        found = self.all(kinds, label, key, where)
        if len(found) != 1:
            raise TabError(f"{self.name}: {len(found)} of {kinds} {label or key!r}; "
                           f"the page says: {' | '.join(self.texts())[:1500]}")
        return found[0]

    def all(self, kinds: str | tuple[str, ...], label: str = "", key: str = "",
            where: Callable[[Any], Any] = lambda found: True) -> list[Any]:
        """The widgets of that kind with a label (its start) or a key; none is no error."""
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        return [element for kind in kinds for element in self.elements(kind)
                if getattr(element, "label", "").startswith(label)
                and (not key or element.id.endswith(f"-{key}")) and where(element)]

    def texts(self) -> list[str]:
        """What stands on the page in words: markdown, headings, alerts, labels."""
        self.look()
        found = []
        for _, node in sorted(self._nodes.items()):
            element = node.element
            for part in ("body", "label", "text", "message"):
                text = getattr(element, part, "")
                if isinstance(text, str) and text and node.kind != "html":
                    found.append(text)
        return found

    def says(self, words: str) -> bool:
        """Whether these words stand on the page."""
        return any(words in text for text in self.texts())

    def problems(self) -> list[str]:
        """Exceptions and red cards on the page."""
        found = [f"{element.type}: {element.message}" for element in self.elements("exception")]
        return found + [element.body for element in self.elements("alert") if element.format == 1]

    @property
    def workspace(self) -> str:
        """The workspace in the address."""
        self.look()
        return parse_qs(self.query).get("w", [""])[0]

    def fetch(self, path: str) -> bytes:
        """GET a path of the server (a picture, a download)."""
        status, _, body = self._get(path)
        if status != 200:
            raise TabError(f"{self.name}: GET {path} gave {status}")
        return body

    # Below: frames

    async def _change(self, what: str, state: WidgetState) -> Answer:
        self._widgets[state.id] = state
        return await self._ask(what)

    async def _ask(self, what: str, trigger: WidgetState | None = None, *,
                   started: float | None = None, before: int | None = None) -> Answer:
        """Send, and wait until the script has run to its end."""
        before = self.received if before is None else before
        self._finished.clear()
        self._begun = False
        began = await self._send(trigger)
        try:
            await asyncio.wait_for(self._finished.wait(), self.patience)
        except TimeoutError:
            raise TabError(f"{self.name}: {what}: no answer in {self.patience:g} s") from None
        if self.closed:
            raise TabError(f"{self.name}: {what}: the connection is gone: {self.closed}")
        answer = Answer(what, self._ended - (started or began), self.received - before)
        self.answers.append(answer)
        return answer

    async def _send(self, trigger: WidgetState | None = None, fragment: str = "") -> float:
        self.look()
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self.page
        if not self.page:
            state.page_name = self._pathname
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        state.widget_states.widgets.extend(self._widgets.values())
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        state.cached_message_hashes.extend(self._cache)
        state.context_info.timezone, state.context_info.locale = "Europe/Berlin", "en-GB"
        state.context_info.url = f"{self.url}/{self._pathname}?{self.query}"
        began = time.perf_counter()
        await self._write(message)
        return began

    async def _write(self, message: BackMsg) -> None:
        if self._socket is None:
            raise TabError(f"{self.name}: not connected {self.closed}")
        try:
            await self._socket.send(message.SerializeToString())
        except websockets.ConnectionClosed as error:
            raise TabError(f"{self.name}: the connection is gone: {error}") from None

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                assert isinstance(data, bytes)
                self.received += len(data)
                self.frames += 1
                if self.seen is not None:
                    self.seen(data)
                self._inbox.append(data)
                if len(data) <= _SMALL:
                    self._notice(ForwardMsg.FromString(data))
        except websockets.ConnectionClosed as error:
            self.closed = str(error)
        else:
            self.closed = f"closed with {socket.close_code}"
        if socket is self._socket:
            self._finished.set()  # nobody waits for ever
        else:
            self.closed = ""

    def _notice(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id or self.session
            if not message.metadata.run.fragment_ids:
                self._running = self._begun = True
                self._stop_timers()
        elif kind == "script_finished":
            if message.script_finished == _DONE:
                self.runs += 1
                self._running = False
                self._ended = time.perf_counter()
                if self._begun:  # not the end of a run that was under way before
                    self._finished.set()
            elif message.script_finished == _BROKEN:
                self.closed = "the script does not compile"
                self._finished.set()
        elif kind == "file_urls_response":
            self._urls.put_nowait(message.file_urls_response)
        elif kind == "auto_rerun":
            self._poll(message.auto_rerun.fragment_id, message.auto_rerun.interval)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._run = message.metadata.run.script_run_id
            self.page = message.new_session.page_script_hash
        elif kind == "navigation":
            self.pages = {"" if page.is_default else page.url_pathname: page.page_script_hash
                          for page in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash or self.page
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            self._place(message)
        elif kind == "script_finished" and message.script_finished in (_DONE, _FRAGMENT):
            self._clear_stale(message)

    def _place(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        delta = message.delta
        if delta.WhichOneof("type") == "add_block":
            return  # its elements come with paths of their own
        if delta.WhichOneof("type") == "new_transient":
            return  # a spinner
        element = delta.new_element
        kind = element.WhichOneof("type") or "empty"
        content = getattr(element, kind)
        self._nodes[path] = _Node(content, kind, self._run, delta.fragment_id)
        if getattr(content, "set_value", False):
            self._widgets.pop(content.id, None)  # the server's value stands

    def _clear_stale(self, message: ForwardMsg) -> None:
        """What this run did not draw again is gone, with its widgets' values."""
        run = message.metadata.run
        fragments = set(run.fragment_ids)
        self._nodes = {path: node for path, node in self._nodes.items()
                       if node.run == run.script_run_id
                       or (fragments and node.fragment not in fragments)}
        shown = {node.element.id for node in self._nodes.values() if node.kind in _WIDGETS}
        self._widgets = {name: state for name, state in self._widgets.items() if name in shown}
        self._cache = {name: kept for name, kept in self._cache.items()
                       if self.runs - kept.used <= _CACHED_RUNS}

    def _poll(self, fragment: str, seconds: float) -> None:
        """Run a fragment again and again, as the page asks."""
        async def ask() -> None:
            while True:
                await asyncio.sleep(seconds)
                if not self._running:
                    with suppress(TabError):
                        await self._send(fragment=fragment)
        if fragment not in self._timers:
            self._timers[fragment] = asyncio.create_task(ask(), name=f"{self.name} polls")

    def _stop_timers(self) -> None:
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()

    async def _end_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    # HTTP, in a thread: the standard library's client is enough

    def _fetch_page(self, page: str, query: str) -> None:
        for path in (f"/{quote(page)}?{query}" if query else f"/{quote(page)}",
                     "/_stcore/health", "/_stcore/host-config"):
            status, headers, _ = self._get(path)
            if status != 200:
                raise TabError(f"{self.name}: GET {path} gave {status}")
            for value in headers.get_all("set-cookie") or ():
                name, _, rest = value.partition("=")
                if name == "_streamlit_xsrf":
                    self._cookie = rest.partition(";")[0]

    def _get(self, path: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self.patience)
        try:
            connection.request("GET", path, headers=self._cookies())
            answer = connection.getresponse()
            body = answer.read()
            self.received += len(body)
            if self.seen is not None:
                self.seen(body)
            return answer.status, answer.headers, body
        finally:
            connection.close()

    def _put(self, path: str, name: str, content: bytes, cut: int | None) -> None:
        mark = "----crowd"
        head = (f"--{mark}\r\nContent-Disposition: form-data; name=\"file\"; "
                f"filename=\"{quote(name)}\"\r\nContent-Type: application/octet-stream\r\n\r\n")
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        headers = {**self._cookies(), "Content-Type": f"multipart/form-data; boundary={mark}",
                   "X-Xsrftoken": self._cookie, "Content-Length": str(len(body))}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self.patience)
        try:
            connection.putrequest("PUT", urlsplit(path).path)
            for header, value in headers.items():
                connection.putheader(header, value)
            connection.endheaders()
            connection.send(body if cut is None else body[:cut])
            if cut is not None:
                raise TabError(f"{self.name}: the upload was cut, as asked")
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 204):
                raise TabError(f"{self.name}: PUT gave {answer.status}")
        finally:
            connection.close()

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": f"_streamlit_xsrf={self._cookie}"} if self._cookie else {}


def link(workspace: str) -> str:
    """The query part of a workspace's address."""
    return urlencode({"w": workspace})
