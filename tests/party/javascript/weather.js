/**
 * A bad network in a guest's own process: what stands between the client and `fetch` and
 * `WebSocket`. It is the twin of `django_sync/testing/faults.py`: one seed, one weather.
 */

/** What becomes of a request, and how often: three in five arrive, and are answered. */
const FATES = {
  delivered: 14,
  slow: 4,
  lost: 1,
  unanswered: 1,
  cut: 1,
  truncated: 1,
  twice: 1,
  late: 1,
  portal: 1,
  broken: 1,
};

/** Frames, or parts of a stream, after which one breaks, at most; the first says: never. */
const LENGTHS = [0, 1, 3, 10];

/** Milliseconds for which a slow request is held, at most. */
const SLOW = 30;

export class Weather {
  calm = false;
  /** Whether there is no network at all. */
  gone = false;
  #late = [];
  #lines = new Set();

  /** @param {string} seed */
  constructor(seed) {
    this.random = dice(seed);
  }

  /** From now on nothing goes wrong; what was late arrives first. */
  async heal() {
    this.gone = false;
    while (await this.deliverLate());
    this.calm = true;
  }

  /** No network, until `comes()`: what is open breaks. */
  goes() {
    this.gone = true;
    for (const cut of [...this.#lines]) cut();
  }

  comes() {
    this.gone = false;
  }

  /** A request that was held arrives behind later ones; nobody reads the answer. */
  async deliverLate() {
    const send = this.#late.shift();
    if (send === undefined) return false;
    await send().catch(() => undefined); // the server may be down: then it is lost
    return true;
  }

  /** @type {typeof globalThis.fetch} */
  fetch = async (url, asked = {}) => {
    if (this.gone) throw new TypeError("fetch failed: there is no network");
    const send = () => globalThis.fetch(url, asked);
    if (this.calm) return send();
    const fate = drawn(FATES, this.random);
    const isStream = asked.headers?.Accept === "text/event-stream";
    switch (fate) {
      case "lost":
        throw new TypeError("fetch failed: no route");
      case "late":
        this.#late.push(() => globalThis.fetch(url, { ...asked, signal: undefined }));
        throw new TypeError("fetch failed: too late");
      case "portal":
        return new Response("<h1>Welcome to our Wi-Fi</h1>", { headers: { "Content-Type": "text/html" } });
      case "slow":
        await new Promise((resolve) => setTimeout(resolve, this.random() * SLOW));
    }
    if (isStream) return this.#breaking(await send());
    if (fate === "twice") await (await send()).text();
    const response = await send();
    if (!["unanswered", "cut", "truncated", "broken"].includes(fate)) return response;
    const text = await response.text();
    if (fate === "broken") return new Response("<h1>Bad gateway</h1>", { status: 502 });
    if (fate !== "truncated") throw new TypeError("fetch failed: the connection broke");
    const { status, headers } = response;
    return new Response(text.slice(0, this.random() * text.length), { status, headers });
  };

  /** The browser's, or Node's, that breaks some time. */
  get WebSocket() {
    const weather = this;
    return class extends Socket {
      constructor(url) {
        super(url, weather);
      }
    };
  }

  /** How many parts pass, or `Infinity`. */
  passes() {
    const most = LENGTHS[Math.floor(this.random() * LENGTHS.length)];
    return this.calm || most === 0 ? Infinity : Math.floor(this.random() * most);
  }

  /** Remember what ends a line, for when the network goes. @param {() => void} cut */
  holds(cut) {
    this.#lines.add(cut);
    return () => this.#lines.delete(cut);
  }

  /** The stream with a body that breaks. @param {Response} response */
  #breaking(response) {
    if (response.body === null) return response;
    const reader = response.body.getReader();
    let left = this.passes();
    let forget = () => {};
    const body = new ReadableStream({
      start: (controller) => {
        forget = this.holds(() => {
          forget();
          controller.error(new TypeError("the connection broke"));
          void reader.cancel().catch(() => undefined); // it may be broken already
        });
      },
      pull: async (controller) => {
        const part = await reader.read();
        if (part.done) {
          forget();
          return controller.close();
        }
        if (left-- > 0 || this.calm) return controller.enqueue(part.value);
        forget();
        controller.enqueue(part.value.slice(0, part.value.length / 2));
        controller.error(new TypeError("the connection broke"));
        await reader.cancel();
      },
      cancel: (reason) => {
        forget();
        return reader.cancel(reason);
      },
    });
    return new Response(body, { status: response.status, headers: response.headers });
  }
}

/** A socket that breaks: what comes or goes after that is lost, and a close without a word is told. */
class Socket {
  #socket;
  #weather;
  #left;
  #forget;
  #broken = false;

  constructor(url, weather) {
    this.#weather = weather;
    this.#left = { in: weather.passes(), out: weather.passes() };
    this.#socket = new globalThis.WebSocket(url);
    this.#forget = weather.holds(() => this.#break());
    this.#socket.onopen = (event) => (weather.gone ? this.#break() : this.onopen?.(event));
    this.#socket.onerror = (event) => this.onerror?.(event);
    this.#socket.onmessage = (event) => this.#passes("in") && this.onmessage?.(event);
    this.#socket.onclose = (event) => {
      this.#forget();
      if (!this.#broken) this.onclose?.(event);
    };
  }

  get readyState() {
    return this.#broken ? 3 : this.#socket.readyState;
  }

  send(text) {
    if (this.#passes("out")) this.#socket.send(text);
  }

  close(code) {
    this.#socket.close(code);
  }

  #passes(way) {
    if (this.#broken) return false;
    if (this.#left[way]-- > 0 || this.#weather.calm) return true;
    this.#break();
    return false;
  }

  #break() {
    if (this.#broken) return;
    this.#broken = true;
    this.#forget();
    this.#socket.close();
    this.onclose?.({ code: 1006, reason: "" });
  }
}

/** Numbers from 0 up to 1 that a seed decides (mulberry32, of FNV-1a of the text). @param {string} seed */
function dice(seed) {
  let state = 2166136261;
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {Record<string, number>} weights @param {() => number} random */
function drawn(weights, random) {
  const all = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  let left = random() * all;
  return Object.keys(weights).find((name) => (left -= weights[name]) < 0) ?? "delivered";
}
