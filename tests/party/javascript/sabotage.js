/** Faults that are put into the client of a guest: the party must come to no end that is right. */

import { Replica } from "../../../django_sync/static/django_sync/store/replica.js";

/** Of every third page or group of frames the first change is dropped. */
function drops_a_change() {
  let count = 0;
  const some = (pages) =>
    pages.map((page) => (page.changes.length > 0 && ++count % 3 === 0 ? { ...page, changes: page.changes.slice(1) } : page));
  const { apply, feed } = Replica.prototype;
  Replica.prototype.apply = function (page, ...more) {
    return apply.call(this, some([page])[0], ...more);
  };
  Replica.prototype.feed = function (pages, ...more) {
    return feed.call(this, some(pages), ...more);
  };
}

/** Scopes that leave the view stay on the disk. */
function keeps_what_left() {
  const stays = (page) => ({ ...page, changes: page.changes.filter(({ op }) => op !== "drop" && op !== "remove") });
  const { apply, feed } = Replica.prototype;
  Replica.prototype.apply = function (page, ...more) {
    return apply.call(this, stays(page), ...more);
  };
  Replica.prototype.feed = function (pages, ...more) {
    return feed.call(this, pages.map(stays), ...more);
  };
}

/** The store loses each fourth entry of the outbox when it is marked as sent. */
function forgets_an_entry(store) {
  let count = 0;
  const { write } = store;
  store.write = (body, care) =>
    write.call(
      store,
      (tx) =>
        body({
          get: (...asked) => tx.get(...asked),
          list: (...asked) => tx.list(...asked),
          count: (...asked) => tx.count(...asked),
          clear: (...asked) => tx.clear(...asked),
          delete: (...asked) => tx.delete(...asked),
          put(table, row) {
            if (table === "outbox" && row.state === "sent" && ++count % 4 === 0) tx.delete(table, row.seq);
            else tx.put(table, row);
          },
        }),
      care,
    );
}

export const FAULTS = { drops_a_change, keeps_what_left, forgets_an_entry };
