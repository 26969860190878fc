/**
 * An open connection that brings frames by itself, over a WebSocket or server-sent events. Frames
 * wait here, in order, until they are taken; the last thing to take is the reason of the end.
 */

import { Offline, SyncError } from "../errors.js";
import { log } from "../log.js";
import { closeError, parseFrame } from "./frames.js";

/** @import { Fields } from "../store/encoding.js" */
/** @import { Waker } from "../waker.js" */
/** @import { HttpClient } from "./http.js" */

/** Seconds for which a socket may take to open. */
const OPEN = 10;

/** Characters of one event at most; no server sends more. */
const LONGEST = 64 * 2 ** 20;

/** @typedef {typeof WebSocket} SocketClass */

/** What the two kinds share. */
class Connection {
  /** @type {Fields[]} */
  #frames = [];
  /** @type {SyncError | null} */
  #end = null;

  /** @param {Waker} waker */
  constructor(waker) {
    this.waker = waker;
    /** When anything came last, by the waker's clock. */
    this.lastReceivedAt = waker.now();
  }

  /** The next frame, or `null`; throws the reason of the end once all are taken. */
  next() {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    if (this.#end !== null) throw this.#end;
    return null;
  }

  received() {
    this.lastReceivedAt = this.waker.now();
  }

  /** @param {Fields} frame */
  add(frame) {
    if (this.#end !== null) return;
    this.#frames.push(frame);
    this.waker.wake();
  }

  /** Nothing more comes. The first reason counts. @param {unknown} error */
  ended(error) {
    this.#end ??= error instanceof SyncError ? error : new SyncError(String(error), { cause: error });
    this.waker.wake();
  }
}

/** The connection over a WebSocket. */
export class SocketConnection extends Connection {
  /** @type {"websocket"} */
  transport = "websocket";
  #socket;

  /** @param {WebSocket} socket @param {Waker} waker */
  constructor(socket, waker) {
    super(waker);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.ended(closeError(code, reason));
  }

  /**
   * Open a socket; throws `Offline` where the server, or a proxy, does not. The browser does not
   * report more.
   * @param {string} url
   * @param {Waker} waker
   * @param {SocketClass} Socket
   * @param {AbortSignal} cutting aborts when the socket is no longer wanted
   * @returns {Promise<SocketConnection>}
   */
  static open(url, waker, Socket, cutting) {
    const socket = new Socket(url);
    return new Promise((resolve, reject) => {
      const refuse = (/** @type {string} */ detail) => {
        clearTimeout(timer);
        cutting.removeEventListener("abort", giveUp);
        reject(new Offline(detail));
      };
      const giveUp = () => {
        socket.close();
        refuse("The socket did not open in time.");
      };
      const timer = setTimeout(giveUp, OPEN * 1000);
      cutting.addEventListener("abort", giveUp);
      socket.onerror = () => refuse("The socket could not be opened.");
      socket.onclose = () => refuse("The socket was closed before it was open.");
      socket.onopen = () => {
        clearTimeout(timer);
        cutting.removeEventListener("abort", giveUp);
        socket.onerror = () => log.info("A socket failed; the reason comes with its close.");
        resolve(new SocketConnection(socket, waker));
      };
    });
  }

  /** Send a frame; where the connection is broken, it ends. @param {string} text */
  send(text) {
    if (this.#socket.readyState === 1) this.#socket.send(text);
    else this.ended(new Offline("The socket is closed."));
  }

  close() {
    this.ended(new Offline("The connection was closed here."));
    this.#socket.close(1000);
  }

  /** @param {unknown} data */
  #receive(data) {
    this.received();
    try {
      if (typeof data !== "string") throw new Offline("A frame is not text.");
      this.add(parseFrame(data));
    } catch (error) {
      this.ended(error);
      this.#socket.close(1000);
    }
  }
}

/** The connection over server-sent events (WHATWG HTML, section 9.2). Nothing can be sent on it. */
export class StreamConnection extends Connection {
  /** @type {"sse"} */
  transport = "sse";
  #abort;

  /** @param {Response} response @param {() => void} abort @param {Waker} waker */
  constructor(response, abort, waker) {
    super(waker);
    this.#abort = abort;
    void this.#read(/** @type {ReadableStream<Uint8Array>} */ (response.body));
  }

  /**
   * @param {HttpClient} network
   * @param {Record<string, string>} asked
   * @param {Waker} waker
   */
  static async open(network, asked, waker) {
    const { response, abort } = await network.stream("live/stream/", asked);
    return new StreamConnection(response, abort, waker);
  }

  /** @param {string} _text */
  send(_text) {
    throw new TypeError("Nothing can be sent over a stream.");
  }

  close() {
    this.ended(new Offline("The connection was closed here."));
    this.#abort();
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #read(body) {
    const events = new EventParser();
    const decoder = new TextDecoder();
    try {
      const reader = body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        this.received();
        for (const { event, data } of events.feed(decoder.decode(part.value, { stream: true }))) {
          this.add(frameOf(event, parseFrame(data)));
        }
      }
      this.ended(new Offline("The server ended the connection."));
    } catch (error) {
      const ours = error instanceof SyncError;
      this.ended(ours ? error : new Offline("The connection broke.", { cause: error }));
      this.#abort();
    }
  }
}

/** The frame, whose kind is the event's name; an error may be the bare problem. @param {string} event @param {Fields} body @returns {Fields} */
function frameOf(event, body) {
  if (event === "error" && body.problem === undefined) return { type: "error", problem: body };
  return event === "message" ? body : { ...body, type: event };
}

/** Events out of text as it comes. Pure. */
export class EventParser {
  #rest = "";
  #event = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text
   * @returns {{event: string, data: string}[]}
   */
  feed(text) {
    this.#rest += text;
    if (this.#rest.length > LONGEST) throw new Offline("An event is too long.");
    const found = [];
    // A CR at the end may be the first half of a CRLF.
    const rows = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = rows.pop() ?? "";
    for (const row of rows) {
      if (row !== "") this.#member(row);
      else if (this.#data.length > 0) {
        found.push({ event: this.#event || "message", data: this.#data.join("\n") });
        this.#data = [];
        this.#event = "";
      } else this.#event = "";
    }
    return found;
  }

  /** @param {string} row */
  #member(row) {
    const colon = row.indexOf(":");
    const name = colon < 0 ? row : row.slice(0, colon);
    const value = colon < 0 ? "" : row.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
  }
}
