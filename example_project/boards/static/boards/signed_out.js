/** On the page that asks who one is: nobody is signed in, so no page of anybody is kept for offline. */

import { forgetShells } from "./offline.js";

await forgetShells();
