/** A program of a user's, which names what `client.js` exports: TypeScript must know all of it. */

import {
  Backoff, Collection, Conflict, errors, LiveQuery, MemoryStore, Pace, Record, Rejection, Resolution, SessionAuth, SyncClient,
  type Auth, type Change, type Counts, type Fields, type Mutation, type Options, type State, type Status, type Storage, type Store, type Transport,
} from "../../django_sync/static/django_sync/types/client.js";

const auth: Auth = { headers: async () => ({ Authorization: "Token x" }), identity: "ada" };
const transports: readonly Transport[] = ["websocket", "poll"];
const store: Store = new MemoryStore();
const options: Options = { store, collections: ["cards"], auth, transports, backoff: new Backoff({ first: 2 }), pace: new Pace() };

function shown(status: Status): string {
  const link: State = status.link;
  return status.progress ? `${link} ${status.progress.done} of ${status.progress.total}` : link;
}

export async function main(): Promise<void> {
  const client: SyncClient = await SyncClient.open("/sync/", options);
  const storage: Storage = client.storage;
  const cards: Collection = client.collection("cards");
  const forget: () => void = client.onStatus((status) => shown(status) && storage.kind);
  client.onChange("cards", (change: Change) => change.record?.object.title);
  client.onConflict((conflict: Conflict): Resolution => conflict.merge({ title: "both" } satisfies Fields));
  client.onRejected(({ mutation, error }: Rejection) => error instanceof errors.ValidationFailed && mutation.id);
  const query: LiveQuery = cards.live({ column: "todo" }, (records: Record[]) => records.length);
  const counts: Counts = await client.sync();
  const waiting: Mutation[] = await client.outbox();
  if (counts.sent === waiting.length) query.stop();
  forget();
  await SyncClient.open("/sync/", { store: "ada", collections: ["cards"], auth: new SessionAuth({ user: "ada" }) });
  // @ts-expect-error: there is no such transport
  await SyncClient.open("/sync/", { ...options, transports: ["pigeon"] });
  // @ts-expect-error: a store is needed
  await SyncClient.open("/sync/", { collections: ["cards"] });
}
