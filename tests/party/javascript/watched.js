/**
 * A store that keeps a ledger of its outbox, in the transaction that changes it: what entered, how
 * it left, what was refused. So nothing in the client can forget to tell, and a page that is gone in
 * the middle of a write has both or neither. The ledger lies among the single values of the store.
 */

const LEDGER = "party ";

/** @param {import("../../../django_sync/static/django_sync/store/tables.js").Store} store */
export class Watched {
  #store;

  constructor(store) {
    this.#store = store;
    this.kind = store.kind;
    this.name = store.name;
  }

  write(body, care) {
    return this.#store.write(async (tx) => {
      const there = new Map((await tx.list("outbox")).map((row) => [row.seq, row]));
      return body(noting(tx, there));
    }, care);
  }

  read(body) {
    return this.#store.read(body);
  }

  close() {
    this.#store.close();
  }

  /** All that is in the store, as it was at one moment, and the ledger. */
  dump() {
    return this.#store.read(async (tx) => {
      const tables = {};
      for (const name of ["meta", "collections", "records", "outbox", "conflicts", "rejections"]) {
        tables[name] = await tx.list(name);
      }
      const noted = tables.meta.filter(({ key }) => key.startsWith(LEDGER));
      tables.meta = tables.meta.filter(({ key }) => !key.startsWith(LEDGER));
      return { tables, ledger: noted.map(({ key: _, ...entry }) => entry) };
    });
  }
}

/** The transaction, which notes what becomes of the outbox. */
function noting(tx, there) {
  const note = (what, { id, collection, objectId, state }) =>
    tx.put("meta", { key: LEDGER + crypto.randomUUID(), what, id, collection, object_id: objectId, state });
  return {
    get: (table, key) => tx.get(table, key),
    list: (table, range) => tx.list(table, range),
    count: (table, range) => tx.count(table, range),
    clear: (table) => tx.clear(table),
    put(table, row) {
      if (table === "outbox") {
        if (!there.has(row.seq)) note("made", row);
        there.set(row.seq, row);
      }
      if (table === "rejections") note("refused", row.mutation);
      tx.put(table, row);
    },
    delete(table, key) {
      if (table === "outbox" && there.has(key)) {
        note("gone", there.get(key));
        there.delete(key);
      }
      tx.delete(table, key);
    },
  };
}
