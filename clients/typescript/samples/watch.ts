/** Each change of the datafile, told as it comes into force: `node watch.js [ADDRESS] [COUNT]`. */
import { connect, DEFAULT_ADDRESS } from "@decision-sidecar/client";

// The revision in force, then each change, over restarts of the sidecar, until interrupted.
let left = Number(process.argv[3] ?? Infinity);
await using client = connect(process.argv[2] ?? DEFAULT_ADDRESS);
for await (const change of client.watch()) {
  console.log(`revision ${change.revision} from ${change.source}`);
  left -= 1;
  if (left <= 0) break;
}
