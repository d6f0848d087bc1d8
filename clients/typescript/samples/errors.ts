/** What goes wrong, and how it reads: `node errors.js [ADDRESS]`, a sidecar listening there. */
import { connect, DEFAULT_ADDRESS, RequestRefused, SidecarError } from "@decision-sidecar/client";

await using client = connect(process.argv[2] ?? DEFAULT_ADDRESS);
try {
  await client.user("").track("");
} catch (error) {
  if (error instanceof RequestRefused) {
    for (const { field, description } of error.violations) console.log(`${field}: ${description}`);
  } else if (error instanceof SidecarError) {
    console.log(`${error.reason}, again later: ${error.retryable}, as event ${error.eventId}`);
  } else {
    throw error;
  }
}

// Nothing listens there: the caller's default is the answer, and says why.
await using nowhere = connect("127.0.0.1:9");
const decision = await nowhere.user("user-1").decide("checkout_redesign", {
  default: { variationKey: "control", variables: { steps: 4 } },
});
console.log(`${decision.variationKey}, because ${decision.reason}: ${decision.errorReason}`);
