/** The first decision: `node first_decision.js [ADDRESS]`, a sidecar listening there. */
import { connect, DEFAULT_ADDRESS } from "@decision-sidecar/client";

await using client = connect(process.argv[2] ?? DEFAULT_ADDRESS);
await client.waitReady();
const user = client.user("user-1", { attributes: { app_version: "2.5.0", country: "DE" } });
const decision = await user.decide("checkout_redesign");
const layout = decision.variables.string("layout", "classic");
console.log(`${decision.flagKey}: ${decision.variationKey}, layout ${layout}, because ${decision.reason}`);
