/**
 * A line: an open connection that brings frames by itself, over a WebSocket or server-sent events.
 * Frames wait here, in order, for whoever uses it; then comes why it ended.
 */

import { Offline, SyncError } from "../errors.js";
import { log } from "../log.js";
import { ending, parseFrame } from "./frames.js";

/** @import { Fields } from "../store/encoding.js" */
/** @import { Alarm } from "../waker.js" */
/** @import { Network } from "./http.js" */

/** Seconds for which a socket may take to open. */
const OPEN = 10;

/** Characters of one event: more is nothing that a server sends. */
const LONGEST = 64 * 2 ** 20;

/** @typedef {typeof WebSocket} SocketClass */

/** What the two kinds share. */
class Line {
  /** @type {Fields[]} */
  #frames = [];
  /** @type {SyncError | null} */
  #end = null;

  /** @param {Alarm} alarm */
  constructor(alarm) {
    this.alarm = alarm;
    /** When anything came last, by the alarm's clock. */
    this.heardAt = alarm.now();
  }

  /** The next frame, or `null`; throws the reason of the end once all are taken. */
  next() {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    if (this.#end !== null) throw this.#end;
    return null;
  }

  heard() {
    this.heardAt = this.alarm.now();
  }

  /** @param {Fields} frame */
  arrived(frame) {
    if (this.#end !== null) return;
    this.#frames.push(frame);
    this.alarm.ring();
  }

  /** Nothing more comes. The first reason counts. @param {unknown} error */
  ended(error) {
    this.#end ??= error instanceof SyncError ? error : new SyncError(String(error), { cause: error });
    this.alarm.ring();
  }
}

/** The line over a WebSocket. */
export class SocketLine extends Line {
  /** @type {"websocket"} */
  transport = "websocket";
  #socket;

  /** @param {WebSocket} socket @param {Alarm} alarm */
  constructor(socket, alarm) {
    super(alarm);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#heed(data);
    socket.onclose = ({ code, reason }) => this.ended(ending(code, reason));
  }

  /**
   * Open a socket; throws `Offline` where the server, or a proxy, does not. The browser does not
   * tell us more.
   * @param {string} url
   * @param {Alarm} alarm
   * @param {SocketClass} Socket
   * @param {AbortSignal} cutting where it aborts, nobody waits for the socket any more
   * @returns {Promise<SocketLine>}
   */
  static open(url, alarm, Socket, cutting) {
    const socket = new Socket(url);
    return new Promise((resolve, reject) => {
      const refuse = (/** @type {string} */ detail) => {
        clearTimeout(late);
        cutting.removeEventListener("abort", giveUp);
        reject(new Offline(detail));
      };
      const giveUp = () => {
        socket.close();
        refuse("The socket did not open in time.");
      };
      const late = setTimeout(giveUp, OPEN * 1000);
      cutting.addEventListener("abort", giveUp);
      socket.onerror = () => refuse("The socket could not be opened.");
      socket.onclose = () => refuse("The socket was closed before it was open.");
      socket.onopen = () => {
        clearTimeout(late);
        cutting.removeEventListener("abort", giveUp);
        socket.onerror = () => log.info("A socket failed; its close says more.");
        resolve(new SocketLine(socket, alarm));
      };
    });
  }

  /** Send a frame; where the line is broken, its end says so. @param {string} text */
  send(text) {
    if (this.#socket.readyState === 1) this.#socket.send(text);
    else this.ended(new Offline("The socket is closed."));
  }

  close() {
    this.ended(new Offline("The connection was closed here."));
    this.#socket.close(1000);
  }

  /** @param {unknown} data */
  #heed(data) {
    this.heard();
    try {
      if (typeof data !== "string") throw new Offline("A frame is no text.");
      this.arrived(parseFrame(data));
    } catch (error) {
      this.ended(error);
      this.#socket.close(1000);
    }
  }
}

/** The line over server-sent events (WHATWG HTML, section 9.2). Nothing is sent on it. */
export class StreamLine extends Line {
  /** @type {"sse"} */
  transport = "sse";
  #abort;

  /** @param {Response} response @param {() => void} abort @param {Alarm} alarm */
  constructor(response, abort, alarm) {
    super(alarm);
    this.#abort = abort;
    void this.#read(/** @type {ReadableStream<Uint8Array>} */ (response.body));
  }

  /**
   * @param {Network} network
   * @param {Record<string, string>} asked
   * @param {Alarm} alarm
   */
  static async open(network, asked, alarm) {
    const { response, abort } = await network.stream("live/stream/", asked);
    return new StreamLine(response, abort, alarm);
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
    const events = new Events();
    const decoder = new TextDecoder();
    try {
      const reader = body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        this.heard();
        for (const { event, data } of events.feed(decoder.decode(part.value, { stream: true }))) {
          this.arrived(named(event, parseFrame(data)));
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
function named(event, body) {
  if (event === "error" && body.problem === undefined) return { type: "error", problem: body };
  return event === "message" ? body : { ...body, type: event };
}

/** Events out of text as it comes. Pure. */
export class Events {
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
    if (this.#rest.length > LONGEST) throw new Offline("An event does not end.");
    const found = [];
    // A CR at the end may be the first half of a CRLF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") this.#member(line);
      else if (this.#data.length > 0) {
        found.push({ event: this.#event || "message", data: this.#data.join("\n") });
        this.#data = [];
        this.#event = "";
      } else this.#event = "";
    }
    return found;
  }

  /** @param {string} line */
  #member(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
  }
}
