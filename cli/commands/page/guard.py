"""Who may talk to the page's server: this machine's own browser, on behalf of the page itself."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable, Callable], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
OWN = ("same-origin", "none")  # of Sec-Fetch-Site: the page itself, or the address bar


class Guard:
    """Refuses what does not come from the page, before anything looks at it.

    Another site's name that leads to 127.0.0.1 (DNS rebinding) is known by the Host, and another site's page by the
    Origin and by Sec-Fetch-Site, which pages cannot change. A link to the page may stand anywhere.
    """

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        """An ASGI call."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        trouble = self._trouble(scope)
        if trouble:
            body = f"{trouble}\n".encode()
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": body})
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                known = {key for key, _ in message["headers"]}
                more = [(key.encode(), value.encode()) for key, value in HEADERS.items() if key.encode() not in known]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, guarded)

    def _trouble(self, scope: Scope) -> str:
        found: dict[str, list[str]] = {}
        for key, value in scope["headers"]:
            found.setdefault(key.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        if len(found.get("host", [])) != 1 or found["host"][0].lower() not in self.hosts:
            return "this page answers to 127.0.0.1 and localhost alone"
        origin, site = found.get("origin", [""])[0], found.get("sec-fetch-site", ["none"])[0]
        if origin and origin not in self.origins:
            return "another site's page has no business here"
        linked = scope["method"] == "GET" and scope["path"] == "/"
        if site not in OWN and not linked:
            return "another site's page has no business here"
        return ""
