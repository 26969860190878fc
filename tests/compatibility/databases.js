/** IndexedDB databases as JSON, and back: versions, object stores, indexes, keys, rows, typed arrays. */

const finished = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** All databases of a factory. */
export async function dump(factory) {
  const found = [];
  for (const { name } of await factory.databases()) {
    const db = await finished(factory.open(name));
    const stores = [];
    for (const one of [...db.objectStoreNames].sort()) {
      const store = db.transaction(one).objectStore(one);
      const indexes = [...store.indexNames].sort().map((index) => {
        const { keyPath, unique, multiEntry } = store.index(index);
        return { name: index, keyPath, unique, multiEntry };
      });
      const rows = (await finished(store.getAll())).map(written);
      stores.push({ name: one, keyPath: store.keyPath, autoIncrement: store.autoIncrement, indexes, rows });
    }
    found.push({ name, version: db.version, stores });
    db.close();
  }
  return found;
}

/** Make these databases in an empty factory. */
export async function load(factory, databases) {
  for (const { name, version, stores } of databases) {
    const request = factory.open(name, version);
    request.onupgradeneeded = () => {
      for (const { name: one, keyPath, autoIncrement, indexes, rows } of stores) {
        const store = request.result.createObjectStore(one, { keyPath, autoIncrement });
        for (const { name: index, keyPath: path, ...how } of indexes) store.createIndex(index, path, how);
        for (const row of rows) store.put(read(row));
      }
    };
    (await finished(request)).close();
  }
}

const typed = Object.getPrototypeOf(Uint8Array);

/** A value as JSON; what JSON has no word for is an object with the member `$`. */
function written(value) {
  if (value === undefined) return { $: "undefined" };
  if (value instanceof Date) return { $: "Date", of: value.toISOString() };
  if (value instanceof ArrayBuffer) return { $: "ArrayBuffer", of: [...new Uint8Array(value)] };
  if (value instanceof typed) return { $: value.constructor.name, of: [...value] };
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) {
    if (!["string", "number", "boolean"].includes(typeof value) && value !== null) throw new TypeError(`a ${typeof value}`);
    return value;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new TypeError(`a ${value.constructor.name}`);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, written(one)]));
}

function read(value) {
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  switch (value.$) {
    case undefined:
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, read(one)]));
    case "undefined":
      return undefined;
    case "Date":
      return new Date(value.of);
    case "ArrayBuffer":
      return Uint8Array.from(value.of).buffer;
    default:
      return globalThis[value.$].from(value.of);
  }
}
