/** A guest in Node: a line on stdin is a command, a line on stdout its answer. One after the other. */

import { createInterface } from "node:readline";

import { Guest } from "./guest.js";

const told = [];
const guest = new Guest({ get: () => told, add: (id) => told.push(id) });
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await guest.obey(line)}\n`);
}
process.exit(0);
